/* Owns "trk doctor": a list of checks between here and the server. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/table.h"
#include "src/settings.h"
#include "trk.h"

enum verdict { VERDICT_OK, VERDICT_WARNING, VERDICT_FAILED };

struct check {
	const char *name;
	enum verdict verdict;
	struct slice detail;
};

enum { CHECKS_MAX = 64, SKEW_MS_MAX = 2000, SLOW_MS = 500 };

struct doctor {
	struct cli *cli;
	struct check checks[CHECKS_MAX];
	size_t count;
	bool is_reachable;
};

static void add(struct doctor *d, const char *name, enum verdict verdict, struct slice detail)
{
	ASSERT(d->count < CHECKS_MAX);
	d->checks[d->count++] = (struct check){name, verdict, detail};
}

/* ---- the server ------------------------------------------------------------------------------ */

static void check_clock(struct doctor *d, int64_t server_ms, int64_t before_ms, int64_t after_ms)
{
	struct arena *arena = d->cli->arena;
	int64_t skew_ms = server_ms - (before_ms + after_ms) / 2,
		round_trip_ms = after_ms - before_ms;
	bool is_off = llabs(skew_ms) > SKEW_MS_MAX + round_trip_ms;
	if (server_ms == 0)
		return;
	add(d, "clock", is_off ? VERDICT_WARNING : VERDICT_OK,
	    is_off ? arena_printf(
			     arena,
			     "the server's clock is %.*s %s this one: times of runs will look odd",
			     SLICE_FMT(format_duration(arena, llabs(skew_ms))),
			     skew_ms > 0 ? "ahead of" : "behind")
		   : arena_printf(arena, "within %lld ms of the server's",
				  (long long)(llabs(skew_ms) + 1)));
	add(d, "round trip", round_trip_ms > SLOW_MS ? VERDICT_WARNING : VERDICT_OK,
	    arena_printf(arena, "%lld ms", (long long)round_trip_ms));
}

static void check_data(struct doctor *d, const struct json_value *server)
{
	struct arena *arena = d->cli->arena;
	bool is_read_only = json_tree_bool(json_tree_get(server, "read_only"), false);
	int64_t tracker = json_tree_i64(json_tree_get(server, "tracker_bytes"), 0);
	int64_t artifacts = json_tree_i64(json_tree_get(server, "artifacts_bytes"), 0);
	add(d, "writable", is_read_only ? VERDICT_FAILED : VERDICT_OK,
	    is_read_only ? SLICE("no: the server takes no writes; its log says why")
			 : SLICE("yes"));
	add(d, "data", VERDICT_OK,
	    arena_printf(arena, "%.*s of runs, %.*s of artifacts",
			 SLICE_FMT(format_bytes(arena, tracker)),
			 SLICE_FMT(format_bytes(arena, artifacts))));
	add(d, "content", VERDICT_OK,
	    arena_printf(
		    arena, "%.*s, %.*s, %.*s",
		    SLICE_FMT(format_count(arena,
					   json_tree_i64(json_tree_get(server, "experiments"), 0),
					   "experiment")),
		    SLICE_FMT(format_count(arena, json_tree_i64(json_tree_get(server, "runs"), 0),
					   "run")),
		    SLICE_FMT(format_count(
			    arena, json_tree_i64(json_tree_get(server, "registered_models"), 0),
			    "model"))));
}

static void check_server(struct doctor *d)
{
	struct cli *cli = d->cli;
	struct json_value *server;
	struct error err;
	/* The connection is made before the clock is read. */
	bool ok = cli_get(cli, &server, &err, "/api/trackerd/v1/server");
	int64_t before_ms = clock_wall_ms(clock_system());
	ok = ok && cli_get(cli, &server, &err, "/api/trackerd/v1/server");
	int64_t after_ms = clock_wall_ms(clock_system());
	if (!ok) {
		d->is_reachable = err.code == ERR_NOT_FOUND || err.code == ERR_ENDPOINT_NOT_FOUND;
		add(d, "server", VERDICT_FAILED,
		    d->is_reachable
			    ? arena_printf(cli->arena, "%s answers, but is no trackerd", cli->url)
			    : arena_copy(cli->arena, slice_from_cstr(err.message)));
		return;
	}
	d->is_reachable = true;
	struct slice version = json_text(server, "version");
	add(d, "server", VERDICT_OK,
	    arena_printf(cli->arena, "trackerd %.*s at %s, speaks MLflow %.*s", SLICE_FMT(version),
			 cli->url, SLICE_FMT(json_text(server, "mlflow_version"))));
	check_clock(d, json_tree_i64(json_tree_get(server, "now_ms"), 0), before_ms, after_ms);
	check_data(d, server);
}

/* ---- spools ---------------------------------------------------------------------------------- */

struct spools {
	int64_t count, bytes, oldest_ms;
};

