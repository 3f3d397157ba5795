/* Owns "trk deploy": a model version put to use in a directory, what is there, and the way back. */
#include <stdio.h>
#include <unistd.h>

#include "cli/deploy_fetch.h"
#include "cli/deploy_report.h"
#include "cli/handlers.h"
#include "src/deploy_fault.h"

enum { HEALTH_RETRIES = 5, HEALTH_INTERVAL_S = 2, TIMEOUT_S = 60, KEEP = 3, SECONDS_MAX = 86400 };

/* ---- options --------------------------------------------------------------------------------- */

static struct deploy_settings default_settings(struct cli *cli)
{
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1); /* "" does as well */
	return (struct deploy_settings){
		.target = arena_cstr(cli->arena, slice_from_cstr(host)),
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

static bool check_usage(struct cli *cli, const char **path_out, struct error *err)
{
	bool is_rollback = cli_flag(cli, "rollback"), is_status = cli_flag(cli, "status");
	const char *path = cli_option(cli, "to", NULL);
	if (path == NULL || path[0] == '\0')
		return cli_fail_usage(cli, err, "--to names the directory of the deployment");
	if (is_rollback && is_status)
		return cli_fail_usage(cli, err, "it is either --rollback or --status");
	if ((is_rollback || is_status) && cli_word(cli, 0) != NULL)
		return cli_fail_usage(cli, err, "--rollback and --status take no version");
	if (!is_rollback && !is_status && cli_word(cli, 0) == NULL)
		return cli_fail_usage(cli, err, "name a version: MODEL@ALIAS or MODEL/VERSION");
	*path_out = path;
	return true;
}

/* ---- the directory --------------------------------------------------------------------------- */

/* Ours alone, and no deployment in the midst of it. */
static bool enter(struct deployment *d, const char *path, bool is_made, struct deploy_report *r,
		  struct error *err)
{
	deploy_directory_close(&d->directory);
	if (!deploy_directory_open(path, is_made, &d->directory, err) ||
	    !deploy_directory_lock(&d->directory, err) ||
	    !deploy_state_load(&d->directory, d->cli->arena, &d->state, err) ||
	    !deploy_settle(d, &r->note_or_null, err))
		return false;
	if (r->note_or_null != NULL)
		cli_say(d->cli, "%s: %s", path, r->note_or_null);
	return true;
}

/* Which versions go when `current` and `previous` are these: the oldest beyond `keep`. */
static bool choose_removed(const struct deployment *d, const char *current, const char *previous,
			   struct deploy_report *r, struct error *err)
{
	const struct deploy_state *s = &d->state;
	int64_t keep;
	if (!cli_number(d->cli, "keep", 1, KEEP, &keep, err))
		return false;
	const char **names = ARENA_NEW(d->cli->arena, const char *, s->version_count + 1);
	r->removed = names;
	r->removed_count = 0;
	for (size_t i = 0; i < s->version_count; i++) {
		const char *name = s->versions[i].name;
		if ((int64_t)(s->version_count - r->removed_count) > keep &&
		    strcmp(name, current) != 0 && strcmp(name, previous) != 0)
			names[r->removed_count++] = name;
	}
	return true;
}

/* The new version works: what cannot be removed is told, and no failure. */
static void prune(struct deployment *d, struct deploy_report *r)
{
	struct error err;
	const char **removed = ARENA_NEW(d->cli->arena, const char *, r->removed_count + 1);
	size_t count = 0;
	for (size_t i = 0; i < r->removed_count; i++) {
		if (deploy_directory_remove(&d->directory, r->removed[i], &err)) {
			deploy_state_drop(&d->state, r->removed[i]);
			removed[count++] = r->removed[i];
		} else {
			cli_say(d->cli, "%s", err.message);
		}
	}
	DEPLOY_FAULT("pruned");
	if (count > 0 && !deploy_state_save(&d->directory, &d->state, &err))
		cli_say(d->cli, "%s", err.message);
	r->removed = removed;
	r->removed_count = count;
}

/* Exchanges, tidies up, and tells. */
static bool activate(struct deployment *d, const char *cause, struct deploy_report *r,
		     struct error *err)
{
	const char *name = r->version->name, *current;
	if (!deploy_activate(d, name, cause, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r->previous, err) ||
	    !choose_removed(d, current, r->previous, r, err))
		return false;
	prune(d, r);
	r->result = d->state.result;
	r->version = deploy_state_find(&d->state, name);
	return deploy_report_result(d, r, err);
}

/* ---- deploy ---------------------------------------------------------------------------------- */

/* Is the version in use, under its own name, with the right bytes? */
static bool is_in_place(const struct deployment *d, const struct deploy_source *source,
			const char *current)
{
	const struct deploy_version *v = deploy_state_find(&d->state, source->version.name);
	return v != NULL && strcmp(current, v->name) == 0 && !cli_flag(d->cli, "force") &&
	       strcmp(v->model, source->version.model) == 0 &&
	       deploy_directory_holds(&d->directory, current, source->version.tree_sha256,
				      &cli_stop);
}

static bool deploy_version(struct deployment *d, const char *path, struct error *err)
{
	struct deploy_report r = {.result = "unchanged"};
	struct deploy_settings settings = default_settings(d->cli);
	struct deploy_source source;
	const char *current;
	int64_t keep;
	if (!read_settings(d->cli, &settings, err) ||
	    !cli_number(d->cli, "keep", 1, KEEP, &keep, err))
		return false;
	bool is_there = enter(d, path, false, &r, err);
	if (!is_there && err->code != ERR_NOT_FOUND)
		return false;
	/* A directory is made only for what there is. */
	if (!deploy_source_resolve(d->cli, cli_word(d->cli, 0), &source, err) ||
	    (!is_there && !enter(d, path, true, &r, err)) ||
	    !deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r.previous, err))
		return false;
	r.version = &source.version;
	if (is_in_place(d, &source, current)) {
		deploy_directory_sweep(&d->directory, "");
		if (!choose_removed(d, current, r.previous, &r, err))
			return false;
		prune(d, &r);
		return deploy_report_result(d, &r, err);
	}
	if (!deploy_fetch(d, &source, &r.is_fetched, err))
		return error_prefix(err, "nothing was deployed");
	d->state.settings = settings;
	return activate(d, "deploy", &r, err);
}

