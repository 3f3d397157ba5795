/* Owns "trk models history", "show --at", "verify" and "restore": what the registry remembers. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/event_text.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/model_history.h"
#include "cli/progress.h"
#include "cli/server_pages.h"
#include "cli/table.h"
#include "cli/time_text.h"

/* The time that an option names; `otherwise` when it was not given. */
static bool time_option(struct cli *cli, const char *name, int64_t otherwise, int64_t *out,
			struct error *err)
{
	const char *text = cli_option(cli, name, NULL);
	*out = otherwise;
	if (text == NULL ||
	    time_text_parse(slice_from_cstr(text), clock_wall_ms(clock_system()), out))
		return true;
	return cli_fail_usage(cli, err, "--%s \"%s\" is no time; give one as " TIME_TEXT_HELP, name,
			      text);
}

/* ---- history ------------------------------------------------------------------------------------ */

enum { EVENTS_DEFAULT = 50 };

static bool begin_history(struct cli *cli, struct server_pages *pages, int64_t max,
			  struct error *err)
{
	struct api *api;
	int64_t since_ms, until_ms;
	if (!time_option(cli, "since", 0, &since_ms, err) ||
	    !time_option(cli, "until", INT64_MAX, &until_ms, err) || !cli_api(cli, &api, err))
		return false;
	server_pages_init(pages, api, "events");
	server_pages_get(
		pages,
		arena_printf(cli->arena,
			     "/api/trackerd/v1/models/%s/history?max_results=%d&since_ms=%lld"
			     "&until_ms=%lld%s",
			     cli_encode(cli, slice_from_cstr(cli_word(cli, 0))),
			     max < 1000 ? (int)max : 1000, (long long)since_ms, (long long)until_ms,
			     cli_flag(cli, "all") ? "&all=true" : ""));
	return true;
}

