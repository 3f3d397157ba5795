/* Owns "trk promote" and "trk models rollback": moves of aliases that the server decides. */
#include <stdio.h>

#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/model_ref.h"
#include "cli/terminal.h"

/* ---- promote --------------------------------------------------------------------------------- */

struct promotion {
	const char *model, *version, *alias;
	const char *reason_or_null;
	bool is_forced;
};

static void print_check(struct cli *cli, const struct json_value *check)
{
	enum terminal_style style = STYLE_RED;
	const char *sign = "✗";
	struct slice text = json_text(check, "text");
	if (json_text(check, "unheld_alias").len > 0) {
		style = STYLE_YELLOW;
		sign = "○";
		text = arena_concat(cli->arena, SLICE("not compared: "), text);
	} else if (json_tree_bool(json_tree_get(check, "ok"), false)) {
		style = STYLE_GREEN;
		sign = "✓";
	}
	(void)printf("%s%s%s ", terminal_style(stdout, style), sign,
		     terminal_style(stdout, STYLE_PLAIN));
	terminal_print_wrapped(stdout, cli->arena, 2, text);
}

static void print_checks(struct cli *cli, const struct json_value *reply)
{
	const struct json_value *check = json_items(json_tree_get(reply, "checks"));
	for (; check != NULL; check = check->next_sibling_or_null)
		print_check(cli, check);
}

/* What was found out, for people or as JSON. */
static bool print_outcome(struct cli *cli, const struct json_value *reply, struct error *err)
{
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	if (!cli->quiet)
		print_checks(cli, reply);
	return true;
}

static bool error_refused(const struct promotion *p, const struct json_value *reply,
			  struct error *err)
{
	size_t failed = 0, count = 0;
	const struct json_value *check = json_items(json_tree_get(reply, "checks"));
	for (; check != NULL; check = check->next_sibling_or_null, count++)
		failed += !json_tree_bool(json_tree_get(check, "ok"), false);
	return error_set(err, ERR_REQUIREMENTS_NOT_MET,
			 "version %s of \"%s\" fails %zu of %zu requirements of %s; --force "
			 "promotes it anyway, and is recorded",
			 p->version, p->model, failed, count, p->alias);
}

static bool dry_run(struct cli *cli, const struct promotion *p, struct error *err)
{
	struct json_value *reply;
	if (!cli_get(cli, &reply, err, "/api/trackerd/v1/models/%s/check?version=%s&alias=%s",
		     cli_encode(cli, slice_from_cstr(p->model)),
		     cli_encode(cli, slice_from_cstr(p->version)),
		     cli_encode(cli, slice_from_cstr(p->alias))) ||
	    !print_outcome(cli, reply, err))
		return false;
	if (!json_tree_bool(json_tree_get(reply, "ok"), false) && !p->is_forced)
		return error_refused(p, reply, err);
	cli_say(cli, "%s@%s would become version %s.", p->model, p->alias, p->version);
	return true;
}

static bool send_promotion(struct cli *cli, const struct promotion *p, struct json_value **reply,
			   struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "version", p->version);
	json_put_cstr(w, "alias", p->alias);
	json_put_cstr(w, "reason", p->reason_or_null);
	json_put_bool(w, "force", p->is_forced);
	json_object_end(w);
	struct slice path = arena_printf(cli->arena, "/api/trackerd/v1/models/%s/promote",
					 cli_encode(cli, slice_from_cstr(p->model)));
	return cli_send(cli, "POST", arena_cstr(cli->arena, path), reply, err);
}

static void say_promoted(const struct cli *cli, const struct promotion *p,
			 const struct json_value *reply)
{
	struct slice previous = json_text(reply, "previous_version");
	bool is_forced = json_tree_bool(json_tree_get(reply, "forced"), false);
	const char *by_force = is_forced ? ", by force" : "";
	if (slice_eq_cstr(previous, p->version))
		cli_say(cli, "%s@%s was version %s already.", p->model, p->alias, p->version);
	else if (previous.len > 0)
		cli_say(cli, "%s@%s is version %s now%s; it was %.*s.", p->model, p->alias,
			p->version, by_force, SLICE_FMT(previous));
	else
		cli_say(cli, "%s@%s is version %s now%s.", p->model, p->alias, p->version,
			by_force);
}

bool promote(struct cli *cli, struct error *err)
{
	struct json_value *reply = NULL;
	const struct promotion p = {.model = cli_word(cli, 0),
				    .version = cli_word(cli, 1),
				    .alias = cli_option(cli, "to", NULL),
				    .reason_or_null = cli_option(cli, "reason", NULL),
				    .is_forced = cli_flag(cli, "force")};
	if (p.alias == NULL || p.alias[0] == '\0')
		return cli_fail_usage(cli, err, "--to names the alias that is to move");
	if (cli_flag(cli, "dry-run"))
		return dry_run(cli, &p, err);
	if (p.reason_or_null == NULL || p.reason_or_null[0] == '\0')
		return cli_fail_usage(cli, err, "--reason says why; it is kept in the history");
	if (send_promotion(cli, &p, &reply, err)) {
		say_promoted(cli, &p, reply);
		return print_outcome(cli, reply, err);
	}
	struct error ignored;
	if (err->code == ERR_REQUIREMENTS_NOT_MET && reply != NULL)
		return print_outcome(cli, reply, &ignored) && error_refused(&p, reply, err);
	return false;
}

/* ---- rollback -------------------------------------------------------------------------------- */

static bool send_rollback(struct cli *cli, struct slice name, struct slice alias,
			  struct json_value **reply, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "alias", alias);
	json_put_cstr(w, "version", cli_option(cli, "to", NULL));
	json_put_cstr(w, "reason", cli_option(cli, "reason", NULL));
	json_object_end(w);
	struct slice path = arena_printf(cli->arena, "/api/trackerd/v1/models/%s/rollback",
					 cli_encode(cli, name));
	return cli_send(cli, "POST", arena_cstr(cli->arena, path), reply, err);
}

bool models_rollback(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct slice name, alias;
	if (!model_ref_split_alias(cli, cli_word(cli, 0), &name, &alias, err) ||
	    !send_rollback(cli, name, alias, &reply, err))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	struct slice version = json_text(reply, "version");
	struct slice previous = json_text(reply, "previous_version");
	if (cli->quiet) {
		cli_print_line(cli, version);
		return true;
	}
	struct slice line = arena_printf(
		cli->arena, "%.*s@%.*s: %s%.*s → %.*s, which held it from %.*s until %.*s",
		SLICE_FMT(name), SLICE_FMT(alias), previous.len > 0 ? "version " : "nobody",
		SLICE_FMT(previous), SLICE_FMT(version),
		SLICE_FMT(format_time(cli->arena,
				      json_tree_i64(json_tree_get(reply, "held_since_ms"), 0))),
		SLICE_FMT(format_time(cli->arena,
				      json_tree_i64(json_tree_get(reply, "held_until_ms"), 0))));
	terminal_print_wrapped(stdout, cli->arena, 0, line);
	return true;
}