static void measure_spool(const char *path, struct spools *out)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	struct stat info;
	if (directory == NULL)
		return;
	out->count++;
	if (fstat(dirfd(directory), &info) == 0) {
		int64_t made_ms = (int64_t)info.st_mtim.tv_sec * 1000;
		out->oldest_ms =
			out->oldest_ms == 0 || made_ms < out->oldest_ms ? made_ms : out->oldest_ms;
	}
	while ((entry = readdir(directory)) != NULL) {
		if (fstatat(dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode))
			out->bytes += (int64_t)info.st_blocks * 512;
	}
	(void)closedir(directory); /* only read */
}

static void check_spools(struct doctor *d)
{
	struct arena *arena = d->cli->arena;
	char path[SETTINGS_PATH_BYTES];
	struct error err;
	struct spools spools = {0};
	const struct dirent *entry;
	if (!settings_default_spool(path, &err)) {
		add(d, "spool", VERDICT_WARNING, arena_copy(arena, slice_from_cstr(err.message)));
		return;
	}
	DIR *directory = opendir(path);
	if (directory == NULL && errno != ENOENT) {
		add(d, "spool", VERDICT_WARNING, arena_printf(arena, "%s cannot be read", path));
		return;
	}
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (settings_is_run_id(entry->d_name))
			measure_spool(arena_cstr(arena,
						 arena_printf(arena, "%s/%s", path, entry->d_name)),
				      &spools);
	}
	if (directory != NULL)
		(void)closedir(directory); /* only read */
	if (spools.count == 0)
		add(d, "spool", VERDICT_OK, arena_printf(arena, "nothing waits in %s", path));
	else
		add(d, "spool", VERDICT_WARNING,
		    arena_printf(arena,
				 "%.*s with %.*s in %s, oldest %.*s: going on now, or waiting for "
				 "\"trk sync\"",
				 SLICE_FMT(format_count(arena, spools.count, "run")),
				 SLICE_FMT(format_bytes(arena, spools.bytes)), path,
				 SLICE_FMT(format_age(arena, spools.oldest_ms,
						      clock_wall_ms(clock_system())))));
}

/* ---- the environment ------------------------------------------------------------------------- */

static void check_environment(struct doctor *d)
{
	static const char *const names[] = {
		"TRK_URL",    "MLFLOW_TRACKING_URI", "TRK_EXPERIMENT", "MLFLOW_EXPERIMENT_NAME",
		"TRK_RUN_ID", "TRK_OFFLINE",	     "TRK_SPOOL_DIR"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const char *value = getenv(names[i]); // NOLINT(concurrency-mt-unsafe): one thread
		if (value != NULL)
			add(d, names[i], VERDICT_OK, slice_from_cstr(value));
	}
}

/* ---- printing -------------------------------------------------------------------------------- */

static const char *const verdict_names[] = {"ok", "warning", "failed"};

static bool print_json(const struct doctor *d, enum verdict worst, struct error *err)
{
	struct json_writer *w = cli_begin_json(d->cli);
	json_object_begin(w);
	json_put_bool(w, "ok", worst != VERDICT_FAILED);
	json_key(w, "checks");
	json_array_begin(w);
	for (size_t i = 0; i < d->count; i++) {
		json_object_begin(w);
		json_put_cstr(w, "name", d->checks[i].name);
		json_put_cstr(w, "status", verdict_names[d->checks[i].verdict]);
		json_put_string(w, "detail", d->checks[i].detail);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(d->cli, err);
}

static void print_text(const struct doctor *d)
{
	static const char *const marks[] = {"✓", "!", "✗"};
	static const enum terminal_style styles[] = {STYLE_GREEN, STYLE_YELLOW, STYLE_RED};
	for (size_t i = 0; i < d->count; i++) {
		const struct check *c = &d->checks[i];
		(void)printf("%s%s%s %-12s ", terminal_style(stdout, styles[c->verdict]),
			     marks[c->verdict], terminal_style(stdout, STYLE_PLAIN), c->name);
		terminal_print(stdout, d->cli->arena, STYLE_PLAIN, c->detail);
		(void)putchar('\n');
	}
}

bool doctor(struct cli *cli, struct error *err)
{
	struct doctor d = {.cli = cli};
	enum verdict worst = VERDICT_OK;
	add(&d, "trk", VERDICT_OK, arena_printf(cli->arena, "version %s", trk_version()));
	check_server(&d);
	check_spools(&d);
	check_environment(&d);
	for (size_t i = 0; i < d.count; i++)
		worst = d.checks[i].verdict > worst ? d.checks[i].verdict : worst;
	if (cli->json) {
		if (!print_json(&d, worst, err))
			return false;
	} else {
		print_text(&d);
	}
	if (worst != VERDICT_FAILED)
		return true;
	return error_set(err, d.is_reachable ? ERR_INVALID_STATE : ERR_TEMPORARILY_UNAVAILABLE,
			 d.is_reachable ? "something is wrong; see above"
					: "the server cannot be used; see above");
}
