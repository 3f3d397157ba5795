/* Owns "trk deploy": a model version put to use in a directory, what is there, and the way back. */
#include <stdio.h>
#include <unistd.h>

#include "cli/deploy_run.h"
#include "cli/deploy_tell.h"
#include "cli/deploy_watch.h"
#include "cli/handlers.h"
#include "cli/model_ref.h"
#include "src/retry.h"

enum {
	HEALTH_RETRIES = 5,
	HEALTH_INTERVAL_S = 2,
	TIMEOUT_S = 60,
	KEEP = 3,
	HEARTBEAT_S = 30,
	RETRY_S = RETRY_TRIED_MS_MIN / 1000,
	SECONDS_MAX = 86400,
};

/* ---- options --------------------------------------------------------------------------------- */

static struct deploy_settings default_settings(struct cli *cli)
{
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1); /* "" does as well */
	return (struct deploy_settings){
		.target = arena_cstr(cli->arena, slice_from_cstr(host)),
		.model = "",
		.alias = "",
		.environment = "",
		.hook = "",
		.health = "",
		.health_retries = HEALTH_RETRIES,
		.health_interval_s = HEALTH_INTERVAL_S,
		.timeout_s = TIMEOUT_S,
	};
}

/* What the options say in place of what *s says. */
static bool read_settings(struct cli *cli, struct deploy_settings *s, struct error *err)
{
	s->target = cli_option(cli, "name", s->target);
	s->environment = cli_option(cli, "env", s->environment);
	s->hook = cli_option(cli, "hook", s->hook);
	s->health = cli_option(cli, "health", s->health);
	if (!cli_number(cli, "health-retries", 0, s->health_retries, &s->health_retries, err) ||
	    !cli_number(cli, "health-interval", 0, s->health_interval_s, &s->health_interval_s,
			err) ||
	    !cli_number(cli, "timeout", 1, s->timeout_s, &s->timeout_s, err))
		return false;
	if (s->timeout_s > SECONDS_MAX || s->health_interval_s > SECONDS_MAX)
		return cli_fail_usage(cli, err, "--timeout and --health-interval are at most %d",
				      SECONDS_MAX);
	return true;
}

/* What the words say besides the options. */
struct wish {
	const char *path;
	bool is_rollback, is_status, is_plan, is_watch;
	int64_t keep, heartbeat_s, retry_s;
};

static bool check_usage(struct cli *cli, const struct wish *w, struct error *err)
{
	const char *what = cli_word(cli, 0);
	if (w->path == NULL || w->path[0] == '\0')
		return cli_fail_usage(cli, err, "--to names the directory of the deployment");
	if (w->is_rollback && w->is_status)
		return cli_fail_usage(cli, err, "it is either --rollback or --status");
	if ((w->is_rollback || w->is_status) && what != NULL)
		return cli_fail_usage(cli, err, "--rollback and --status take no version");
	if (!w->is_rollback && !w->is_status && what == NULL)
		return cli_fail_usage(cli, err, "name a version: MODEL@ALIAS or MODEL/VERSION");
	if (w->is_watch && (w->is_rollback || w->is_status || w->is_plan))
		return cli_fail_usage(cli, err,
				      "--watch goes with none of --rollback, --status, --dry-run");
	return true;
}

static bool read_wish(struct cli *cli, struct wish *w, struct error *err)
{
	*w = (struct wish){
		.path = cli_option(cli, "to", NULL),
		.is_rollback = cli_flag(cli, "rollback"),
		.is_status = cli_flag(cli, "status"),
		.is_plan = cli_flag(cli, "dry-run"),
		.is_watch = cli_flag(cli, "watch"),
	};
	if (!check_usage(cli, w, err) || !cli_number(cli, "keep", 1, KEEP, &w->keep, err) ||
	    !cli_number(cli, "heartbeat", 1, HEARTBEAT_S, &w->heartbeat_s, err) ||
	    !cli_number(cli, "retry", 1, RETRY_S, &w->retry_s, err))
		return false;
	if (w->heartbeat_s > SECONDS_MAX || w->retry_s > SECONDS_MAX)
		return cli_fail_usage(cli, err, "--heartbeat and --retry are at most %d",
				      SECONDS_MAX);
	return true;
}

/* The model, and the alias or "", of what is asked for. */
static void split_name(struct cli *cli, struct deploy_settings *s)
{
	struct slice name, alias, text = slice_from_cstr(cli_word(cli, 0));
	if (model_ref_split(text, '@', &name, &alias)) {
		s->model = arena_cstr(cli->arena, name);
		s->alias = arena_cstr(cli->arena, alias);
	} else if (model_ref_split(text, '/', &name, &alias)) {
		s->model = arena_cstr(cli->arena, name);
	}
}

/* ---- deploy --------------------------------------------------------------------------------- */

static bool deploy_version(struct deployment *d, const struct wish *w, struct error *err)
{
	struct deploy_report r = {.result = ""};
	struct deploy_settings settings = default_settings(d->cli);
	struct deploy_source source;
	if (!read_settings(d->cli, &settings, err))
		return false;
	split_name(d->cli, &settings);
	bool is_there = deploy_enter(d, w->path, false, &r, err);
	if (!is_there && err->code != ERR_NOT_FOUND)
		return false;
	/* A directory is made only for what there is. */
	return deploy_source_resolve(d->cli, cli_word(d->cli, 0), &source, err) &&
	       (is_there || deploy_enter(d, w->path, true, &r, err)) &&
	       deploy_bring(d, &source, &settings, w->keep, &r, err) &&
	       deploy_report_result(d, &r, err);
}

