/* Owns "trk deployments": what runs where, and whether it is what the aliases mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/table.h"

enum { PAGE_ROWS = 1000, CHANGES_DEFAULT = 20, ID_LEN = 32 };

#define DEPLOYMENTS "/api/trackerd/v1/deployments"

struct fleet {
	const struct json_value **items; /* in order of environment and target */
	size_t count;
};

/* ---- fetching -------------------------------------------------------------------------------- */

static int compare_deployments(const void *a, const void *b)
{
	static const char *const keys[] = {"environment", "target", "deployment_id"};
	const struct json_value *const *left = a, *const *right = b;
	int order = 0;
	for (size_t i = 0; i < ARRAY_COUNT(keys) && order == 0; i++)
		order = slice_compare(json_text(*left, keys[i]), json_text(*right, keys[i]));
	return order;
}

static struct slice add_filter(struct cli *cli, struct slice query, const char *name,
			       const char *value_or_null)
{
	if (value_or_null == NULL)
		return query;
	return arena_printf(cli->arena, "%.*s&%s=%s", SLICE_FMT(query), name,
			    cli_encode(cli, slice_from_cstr(value_or_null)));
}

/* All that the options choose; all there are without such options. */
static bool fetch_fleet(struct cli *cli, struct fleet *fleet, struct error *err)
{
	struct slice token = SLICE(""), query = SLICE("");
	query = add_filter(cli, query, "model", cli_option(cli, "model", NULL));
	query = add_filter(cli, query, "environment", cli_option(cli, "env", NULL));
	query = add_filter(cli, query, "target", cli_option(cli, "target", NULL));
	query = add_filter(cli, query, "state", cli_option(cli, "state", NULL));
	*fleet = (struct fleet){0};
	do {
		struct json_value *reply;
		if (!cli_get(cli, &reply, err, DEPLOYMENTS "?max_results=%d%.*s%s%s", PAGE_ROWS,
			     SLICE_FMT(query), token.len > 0 ? "&page_token=" : "",
			     cli_encode(cli, token)))
			return false;
		const struct json_value *d = json_items(json_tree_get(reply, "deployments"));
		for (; d != NULL; d = d->next_sibling_or_null) {
			fleet->items = arena_list_room(cli->arena, fleet->items, fleet->count,
						       sizeof(*fleet->items));
			fleet->items[fleet->count++] = d;
		}
		token = json_text(reply, "next_page_token");
	} while (token.len > 0);
	if (fleet->count > 0)
		qsort(fleet->items, fleet->count, sizeof(*fleet->items), compare_deployments);
	return true;
}

/* "prod/dispatch", or "dispatch" without an environment. */
static struct slice place_of(struct cli *cli, const struct json_value *d)
{
	struct slice environment = json_text(d, "environment");
	return arena_printf(cli->arena, "%.*s%s%.*s", SLICE_FMT(environment),
			    environment.len > 0 ? "/" : "", SLICE_FMT(json_text(d, "target")));
}

/* By id, by the beginning of one, or by a place that only one has. *out is NULL for a whole id that is not
 * there. */
static bool find_deployment(struct cli *cli, const char *word, const struct json_value **out,
			    struct error *err)
{
	enum { PREFIX_MIN = 6 };
	struct slice wanted = slice_from_cstr(word);
	struct fleet fleet;
	unsigned fitting = 0;
	*out = NULL;
	if (!fetch_fleet(cli, &fleet, err))
		return false;
	for (size_t i = 0; i < fleet.count; i++) {
		const struct json_value *d = fleet.items[i];
		bool fits = (wanted.len >= PREFIX_MIN &&
			     slice_starts_with(json_text(d, "deployment_id"), wanted)) ||
			    slice_eq(json_text(d, "target"), wanted) ||
			    slice_eq(place_of(cli, d), wanted);
		if (!fits)
			continue;
		fitting++;
		*out = d;
	}
	if (fitting == 1 || (fitting == 0 && wanted.len == ID_LEN))
		return true;
	if (fitting > 1)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "\"%s\" fits %u deployments; name it by its id, which \"trk "
				 "deployments --json\" shows",
				 word, fitting);
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "there is no deployment \"%s\"", word);
}

