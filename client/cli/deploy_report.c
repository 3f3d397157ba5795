/* Owns what "trk deploy" prints. */
#include "cli/deploy_report.h"

#include <stdio.h>

#include "cli/format.h"

static void put_version(struct json_writer *w, const struct deploy_version *version)
{
	json_put_cstr(w, "directory", version->name);
	json_put_cstr(w, "model", version->model);
	json_put_cstr(w, "version", version->version);
	json_put_cstr(w, "tree_sha256", version->tree_sha256);
	json_put_int(w, "file_count", version->file_count);
	json_put_int(w, "byte_count", version->byte_count);
}

void deploy_report_put(struct json_writer *w, const struct deployment *d,
		       const struct deploy_report *r)
{
	json_put_cstr(w, "result", r->result);
	put_version(w, r->version);
	json_put_cstr(w, "path",
		      deploy_version_path(&d->directory, d->cli->arena, r->version->name));
	json_put_cstr(w, "previous", r->previous);
	json_put_cstr(w, "target", d->state.settings.target);
	json_put_cstr(w, "environment", d->state.settings.environment);
	json_put_bool(w, "fetched", r->is_fetched);
	json_put_cstr(w, "settled", r->note_or_null);
	json_key(w, "removed");
	json_array_begin(w);
	for (size_t i = 0; i < r->removed_count; i++)
		json_string(w, slice_from_cstr(r->removed[i]));
	json_array_end(w);
}

bool deploy_report_result(const struct deployment *d, const struct deploy_report *r,
			  struct error *err)
{
	struct cli *cli = d->cli;
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		deploy_report_put(w, d, r);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	cli_print_line(cli, slice_from_cstr(deploy_version_path(&d->directory, d->cli->arena,
								r->version->name)));
	cli_say(cli, "%s version %s: %s, %.*s, %.*s, every SHA-256 verified%s", r->version->model,
		r->version->version, r->result,
		SLICE_FMT(format_count(cli->arena, r->version->file_count, "file")),
		SLICE_FMT(format_bytes(cli->arena, r->version->byte_count)),
		r->is_fetched ? "" : " (it was here already)");
	for (size_t i = 0; i < r->removed_count; i++)
		cli_say(cli, "Removed: %s", r->removed[i]);
	return true;
}

static void print_plan(const struct deployment *d, const struct deploy_report *r, const char *from)
{
	struct cli *cli = d->cli;
	const struct deploy_settings *s = &d->state.settings;
	struct arena *arena = cli->arena;
	if (d->state.phase != DEPLOY_IDLE)
		cli_print_line(cli, SLICE("would first settle an interrupted deployment"));
	if (r->is_fetched)
		cli_print_line(
			cli,
			arena_printf(arena, "would fetch %.*s, %.*s",
				     SLICE_FMT(format_count(arena, r->version->file_count, "file")),
				     SLICE_FMT(format_bytes(arena, r->version->byte_count))));
	if (strcmp(r->result, "unchanged") == 0) {
		cli_print_line(cli, arena_printf(arena, "%s is in place already", from));
		return;
	}
	cli_print_line(cli, arena_printf(arena, "would put %s in place of %s", r->version->name,
					 from[0] == '\0' ? "nothing" : from));
	if (s->hook[0] != '\0')
		cli_print_line(cli, arena_printf(arena, "would run the hook: %s", s->hook));
	if (s->health[0] != '\0')
		cli_print_line(cli, arena_printf(arena, "would check with: %s", s->health));
	for (size_t i = 0; i < r->removed_count; i++)
		cli_print_line(cli, arena_printf(arena, "would remove %s", r->removed[i]));
}

bool deploy_report_plan(const struct deployment *d, const struct deploy_report *r, const char *from,
			struct error *err)
{
	if (!d->cli->json) {
		print_plan(d, r, from);
		return true;
	}
	struct json_writer *w = cli_begin_json(d->cli);
	json_object_begin(w);
	json_put_bool(w, "dry_run", true);
	json_put_bool(w, "interrupted", d->state.phase != DEPLOY_IDLE);
	json_put_cstr(w, "from", from);
	deploy_report_put(w, d, r);
	json_object_end(w);
	return cli_print_json(d->cli, err);
}

/* ---- status ---------------------------------------------------------------------------------- */

struct status {
	const char *current, *previous;
	char holder[DEPLOY_HOLDER_BYTES]; /* "" for none */
	bool is_interrupted;
};

static bool status_json(const struct deployment *d, const struct status *status, struct error *err)
{
	const struct deploy_state *s = &d->state;
	struct json_writer *w = cli_begin_json(d->cli);
	json_object_begin(w);
	json_put_cstr(w, "current", status->current);
	json_put_cstr(w, "previous", status->previous);
	json_put_cstr(w, "path",
		      deploy_version_path(&d->directory, d->cli->arena, status->current));
	json_put_cstr(w, "busy", status->holder[0] != '\0' ? status->holder : NULL);
	json_put_bool(w, "interrupted", status->is_interrupted);
	json_put_cstr(w, "result", s->result);
	json_put_cstr(w, "reason", s->reason);
	json_put_int(w, "changed_ms", s->changed_ms);
	json_put_cstr(w, "target", s->settings.target);
	json_put_cstr(w, "environment", s->settings.environment);
	json_key(w, "versions");
	json_array_begin(w);
	for (size_t i = 0; i < s->version_count; i++) {
		json_object_begin(w);
		put_version(w, &s->versions[i]);
		json_put_int(w, "deployed_ms", s->versions[i].deployed_ms);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(d->cli, err);
}

static void print_link(const struct deployment *d, const char *title, const char *name)
{
	struct cli *cli = d->cli;
	const struct deploy_version *v = deploy_state_find(&d->state, name);
	if (v == NULL) {
		cli_print_line(cli, arena_printf(cli->arena, "%-9s %s", title,
						 name[0] == '\0' ? "none" : name));
		return;
	}
	cli_print_line(cli, arena_printf(cli->arena, "%-9s %s version %s, since %.*s: %s", title,
					 v->model, v->version,
					 SLICE_FMT(format_time(cli->arena, v->deployed_ms)),
					 deploy_version_path(&d->directory, d->cli->arena, name)));
}

static void print_status(const struct deployment *d, const struct status *status)
{
	struct cli *cli = d->cli;
	const struct deploy_state *s = &d->state;
	print_link(d, "current", status->current);
	print_link(d, "previous", status->previous);
	if (status->holder[0] != '\0')
		cli_print_line(cli, arena_printf(cli->arena, "%-9s %s", "busy", status->holder));
	if (status->is_interrupted)
		cli_print_line(cli,
			       arena_printf(cli->arena,
					    "%-9s a deployment of %s was interrupted; the next "
					    "one finishes or undoes it",
					    "pending", s->to));
	else if (s->result[0] != '\0')
		cli_print_line(cli,
			       arena_printf(cli->arena, "%-9s %s%s%s, %.*s", "last", s->result,
					    s->reason[0] != '\0' ? ": " : "", s->reason,
					    SLICE_FMT(format_time(cli->arena, s->changed_ms))));
}

bool deploy_report_status(const struct deployment *d, struct error *err)
{
	struct status status = {.holder = ""};
	bool is_held = deploy_directory_is_held(&d->directory, status.holder);
	status.is_interrupted = d->state.phase != DEPLOY_IDLE && !is_held;
	if (!deploy_link(&d->directory, d->cli->arena, "current", &status.current, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &status.previous, err))
		return false;
	if (d->cli->json)
		return status_json(d, &status, err);
	print_status(d, &status);
	return true;
}