static bool watch_alias(struct deployment *d, const struct wish *w, struct error *err)
{
	struct deploy_watch_options options = {
		.path = w->path, .keep = w->keep, .retry_ms = w->retry_s * 1000};
	options.settings = default_settings(d->cli);
	if (!read_settings(d->cli, &options.settings, err))
		return false;
	split_name(d->cli, &options.settings);
	if (options.settings.alias[0] == '\0')
		return cli_fail_usage(d->cli, err, "--watch follows an alias: name MODEL@ALIAS");
	return deploy_watch(d, &options, err);
}

static bool plan(struct deployment *d, const struct wish *w, struct error *err)
{
	struct deploy_report r = {.previous = ""};
	struct deploy_settings settings = default_settings(d->cli);
	struct deploy_source source;
	const char *current = "";
	if (!read_settings(d->cli, &settings, err))
		return false;
	if (deploy_directory_open(w->path, false, &d->directory, err)) {
		if (!deploy_state_load(&d->directory, d->cli->arena, &d->state, err) ||
		    !deploy_link(&d->directory, d->cli->arena, "current", &current, err))
			return false;
	} else if (err->code != ERR_NOT_FOUND) {
		return false;
	}
	if (!deploy_source_resolve(d->cli, cli_word(d->cli, 0), &source, err))
		return false;
	if (d->directory.fd < 0)
		(void)snprintf(d->directory.path, sizeof(d->directory.path), "%s", w->path);
	r.version = &source.version;
	r.is_fetched = !deploy_directory_holds(&d->directory, source.version.name,
					       source.version.tree_sha256, &d->cli->fetcher.stop);
	if (deploy_is_in_place(d, &source, current)) {
		r.result = "unchanged";
	} else {
		r.result = "active";
		r.previous = current;
		deploy_state_put(&d->state, &source.version);
		deploy_choose_removed(d, source.version.name, current, w->keep, &r);
	}
	d->state.settings = settings;
	return deploy_report_plan(d, &r, current, err);
}

/* ---- back ------------------------------------------------------------------------------------ */

static bool roll_back(struct deployment *d, const struct wish *w, struct error *err)
{
	struct deploy_report r = {0};
	const char *current;
	if (w->is_plan ? !deploy_directory_open(w->path, false, &d->directory, err) ||
				 !deploy_state_load(&d->directory, d->cli->arena, &d->state, err)
		       : !deploy_enter(d, w->path, false, &r, err))
		return false;
	if (!deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r.previous, err) ||
	    !read_settings(d->cli, &d->state.settings, err))
		return false;
	r.version = deploy_state_find(&d->state, r.previous);
	if (r.version == NULL)
		return error_set(err, ERR_INVALID_STATE, "%s: there is no version to go back to",
				 w->path);
	if (!deploy_directory_holds(&d->directory, r.previous, r.version->tree_sha256,
				    &d->cli->fetcher.stop))
		return error_set(err, ERR_DATA_LOSS,
				 "%s has changed since it was deployed; nothing was done",
				 deploy_version_path(&d->directory, d->cli->arena, r.previous));
	if (!w->is_plan)
		return deploy_use_previous(d, w->keep, &r, err) && deploy_report_result(d, &r, err);
	r.result = "rolled back";
	r.previous = current;
	deploy_choose_removed(d, r.version->name, current, w->keep, &r);
	return deploy_report_plan(d, &r, current, err);
}

static bool show_status(struct deployment *d, const struct wish *w, struct error *err)
{
	return deploy_directory_open(w->path, false, &d->directory, err) &&
	       deploy_state_load(&d->directory, d->cli->arena, &d->state, err) &&
	       deploy_report_status(d, err);
}

static bool run(struct deployment *d, const struct wish *w, struct error *err)
{
	if (w->is_status)
		return show_status(d, w, err);
	if (w->is_rollback)
		return roll_back(d, w, err);
	if (w->is_plan)
		return plan(d, w, err);
	return w->is_watch ? watch_alias(d, w, err) : deploy_version(d, w, err);
}

/* The way back needs no server, and so no address of one. */
static bool open_reporter(struct deployment *d, const struct wish *w, struct reporter *reporter,
			  struct error *err)
{
	int64_t heartbeat_ms = w->is_watch ? w->heartbeat_s * 1000 : 0;
	if (deploy_tell_open(reporter, d->cli, heartbeat_ms, err)) {
		d->reporter_or_null = reporter;
		return true;
	}
	if (!w->is_rollback)
		return false;
	cli_say(d->cli, "No server is told of this: %s", err->message);
	d->cli->exit = CLI_OK;
	return true;
}

bool deploy(struct cli *cli, struct error *err)
{
	struct deployment d = {.cli = cli, .state = {.arena = cli->arena}};
	struct reporter reporter = {0};
	struct wish wish;
	if (!read_wish(cli, &wish, err))
		return false;
	bool changes = !wish.is_status && !wish.is_plan;
	if (changes && !cli_flag(cli, "no-report") && !open_reporter(&d, &wish, &reporter, err))
		return false;
	deploy_directory_init(&d.directory);
	bool ok = run(&d, &wish, err);
	deploy_directory_close(&d.directory);
	reporter_close(&reporter);
	return ok;
}