/* ---- words ----------------------------------------------------------------------------------- */

static int64_t number_of(const struct json_value *d, const char *key)
{
	return json_tree_i64(json_tree_get(d, key), 0);
}

static bool has_state(const struct json_value *d, const char *state)
{
	return slice_eq_cstr(json_text(d, "state"), state);
}

static bool differs(const struct json_value *d)
{
	return json_tree_bool(json_tree_get(d, "differs"), false);
}

static struct slice age_of(struct cli *cli, const struct json_value *d, const char *key)
{
	return format_age(cli->arena, number_of(d, key), clock_wall_ms(clock_system()));
}

/* "taxi@champion", or "taxi" where it was given a number. */
static struct slice model_text(struct cli *cli, const struct json_value *d)
{
	struct slice alias = json_text(d, "alias");
	return arena_printf(cli->arena, "%.*s%s%.*s", SLICE_FMT(json_text(d, "model")),
			    alias.len > 0 ? "@" : "", SLICE_FMT(alias));
}

/* "v4"; "v3 to v4" while deploying; "nothing". Of a deployment, or of a row of its history. */
static struct slice version_text(struct cli *cli, const struct json_value *d)
{
	struct slice version = json_text(d, "version"), before = json_text(d, "previous_version");
	if (version.len == 0)
		return SLICE("nothing");
	if (has_state(d, "deploying") && before.len > 0)
		return arena_printf(cli->arena, "v%.*s to v%.*s", SLICE_FMT(before),
				    SLICE_FMT(version));
	return arena_printf(cli->arena, "v%.*s", SLICE_FMT(version));
}

/* "v4 (says v5)": what runs, and what the alias says where that is something else. */
static struct slice runs_text(struct cli *cli, const struct json_value *d)
{
	struct slice runs = version_text(cli, d), says = json_text(d, "alias_version");
	if (differs(d) && says.len > 0)
		return arena_printf(cli->arena, "%.*s (says v%.*s)", SLICE_FMT(runs),
				    SLICE_FMT(says));
	if (differs(d))
		return arena_printf(cli->arena, "%.*s (alias gone)", SLICE_FMT(runs));
	if (json_text(d, "version").len > 0 &&
	    !json_tree_bool(json_tree_get(d, "in_registry"), true))
		return arena_printf(cli->arena, "%.*s (deleted)", SLICE_FMT(runs));
	return runs;
}

static enum terminal_style state_style(const struct json_value *d)
{
	if (has_state(d, "active"))
		return STYLE_GREEN;
	if (has_state(d, "deploying"))
		return STYLE_CYAN;
	return has_state(d, "failed") ? STYLE_RED : STYLE_YELLOW;
}

/* What --check objects to, or NULL. */
static const char *objection_to(const struct json_value *d)
{
	if (has_state(d, "failed"))
		return "failed";
	if (has_state(d, "stale"))
		return "is stale";
	return differs(d) ? "runs another version than the alias says" : NULL;
}

/* ---- list ------------------------------------------------------------------------------------ */