static void begin_table(struct table *table, struct arena *arena)
{
	table_init(table, arena);
	table_column(table, SLICE("EVENT"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(table, SLICE("TIME"), TABLE_WHOLE);
	table_column(table, SLICE("WHO"), 0);
	table_column(table, SLICE("WHAT"), TABLE_LAST);
	table_column(table, SLICE("WHY"), TABLE_OPTIONAL);
}

static void add_event(struct cli *cli, struct table *table, const struct json_value *event)
{
	table_cell(table, arena_copy(cli->arena, json_text(event, "seq")));
	table_cell(table,
		   format_time(cli->arena, json_tree_i64(json_tree_get(event, "time_ms"), 0)));
	table_cell(table, arena_copy(cli->arena, json_text(event, "actor")));
	table_styled_cell(table, arena_copy(cli->arena, event_text_model(cli->arena, event)),
			  STYLE_BOLD);
	struct slice reason = json_text(event, "reason");
	table_cell(table,
		   arena_copy(cli->arena, reason.len > 0 ? reason : json_text(event, "cause")));
}

static bool gather_events(struct cli *cli, struct server_pages *pages, int64_t max,
			  struct table *table, struct error *err)
{
	const struct json_value *event;
	for (int64_t i = 0; i < max; i++) {
		if (!server_pages_next(pages, &event, err))
			return false;
		if (event == NULL)
			break;
		if (cli->json)
			json_raw(&cli->w, event->text);
		else if (cli->quiet)
			cli_print_line(cli, json_text(event, "seq"));
		else
			add_event(cli, table, event);
	}
	return true;
}

bool models_history(struct cli *cli, struct error *err)
{
	struct server_pages pages;
	struct table table;
	int64_t max = 0;
	if (!cli_number(cli, "max", 1, EVENTS_DEFAULT, &max, err) ||
	    !begin_history(cli, &pages, max, err))
		return false;
	begin_table(&table, cli->arena);
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "events");
	json_array_begin(w);
	bool ok = gather_events(cli, &pages, max, &table, err);
	server_pages_deinit(&pages);
	json_array_end(w);
	json_object_end(w);
	if (!ok)
		return false;
	if (cli->json)
		return cli_print_json(cli, err);
	if (!cli->quiet && table.cell_count == 0)
		cli_say(cli, "No events.");
	(void)table_print(&table, stdout, 0); /* --json has all */
	return true;
}

/* ---- a model as it was -------------------------------------------------------------------------- */

struct slice model_stage_shown(struct slice stage)
{
	return slice_eq(stage, SLICE("None")) ? SLICE("") : stage;
}

/* The items of a list, the last one first. */
static const struct json_value **reversed(struct arena *arena, const struct json_value *list,
					  size_t *count)
{
	const struct json_value *item = json_items(list);
	*count = 0;
	for (; item != NULL; item = item->next_sibling_or_null)
		(*count)++;
	const struct json_value **items = ARENA_NEW(arena, const struct json_value *, *count + 1);
	size_t at = *count;
	for (item = json_items(list); item != NULL; item = item->next_sibling_or_null)
		items[--at] = item;
	return items;
}

static void print_state(struct cli *cli, const struct json_value *reply)
{
	const struct json_value *model = json_tree_get(reply, "model");
	size_t count;
	const struct json_value **versions =
		reversed(cli->arena, json_tree_get(reply, "versions"), &count);
	struct table table;
	for (size_t i = 0; cli->quiet && i < count; i++)
		cli_print_line(cli, json_text(versions[i], "version"));
	if (cli->quiet)
		return;
	terminal_print(stdout, cli->arena, STYLE_BOLD, json_text(model, "name"));
	(void)printf(" at %.*s, after event %.*s\n",
		     SLICE_FMT(format_time(cli->arena,
					   json_tree_i64(json_tree_get(reply, "time_ms"), 0))),
		     SLICE_FMT(json_text(reply, "seq")));
	if (json_text(model, "description").len > 0)
		cli_print_line(cli, json_text(model, "description"));
	(void)putchar('\n');
	table_init(&table, cli->arena);
	table_column(&table, SLICE("VERSION"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("ALIASES"), 0);
	table_column(&table, SLICE("STAGE"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("RUN"), TABLE_ID);
	table_column(&table, SLICE("DESCRIPTION"), TABLE_OPTIONAL);
	for (size_t i = 0; i < count; i++) {
		const struct json_value *v = versions[i];
		table_cell(&table, json_text(v, "version"));
		table_styled_cell(&table, event_text_list(cli->arena, json_tree_get(v, "aliases")),
				  STYLE_CYAN);
		table_cell(&table, model_stage_shown(json_text(v, "stage")));
		table_styled_cell(&table, json_text(v, "run_id"), STYLE_CYAN);
		table_cell(&table, json_text(v, "description"));
	}
	(void)table_print(&table, stdout, 0); /* --json has all */
}

bool model_history_show_at(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	int64_t time_ms;
	if (!time_option(cli, "at", 0, &time_ms, err))
		return false;
	if (time_ms > clock_wall_ms(clock_system()))
		return cli_fail_usage(cli, err, "--at \"%s\" is yet to come",
				      cli_option(cli, "at", ""));
	if (!cli_get(cli, &reply, err, "/api/trackerd/v1/models/%s/at?time_ms=%lld",
		     cli_encode(cli, slice_from_cstr(cli_word(cli, 0))), (long long)time_ms))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	print_state(cli, reply);
	return true;
}

/* ---- verify ------------------------------------------------------------------------------------- */

enum { VERIFY_PAGE = 1000 };

struct verification {
	struct cli *cli;
	struct progress progress;
	int64_t event_count, model_count, problem_count;
	const char *expected_or_null;
	struct slice head_seq, head_sha256;
	struct slice expected_seq; /* "0": not found */
	struct buffer problems;	   /* lines, or items of a JSON list */
};

static void take_problems(struct verification *v, const struct json_value *reply)
{
	const struct json_value *problem = json_items(json_tree_get(reply, "problems"));
	for (; problem != NULL; problem = problem->next_sibling_or_null) {
		v->problem_count++;
		if (v->cli->json && v->problem_count > 1)
			buffer_append_cstr(&v->problems, ",");
		buffer_append(&v->problems,
			      v->cli->json ? problem->text : json_text(problem, "problem"));
		if (!v->cli->json)
			buffer_append_cstr(&v->problems, "\n");
	}
}

static bool verify_chain(struct verification *v, struct error *err)
{
	struct cli *cli = v->cli;
	struct slice seq = SLICE("0"), sha256 = SLICE("");
	int64_t checked = VERIFY_PAGE;
	const char *expected = v->expected_or_null;
	while (checked == VERIFY_PAGE) {
		struct json_value *reply;
		if (!cli_get(cli, &reply, err,
			     "/api/trackerd/v1/registry/verify?max_results=%d&after_seq=%.*s"
			     "&after_sha256=%.*s%s%s",
			     VERIFY_PAGE, SLICE_FMT(seq), SLICE_FMT(sha256),
			     expected != NULL ? "&expect_sha256=" : "",
			     expected != NULL ? cli_encode(cli, slice_from_cstr(expected)) : ""))
			return false;
		seq = json_text(reply, "last_seq");
		sha256 = json_text(reply, "last_sha256");
		checked = json_tree_i64(json_tree_get(reply, "checked"), 0);
		v->event_count += checked;
		v->head_seq = json_text(reply, "head_seq");
		v->head_sha256 = json_text(reply, "head_sha256");
		if (!slice_eq(json_text(reply, "expected_seq"), SLICE("0")))
			v->expected_seq = json_text(reply, "expected_seq");
		take_problems(v, reply);
		progress_add(&v->progress, checked);
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
	}
	return true;
}

static bool verify_models(struct verification *v, struct error *err)
{
	struct slice token = SLICE("");
	do {
		struct json_value *reply;
		if (!cli_get(v->cli, &reply, err,
			     "/api/trackerd/v1/registry/verify?models=true&page_token=%.*s",
			     SLICE_FMT(token)))
			return false;
		token = json_text(reply, "next_page_token");
		v->model_count += json_tree_i64(json_tree_get(reply, "checked"), 0);
		take_problems(v, reply);
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
	} while (token.len > 0);
	return true;
}

static bool print_verification(struct verification *v, bool is_whole, struct error *err)
{
	struct cli *cli = v->cli;
	if (!cli->json) {
		struct slice rest = buffer_slice(&v->problems), line;
		while (slice_next(&rest, '\n', &line)) {
			if (line.len > 0)
				cli_print_line(cli, line);
		}
		if (is_whole)
			(void)printf("%.*s %.*s\n", SLICE_FMT(v->head_seq),
				     SLICE_FMT(v->head_sha256));
		return true;
	}
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_bool(w, "ok", is_whole);
	json_put_int(w, "events", v->event_count);
	json_put_int(w, "models", v->model_count);
	json_put_string(w, "head_seq", v->head_seq);
	json_put_string(w, "head_sha256", v->head_sha256);
	json_put_string(w, "expected_seq", v->expected_seq);
	json_key(w, "problems");
	json_raw(w, arena_printf(cli->arena, "[%.*s]", SLICE_FMT(buffer_slice(&v->problems))));
	json_object_end(w);
	return cli_print_json(cli, err);
}

static bool judge(struct verification *v, struct error *err)
{
	bool is_known = v->expected_or_null == NULL || !slice_eq(v->expected_seq, SLICE("0"));
	if (!print_verification(v, v->problem_count == 0 && is_known, err))
		return false;
	struct slice problems = format_count(v->cli->arena, v->problem_count, "problem");
	if (v->problem_count > 0)
		return error_set(err, ERR_DATA_LOSS,
				 "the registry was changed behind the server's back: %.*s",
				 SLICE_FMT(problems));
	if (!is_known)
		return error_set(err, ERR_DATA_LOSS,
				 "the chain is whole, but no event has the digest %.64s: the "
				 "history was made anew after that was noted",
				 v->expected_or_null);
	struct slice events = format_count(v->cli->arena, v->event_count, "event");
	struct slice models = format_count(v->cli->arena, v->model_count, "model");
	cli_say(v->cli, "The history is whole: %.*s, %.*s. Note number and digest.",
		SLICE_FMT(events), SLICE_FMT(models));
	return true;
}

bool models_verify(struct cli *cli, struct error *err)
{
	struct verification v = {.cli = cli,
				 .expected_or_null = cli_option(cli, "expect", NULL),
				 .expected_seq = SLICE("0")};
	buffer_init_in_arena(&v.problems, cli->arena, 64 * 1024 * 1024);
	progress_begin(&v.progress, cli, "Verifying", 0);
	v.progress.unit_or_null = "events";
	bool ok = verify_chain(&v, err) && verify_models(&v, err);
	progress_end(&v.progress);
	return ok && judge(&v, err);
}

/* ---- restore ------------------------------------------------------------------------------------ */

bool models_restore(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	const char *name = cli_word(cli, 0), *version = cli_word(cli, 1);
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "version", version);
	json_put_cstr(w, "reason", cli_option(cli, "reason", NULL));
	json_put_bool(w, "force", cli_flag(cli, "force"));
	json_object_end(w);
	if (!cli_send(cli, "POST",
		      arena_cstr(cli->arena,
				 arena_printf(cli->arena, "/api/trackerd/v1/models/%s/restore",
					      cli_encode(cli, slice_from_cstr(name)))),
		      &reply, err))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	cli_say(cli, "\"%s\"%s%s is back, without aliases.", name,
		version != NULL ? " version " : "", version != NULL ? version : "");
	return true;
}
