/* Owns "trk gc": removes for good what was deleted, and explains what goes and why the rest stays. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/progress.h"
#include "cli/table.h"

#define GC "/api/trackerd/v1/gc"

enum {
	STAYING_SHOWN_MAX = 20, /* --json has all */
	SWEEP_LOOK_MS = 100,
};

/* What the totals of plans and replies are called, and how many there are. */
struct removed {
	int64_t runs, logged_models, experiments;
};

static int64_t member(const struct json_value *object, const char *key)
{
	return json_tree_i64(json_tree_get(object, key), 0);
}

/* ---- the age --------------------------------------------------------------------------------- */

/* "30d", "12h", "90m", "10s", "0" in milliseconds. */
static bool parse_age(struct cli *cli, int64_t *out, struct error *err)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = {{'d', 24 * 3600 * 1000}, {'h', 3600 * 1000}, {'m', 60 * 1000}, {'s', 1000}};
	const char *text = cli_option(cli, "older-than", "30d");
	struct slice digits = slice_from_cstr(text);
	int64_t count, unit_ms = 0;
	for (size_t i = 0; i < ARRAY_COUNT(units) && digits.len > 0; i++) {
		if (digits.ptr[digits.len - 1] == units[i].letter)
			unit_ms = units[i].ms;
	}
	if (unit_ms != 0)
		digits.len--;
	if (!slice_parse_i64(digits, &count) || count < 0 || (unit_ms == 0 && count != 0) ||
	    (unit_ms != 0 && count > INT64_MAX / 2 / unit_ms))
		return cli_fail_usage(
			cli, err, "--older-than %s: expected a time such as 30d, 12h or 0", text);
	*out = count * unit_ms;
	return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* "3 runs, 1 experiment" */
static struct slice things(struct cli *cli, const struct removed *r)
{
	const struct {
		int64_t count;
		const char *noun;
	} parts[] = {{r->runs, "run"},
		     {r->logged_models, "logged model"},
		     {r->experiments, "experiment"}};
	struct slice text = SLICE("");
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		struct slice part = format_count(cli->arena, parts[i].count, parts[i].noun);
		if (parts[i].count > 0)
			text = arena_printf(cli->arena, "%.*s%s%.*s", SLICE_FMT(text),
					    text.len > 0 ? ", " : "", SLICE_FMT(part));
	}
	return text.len > 0 ? text : SLICE("nothing");
}

static struct removed total_of(const struct json_value *object)
{
	return (struct removed){member(object, "runs"), member(object, "logged_models"),
				member(object, "experiments")};
}

static int64_t removed_count(const struct removed *r)
{
	return r->runs + r->logged_models + r->experiments;
}

/* "logged model" for "logged_model". */
static struct slice kind_of(const struct json_value *item)
{
	struct slice kind = json_text(item, "kind");
	return slice_eq_cstr(kind, "logged_model") ? SLICE("model") : kind;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static void print_going(struct cli *cli, const struct json_value *plan, int64_t now_ms)
{
	const struct json_value *item = json_items(json_tree_get(plan, "goes"));
	struct table table;
	table_init(&table, cli->arena);
	table_column(&table, SLICE("GOES"), TABLE_WHOLE);
	table_column(&table, SLICE("ID"), TABLE_ID);
	table_column(&table, SLICE("NAME"), 0);
	table_column(&table, SLICE("DELETED"), TABLE_OPTIONAL);
	table_column(&table, SLICE("ROWS"), TABLE_RIGHT | TABLE_OPTIONAL);
	table_column(&table, SLICE("POINTS"), TABLE_RIGHT);
	table_column(&table, SLICE("FILES"), TABLE_RIGHT);
	table_column(&table, SLICE("SHARED"), TABLE_RIGHT);
	table_column(&table, SLICE("FREED"), TABLE_RIGHT);
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct arena *arena = cli->arena;
		table_cell(&table, kind_of(item));
		table_styled_cell(&table, json_text(item, "id"), STYLE_CYAN);
		table_cell(&table, json_text(item, "name"));
		table_cell(&table, format_age(arena, member(item, "deleted_ms"), now_ms));
		table_cell(&table, arena_printf(arena, "%lld", (long long)member(item, "rows")));
		table_cell(&table, format_bytes(arena, member(item, "metric_bytes")));
		table_cell(&table, format_bytes(arena, member(item, "artifact_bytes")));
		table_cell(&table, format_bytes(arena, member(item, "shared_bytes")));
		table_cell(&table, format_bytes(arena, member(item, "freed_bytes")));
	}
	(void)table_print(&table, stdout, 0); /* --json has all */
}