static void print_fleet(struct cli *cli, const struct fleet *fleet)
{
	struct table table;
	table_init(&table, cli->arena);
	table_column(&table, SLICE("ENV"), TABLE_OPTIONAL);
	table_column(&table, SLICE("TARGET"), 0);
	table_column(&table, SLICE("MODEL"), 0);
	table_column(&table, SLICE("RUNS"), TABLE_WHOLE);
	table_column(&table, SLICE("STATE"), TABLE_WHOLE);
	table_column(&table, SLICE("SINCE"), TABLE_WHOLE);
	table_column(&table, SLICE("SEEN"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("ID"), TABLE_ID | TABLE_OPTIONAL);
	for (size_t i = 0; i < fleet->count; i++) {
		const struct json_value *d = fleet->items[i];
		table_cell(&table, json_text(d, "environment"));
		table_styled_cell(&table, json_text(d, "target"), STYLE_BOLD);
		table_cell(&table, model_text(cli, d));
		table_styled_cell(&table, runs_text(cli, d),
				  differs(d) ? STYLE_YELLOW : STYLE_PLAIN);
		table_styled_cell(&table, json_text(d, "state"), state_style(d));
		table_cell(&table, age_of(cli, d, "since_ms"));
		table_cell(&table, age_of(cli, d, "last_seen_ms"));
		table_styled_cell(&table, json_text(d, "deployment_id"), STYLE_CYAN);
	}
	if (fleet->count == 0)
		cli_say(cli, "No deployments.");
	(void)table_print(&table, stdout, 0); /* what is left out, "deployments show" tells */
}

static bool print_fleet_json(struct cli *cli, const struct fleet *fleet, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "deployments");
	json_array_begin(w);
	for (size_t i = 0; i < fleet->count; i++)
		json_raw(w, fleet->items[i]->text);
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* The first that is not as it should be, and how many of them there are. */
static bool check_fleet(struct cli *cli, const struct fleet *fleet, struct error *err)
{
	const struct json_value *first = NULL;
	size_t count = 0;
	char quoted[200];
	for (size_t i = 0; i < fleet->count; i++) {
		if (objection_to(fleet->items[i]) == NULL)
			continue;
		first = first != NULL ? first : fleet->items[i];
		count++;
	}
	if (first == NULL)
		return true;
	cli->exit = CLI_GATE_FAILED;
	error_quote(place_of(cli, first), quoted, sizeof(quoted));
	if (count == 1)
		return error_set(err, ERR_INVALID_STATE, "%s %s", quoted, objection_to(first));
	return error_set(err, ERR_INVALID_STATE,
			 "%s %s; %zu of %zu deployments are not as they should be", quoted,
			 objection_to(first), count, fleet->count);
}

bool deployments_list(struct cli *cli, struct error *err)
{
	struct fleet fleet;
	if (!fetch_fleet(cli, &fleet, err))
		return false;
	if (cli->json) {
		if (!print_fleet_json(cli, &fleet, err))
			return false;
	} else if (cli->quiet) {
		for (size_t i = 0; i < fleet.count; i++)
			cli_print_line(cli, json_text(fleet.items[i], "deployment_id"));
	} else {
		print_fleet(cli, &fleet);
	}
	return !cli_flag(cli, "check") || check_fleet(cli, &fleet, err);
}

/* ---- show ------------------------------------------------------------------------------------ */

static void print_fact(struct cli *cli, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	(void)printf("  %-12s ", name);
	terminal_print(stdout, cli->arena, STYLE_PLAIN, value);
	(void)putchar('\n');
}

static struct slice heartbeat_text(struct cli *cli, const struct json_value *d)
{
	int64_t every_ms = number_of(d, "heartbeat_ms");
	struct slice seen = age_of(cli, d, "last_seen_ms");
	if (every_ms == 0)
		return arena_printf(cli->arena, "%.*s (sends no heartbeats)", SLICE_FMT(seen));
	return arena_printf(cli->arena, "%.*s (a heartbeat every %.*s)", SLICE_FMT(seen),
			    SLICE_FMT(format_duration(cli->arena, every_ms)));
}

static void print_facts(struct cli *cli, const struct json_value *d)
{
	terminal_print(stdout, cli->arena, STYLE_BOLD, place_of(cli, d));
	(void)fputs("  ", stdout);
	terminal_print(stdout, cli->arena, state_style(d), json_text(d, "state"));
	(void)putchar('\n');
	print_fact(cli, "ID", json_text(d, "deployment_id"));
	print_fact(cli, "Model", model_text(cli, d));
	print_fact(cli, "Runs", runs_text(cli, d));
	print_fact(cli, "Since", format_time(cli->arena, number_of(d, "since_ms")));
	print_fact(cli, "Last seen", heartbeat_text(cli, d));
	print_fact(cli, "Host", json_text(d, "host"));
	print_fact(cli, "Path", json_text(d, "path"));
	print_fact(cli, "Reason", json_text(d, "reason"));
	print_fact(cli, "By", json_text(d, "actor"));
}

/* One that moved, or of which there are two. */
static bool has_several_hosts(const struct json_value *first)
{
	const struct json_value *c = first;
	while (c != NULL && slice_eq(json_text(c, "host"), json_text(first, "host")))
		c = c->next_sibling_or_null;
	return c != NULL;
}

static void print_changes(struct cli *cli, const struct json_value *first)
{
	struct table table;
	bool has_hosts = has_several_hosts(first);
	table_init(&table, cli->arena);
	table_column(&table, SLICE("TIME"), TABLE_WHOLE);
	table_column(&table, SLICE("STATE"), TABLE_WHOLE);
	table_column(&table, SLICE("RUNS"), TABLE_WHOLE);
	table_column(&table, SLICE("BY"), TABLE_OPTIONAL);
	if (has_hosts)
		table_column(&table, SLICE("HOST"), TABLE_OPTIONAL);
	table_column(&table, SLICE("REASON"), TABLE_OPTIONAL);
	for (const struct json_value *c = first; c != NULL; c = c->next_sibling_or_null) {
		table_cell(&table, format_time(cli->arena, number_of(c, "time_ms")));
		table_styled_cell(&table, json_text(c, "state"), state_style(c));
		table_cell(&table, version_text(cli, c));
		table_cell(&table, json_text(c, "actor"));
		if (has_hosts)
			table_cell(&table, json_text(c, "host"));
		table_cell(&table, json_text(c, "reason"));
	}
	(void)puts("\nHistory");
	(void)table_print(&table, stdout, 2); /* --json has all */
}

bool deployments_show(struct cli *cli, struct error *err)
{
	const struct json_value *d;
	struct json_value *reply;
	int64_t rows;
	if (!cli_number(cli, "max", 1, CHANGES_DEFAULT, &rows, err) ||
	    !find_deployment(cli, cli_word(cli, 0), &d, err))
		return false;
	struct slice id =
		d != NULL ? json_text(d, "deployment_id") : slice_from_cstr(cli_word(cli, 0));
	if (!cli_get(cli, &reply, err, DEPLOYMENTS "/%s/history?max_results=%lld",
		     cli_encode(cli, id), (long long)rows))
		return false;
	const struct json_value *changes = json_tree_get(reply, "changes");
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_key(w, "deployment");
		json_raw(w, d != NULL ? d->text : SLICE("null"));
		json_key(w, "changes");
		json_raw(w, changes->text);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	if (d != NULL)
		print_facts(cli, d);
	else
		cli_say(cli, "It is not deployed any more; this is what was.");
	print_changes(cli, json_items(changes));
	return true;
}

/* ---- forget ---------------------------------------------------------------------------------- */

bool deployments_forget(struct cli *cli, struct error *err)
{
	const struct json_value *d;
	struct json_value *reply;
	if (!find_deployment(cli, cli_word(cli, 0), &d, err))
		return false;
	if (d == NULL)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "there is no deployment \"%s\"",
				 cli_word(cli, 0));
	struct slice id = json_text(d, "deployment_id"), place = place_of(cli, d);
	const char *question = arena_cstr(
		cli->arena,
		arena_printf(cli->arena, "Forget that %.*s runs at %.*s? Its history stays.",
			     SLICE_FMT(model_text(cli, d)), SLICE_FMT(place)));
	if (!cli_confirm(cli, question, err))
		return false;
	(void)cli_begin_json(cli);
	json_object_begin(&cli->w);
	json_object_end(&cli->w);
	const char *path = arena_cstr(cli->arena,
				      arena_printf(cli->arena, DEPLOYMENTS "/%.*s", SLICE_FMT(id)));
	if (!cli_send(cli, "DELETE", path, &reply, err))
		return false;
	cli_say(cli, "Forgot %.*s.", SLICE_FMT(place));
	if (!cli->json)
		return true;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "deployment_id", id);
	json_put_bool(w, "forgotten", true);
	json_object_end(w);
	return cli_print_json(cli, err);
}