static bool plan(struct deployment *d, const char *path, struct error *err)
{
	struct deploy_report r = {.previous = ""};
	struct deploy_settings settings = default_settings(d->cli);
	struct deploy_source source;
	const char *current = "";
	if (!read_settings(d->cli, &settings, err))
		return false;
	if (deploy_directory_open(path, false, &d->directory, err)) {
		if (!deploy_state_load(&d->directory, d->cli->arena, &d->state, err) ||
		    !deploy_link(&d->directory, d->cli->arena, "current", &current, err))
			return false;
	} else if (err->code != ERR_NOT_FOUND) {
		return false;
	}
	if (!deploy_source_resolve(d->cli, cli_word(d->cli, 0), &source, err))
		return false;
	if (d->directory.fd < 0)
		(void)snprintf(d->directory.path, sizeof(d->directory.path), "%s", path);
	r.version = &source.version;
	r.is_fetched = !deploy_directory_holds(&d->directory, source.version.name,
					       source.version.tree_sha256, &cli_stop);
	if (is_in_place(d, &source, current)) {
		r.result = "unchanged";
	} else {
		r.result = "active";
		r.previous = current;
		deploy_state_put(&d->state, &source.version);
		if (!choose_removed(d, source.version.name, current, &r, err))
			return false;
	}
	d->state.settings = settings;
	return deploy_report_plan(d, &r, current, err);
}

/* ---- back ------------------------------------------------------------------------------------ */

static bool roll_back(struct deployment *d, const char *path, struct error *err)
{
	struct deploy_report r = {0};
	const char *current;
	bool is_plan = cli_flag(d->cli, "dry-run");
	if (is_plan ? !deploy_directory_open(path, false, &d->directory, err) ||
			      !deploy_state_load(&d->directory, d->cli->arena, &d->state, err)
		    : !enter(d, path, false, &r, err))
		return false;
	if (!deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r.previous, err) ||
	    !read_settings(d->cli, &d->state.settings, err))
		return false;
	r.version = deploy_state_find(&d->state, r.previous);
	if (r.version == NULL)
		return error_set(err, ERR_INVALID_STATE, "%s: there is no version to go back to",
				 path);
	if (!deploy_directory_holds(&d->directory, r.previous, r.version->tree_sha256, &cli_stop))
		return error_set(err, ERR_DATA_LOSS,
				 "%s has changed since it was deployed; nothing was done",
				 deploy_version_path(&d->directory, d->cli->arena, r.previous));
	if (!is_plan)
		return activate(d, "rollback", &r, err);
	r.result = "rolled back";
	r.previous = current;
	return choose_removed(d, r.version->name, current, &r, err) &&
	       deploy_report_plan(d, &r, current, err);
}

static bool show_status(struct deployment *d, const char *path, struct error *err)
{
	return deploy_directory_open(path, false, &d->directory, err) &&
	       deploy_state_load(&d->directory, d->cli->arena, &d->state, err) &&
	       deploy_report_status(d, err);
}

bool deploy(struct cli *cli, struct error *err)
{
	struct deployment d = {.cli = cli, .state = {.arena = cli->arena}};
	const char *path = "";
	deploy_directory_init(&d.directory);
	if (!check_usage(cli, &path, err))
		return false;
	bool ok = cli_flag(cli, "status")     ? show_status(&d, path, err)
		  : cli_flag(cli, "rollback") ? roll_back(&d, path, err)
		  : cli_flag(cli, "dry-run")  ? plan(&d, path, err)
					      : deploy_version(&d, path, err);
	deploy_directory_close(&d.directory);
	return ok;
}