/* The reason is a sentence, too long for a table. What can be restored yet is only counted. */
static void print_staying(struct cli *cli, const struct json_value *plan)
{
	const struct json_value *item = json_items(json_tree_get(plan, "stays"));
	int64_t shown_count = 0, more_count = 0, young_count = 0;
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct slice kind = kind_of(item), id = json_text(item, "id");
		if (slice_eq_cstr(json_text(item, "reason"), "restore_window")) {
			young_count++;
		} else if (shown_count == STAYING_SHOWN_MAX) {
			more_count++;
		} else {
			cli_print_line(cli, arena_printf(cli->arena, "Stays: %.*s %.*s %.*s",
							 SLICE_FMT(kind), SLICE_FMT(id),
							 SLICE_FMT(json_text(item, "name"))));
			cli_print_line(cli, arena_printf(cli->arena, "       %.*s",
							 SLICE_FMT(json_text(item, "text"))));
			shown_count++;
		}
	}
	if (more_count > 0)
		(void)printf("Stays: %lld more; --json tells all\n", (long long)more_count);
	if (young_count > 0)
		(void)printf(
			"Stays: %lld deleted lately, which can be restored; see --older-than\n",
			(long long)young_count);
}

static void put_item(struct json_writer *w, const struct json_value *item)
{
	static const char *const texts[] = {"kind",	     "id",     "name",
					    "experiment_id", "reason", "text"};
	static const char *const numbers[] = {"deleted_ms", "rows",	      "metric_bytes",
					      "files",	    "artifact_bytes", "shared_bytes",
					      "freed_bytes"};
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (json_tree_get(item, texts[i]) != NULL)
			json_put_string(w, texts[i], json_text(item, texts[i]));
	}
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		if (json_tree_get(item, numbers[i]) != NULL)
			json_put_int(w, numbers[i], member(item, numbers[i]));
	}
	json_object_end(w);
}

static void put_items(struct json_writer *w, const struct json_value *plan, const char *key)
{
	const struct json_value *item = json_items(json_tree_get(plan, key));
	json_key(w, key);
	json_array_begin(w);
	for (; item != NULL; item = item->next_sibling_or_null)
		put_item(w, item);
	json_array_end(w);
}

/* What goes, or went: the plan's figures and the sizes of the databases that `sizes` tells. */
static bool print_json(struct cli *cli, const struct json_value *plan, const struct removed *r,
		       const struct json_value *sizes, bool is_dry, struct error *err)
{
	static const char *const figures[] = {"rows",		"metric_bytes", "files",
					      "artifact_bytes", "shared_bytes", "freed_bytes"};
	static const char *const databases[] = {"tracker_bytes", "tracker_free_bytes",
						"artifacts_bytes", "artifacts_free_bytes"};
	const struct json_value *total = json_tree_get(plan, "total");
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_bool(w, "dry_run", is_dry);
	json_put_int(w, "deleted_before_ms", member(plan, "deleted_before_ms"));
	json_put_int(w, "runs", r->runs);
	json_put_int(w, "logged_models", r->logged_models);
	json_put_int(w, "experiments", r->experiments);
	for (size_t i = 0; i < ARRAY_COUNT(figures); i++)
		json_put_int(w, figures[i], member(total, figures[i]));
	for (size_t i = 0; i < ARRAY_COUNT(databases); i++)
		json_put_int(w, databases[i], member(sizes, databases[i]));
	put_items(w, plan, "goes");
	put_items(w, plan, "stays");
	json_object_end(w);
	return cli_print_json(cli, err);
}

static void say_total(struct cli *cli, const char *verb, const struct removed *r,
		      const struct json_value *plan)
{
	const struct json_value *total = json_tree_get(plan, "total");
	struct arena *arena = cli->arena;
	cli_say(cli, "%.*s %s: %.*s, %.*s of points, %.*s; %.*s freed, %.*s shared with others.",
		SLICE_FMT(things(cli, r)), verb,
		SLICE_FMT(format_count(arena, member(total, "rows"), "row")),
		SLICE_FMT(format_bytes(arena, member(total, "metric_bytes"))),
		SLICE_FMT(format_count(arena, member(total, "files"), "file")),
		SLICE_FMT(format_bytes(arena, member(total, "freed_bytes"))),
		SLICE_FMT(format_bytes(arena, member(total, "shared_bytes"))));
}

