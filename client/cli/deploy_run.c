/* Owns the order of a deployment's steps. */
#include "cli/deploy_run.h"

#include "cli/deploy_tell.h"
#include "src/deploy_fault.h"

bool deploy_enter(struct deployment *d, const char *path, bool is_made, struct deploy_report *r,
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

bool deploy_is_in_place(const struct deployment *d, const struct deploy_source *source,
			const char *current)
{
	const struct deploy_version *v = deploy_state_find(&d->state, source->version.name);
	return v != NULL && strcmp(current, v->name) == 0 && !cli_flag(d->cli, "force") &&
	       strcmp(v->model, source->version.model) == 0 &&
	       deploy_directory_holds(&d->directory, current, source->version.tree_sha256,
				      &d->cli->fetcher.stop);
}

void deploy_choose_removed(const struct deployment *d, const char *current, const char *previous,
			   int64_t keep, struct deploy_report *r)
{
	const struct deploy_state *s = &d->state;
	const char **names = ARENA_NEW(d->cli->arena, const char *, s->version_count + 1);
	r->removed = names;
	r->removed_count = 0;
	for (size_t i = 0; i < s->version_count; i++) {
		const char *name = s->versions[i].name;
		if ((int64_t)(s->version_count - r->removed_count) > keep &&
		    strcmp(name, current) != 0 && strcmp(name, previous) != 0)
			names[r->removed_count++] = name;
	}
}

/* The new version works: what cannot be removed is told, and no failure. */
static void prune(struct deployment *d, const char *current, int64_t keep, struct deploy_report *r)
{
	struct error err;
	deploy_choose_removed(d, current, r->previous, keep, r);
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

static bool switch_over(struct deployment *d, const char *cause, int64_t keep,
			struct deploy_report *r, struct error *err)
{
	const char *name = r->version->name, *current;
	r->is_tried = true;
	if (!deploy_activate(d, name, cause, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r->previous, err))
		return false;
	prune(d, current, keep, r);
	r->result = d->state.result;
	r->version = deploy_state_find(&d->state, name);
	return true;
}

static bool fetch_and_switch(struct deployment *d, const struct deploy_source *source,
			     const struct deploy_settings *settings, int64_t keep,
			     struct deploy_report *r, struct error *err)
{
	if (!deploy_fetch(d, source, &r->is_fetched, err))
		return error_prefix(err, "nothing was deployed");
	d->state.settings = *settings;
	return switch_over(d, "deploy", keep, r, err);
}

/* The name at the daemon is this directory's for good. */
static bool save_id(struct deployment *d, struct error *err)
{
	return d->reporter_or_null == NULL || deploy_state_save(&d->directory, &d->state, err);
}

static bool keep_in_place(struct deployment *d, const char *current, int64_t keep,
			  struct deploy_report *r, struct error *err)
{
	r->result = "unchanged";
	deploy_directory_sweep(&d->directory, "");
	prune(d, current, keep, r);
	if (!save_id(d, err))
		return false;
	deploy_tell(d, "active", "");
	return true;
}

bool deploy_bring(struct deployment *d, const struct deploy_source *source,
		  const struct deploy_settings *settings, int64_t keep, struct deploy_report *r,
		  struct error *err)
{
	const char *current;
	r->version = &source->version;
	d->told = *settings;
	if (!deploy_link(&d->directory, d->cli->arena, "current", &current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &r->previous, err))
		return false;
	if (deploy_is_in_place(d, source, current))
		return keep_in_place(d, current, keep, r, err);
	if (!save_id(d, err))
		return false;
	deploy_tell_begun(d, &source->version, current);
	bool ok = fetch_and_switch(d, source, settings, keep, r, err);
	deploy_tell(d, ok ? "active" : "failed", ok ? "" : err->message);
	return ok;
}

bool deploy_use_previous(struct deployment *d, int64_t keep, struct deploy_report *r,
			 struct error *err)
{
	d->told = d->state.settings;
	if (!save_id(d, err))
		return false;
	bool ok = switch_over(d, "rollback", keep, r, err);
	deploy_tell(d, ok ? "rolled_back" : "failed", ok ? "" : err->message);
	return ok;
}