/* ---- doing it -------------------------------------------------------------------------------- */

/* One request; *after_out is where the next one goes on, empty at the end. */
static bool collect_some(struct cli *cli, int64_t before_ms, struct slice after,
			 struct removed *removed, struct slice *after_out, struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_int(w, "deleted_before_ms", before_ms);
	json_put_string(w, "after", after);
	json_object_end(w);
	if (!cli_send(cli, "POST", GC, &reply, err))
		return false;
	removed->runs += member(reply, "runs");
	removed->logged_models += member(reply, "logged_models");
	removed->experiments += member(reply, "experiments");
	*after_out = json_text(reply, "after");
	return true;
}

static bool collect(struct cli *cli, const struct json_value *plan, struct removed *removed,
		    struct error *err)
{
	struct removed planned = total_of(json_tree_get(plan, "total"));
	struct progress progress;
	struct slice after = SLICE("");
	bool ok;
	progress_begin(&progress, cli, "removing", removed_count(&planned));
	progress.unit_or_null = "things";
	do {
		ok = cli_is_interrupted() ? cli_fail_interrupted(err)
					  : collect_some(cli, member(plan, "deleted_before_ms"),
							 after, removed, &after, err);
		progress_set(&progress, removed_count(removed));
	} while (ok && after.len > 0);
	progress_end(&progress);
	return ok;
}

/* Until the server has deleted the bytes that nothing refers to any more. *info_out tells the sizes then. */
static bool wait_for_sweep(struct cli *cli, struct json_value **info_out, struct error *err)
{
	const struct timespec pause = {.tv_nsec = SWEEP_LOOK_MS * 1000000};
	for (;;) {
		if (!cli_get(cli, info_out, err, "/api/trackerd/v1/server"))
			return false;
		if (!json_tree_bool(json_tree_get(*info_out, "sweeping"), false))
			return true;
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		(void)nanosleep(&pause, NULL); /* too short is no harm */
	}
}

static void say_sizes(struct cli *cli, const struct json_value *info)
{
	struct arena *arena = cli->arena;
	cli_say(cli,
		"artifacts.db has %.*s, of which %.*s are free for new files; tracker.db %.*s, "
		"%.*s "
		"free.",
		SLICE_FMT(format_bytes(arena, member(info, "artifacts_bytes"))),
		SLICE_FMT(format_bytes(arena, member(info, "artifacts_free_bytes"))),
		SLICE_FMT(format_bytes(arena, member(info, "tracker_bytes"))),
		SLICE_FMT(format_bytes(arena, member(info, "tracker_free_bytes"))));
}

static bool confirm(struct cli *cli, const struct removed *planned, const struct json_value *plan,
		    struct error *err)
{
	const struct json_value *total = json_tree_get(plan, "total");
	struct slice question = arena_printf(
		cli->arena, "Remove %.*s (%.*s) for ever?", SLICE_FMT(things(cli, planned)),
		SLICE_FMT(format_bytes(cli->arena, member(total, "freed_bytes") +
							   member(total, "metric_bytes"))));
	return cli_confirm(cli, arena_cstr(cli->arena, question), err);
}

bool gc(struct cli *cli, struct error *err)
{
	bool is_dry = cli_flag(cli, "dry-run");
	struct removed removed = {0};
	struct json_value *plan, *info;
	int64_t age_ms = 0;
	if (!parse_age(cli, &age_ms, err) ||
	    !cli_get(cli, &plan, err, GC "?older_than_ms=%lld", (long long)age_ms))
		return false;
	struct removed planned = total_of(json_tree_get(plan, "total"));
	if (is_dry && cli->json)
		return print_json(cli, plan, &planned, plan, true, err);
	if (!cli->json && !cli->quiet) {
		print_going(cli, plan, clock_wall_ms(clock_system()));
		print_staying(cli, plan);
	}
	if (is_dry || removed_count(&planned) == 0) {
		say_total(cli, "would go", &planned, plan);
		return !cli->json || print_json(cli, plan, &planned, plan, is_dry, err);
	}
	if (!confirm(cli, &planned, plan, err) || !collect(cli, plan, &removed, err) ||
	    !wait_for_sweep(cli, &info, err))
		return false;
	say_total(cli, "removed", &removed, plan);
	say_sizes(cli, info);
	return !cli->json || print_json(cli, plan, &removed, info, false, err);
}
