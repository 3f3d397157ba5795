/* Owns "trk runs list", "delete" and "restore". */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_columns.h"
#include "cli/run_view.h"
#include "cli/table.h"

enum { RUNS_SHOWN = 50, PAGE_RUNS = 1000, RUNS_MAX = 10000000 };

/* ---- searching ------------------------------------------------------------------------------- */

struct search {
	struct slice experiment_id;
	const char *filter_or_null;
	int64_t runs_max;
	/* found: */
	struct run_set runs;
	size_t capacity;
	bool has_more;
};

static bool fetch_page(struct cli *cli, struct search *s, struct slice token, int64_t count,
		       struct json_value **reply, struct error *err)
{
	size_t index = 0;
	const char *order;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "experiment_ids");
	json_array_begin(w);
	json_string(w, s->experiment_id);
	json_array_end(w);
	json_put_cstr(w, "filter", s->filter_or_null);
	json_put_cstr(w, "run_view_type",
		      cli_flag(cli, "deleted") ? "DELETED_ONLY" : "ACTIVE_ONLY");
	json_put_int(w, "max_results", count);
	json_key(w, "order_by");
	json_array_begin(w);
	while ((order = arguments_next(&cli->arguments, "order-by", &index)) != NULL)
		json_string(w, slice_from_cstr(order));
	json_array_end(w);
	if (token.len > 0)
		json_put_string(w, "page_token", token);
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/runs/search", reply, err);
}

static void keep(struct cli *cli, struct search *s, const struct json_value *list)
{
	size_t more = list == NULL ? 0 : list->child_count;
	if (s->runs.count + more > s->capacity) {
		s->capacity = (s->runs.count + more) * 2;
		const struct json_value **items =
			ARENA_NEW(cli->arena, const struct json_value *, s->capacity);
		if (s->runs.count > 0)
			memcpy(items, s->runs.items, s->runs.count * sizeof(*items));
		s->runs.items = items;
	}
	for (const struct json_value *run = json_items(list); run != NULL;
	     run = run->next_sibling_or_null)
		s->runs.items[s->runs.count++] = run;
}

/* Page after page, up to runs_max. */
static bool search_runs(struct cli *cli, struct search *s, struct error *err)
{
	struct slice token = SLICE("");
	do {
		struct json_value *reply;
		int64_t left = s->runs_max - (int64_t)s->runs.count;
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		if (!fetch_page(cli, s, token, left < PAGE_RUNS ? left : PAGE_RUNS, &reply, err))
			return false;
		keep(cli, s, json_tree_get(reply, "runs"));
		token = json_text(reply, "next_page_token");
	} while (token.len > 0 && (int64_t)s->runs.count < s->runs_max);
	s->has_more = token.len > 0;
	return true;
}

/* ---- list ------------------------------------------------------------------------------------ */

static bool is_id_name(struct slice name)
{
	return slice_eq_cstr(name, "run_id") || slice_eq_cstr(name, "id");
}

/* What --columns names. */
static size_t chosen_columns(struct cli *cli, struct slice **names_out)
{
	struct slice rest = slice_from_cstr(cli_option(cli, "columns", "")), name;
	struct slice *names = ARENA_NEW(cli->arena, struct slice, rest.len + 1);
	size_t count = 0;
	while (slice_next(&rest, ',', &name)) {
		name = slice_trim(name);
		if (name.len > 0)
			names[count++] = name;
	}
	*names_out = names;
	return count;
}

static void add_keys(struct cli *cli, struct slice *names, size_t *count, const struct slice *keys,
		     size_t keys_count, const char *prefix)
{
	for (size_t i = 0; i < keys_count; i++)
		names[(*count)++] = arena_printf(cli->arena, "%s%.*s", prefix, SLICE_FMT(keys[i]));
}

/* Who, how, when, all metrics, the parameters that differ, how long: what does not fit is left out
 * from the end. */
static size_t default_columns(struct cli *cli, const struct run_set *runs, struct slice **names_out)
{
	static const char *const fixed[] = {"run_id", "name", "status", "start"};
	struct slice *metrics, *params;
	size_t metrics_count = run_set_keys(cli, runs, RUN_METRICS, &metrics);
	size_t params_count = runs->count > 1 ? run_set_differing(cli, runs, RUN_PARAMS, &params)
					      : run_set_keys(cli, runs, RUN_PARAMS, &params);
	size_t count = 0;
	struct slice *names = ARENA_NEW(cli->arena, struct slice,
					ARRAY_COUNT(fixed) + metrics_count + params_count + 1);
	for (; count < ARRAY_COUNT(fixed); count++)
		names[count] = slice_from_cstr(fixed[count]);
	add_keys(cli, names, &count, metrics, metrics_count, "metrics.");
	add_keys(cli, names, &count, params, params_count, "params.");
	names[count++] = SLICE("duration");
	*names_out = names;
	return count;
}

/* "metrics.rmse" is titled "rmse"; attributes in capitals, as titles are. */
static struct slice title_of(struct cli *cli, struct slice name)
{
	size_t dot = slice_find_byte(name, '.', 0);
	if (!run_column_is_attribute(name))
		return dot < name.len ? slice_from(name, dot + 1) : name;
	char *title = arena_cstr(cli->arena, is_id_name(name) ? SLICE("run") : name);
	for (char *c = title; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	return slice_from_cstr(title);
}

static unsigned flags_of(struct slice name, bool is_default, size_t index)
{
	unsigned flags = slice_starts_with(name, SLICE("metric")) ? TABLE_RIGHT | TABLE_WHOLE : 0;
	if (is_id_name(name))
		flags |= TABLE_ID;
	if (is_default && index > 2)
		flags |= TABLE_OPTIONAL;
	return flags;
}

static void print_table(struct cli *cli, const struct search *s)
{
	struct table table;
	struct slice *names;
	int64_t now_ms = clock_wall_ms(clock_system());
	bool is_default = !cli_flag(cli, "columns");
	size_t count =
		is_default ? default_columns(cli, &s->runs, &names) : chosen_columns(cli, &names);
	table_init(&table, cli->arena);
	for (size_t c = 0; c < count; c++)
		table_column(&table, title_of(cli, names[c]), flags_of(names[c], is_default, c));
	for (size_t i = 0; i < s->runs.count; i++) {
		for (size_t c = 0; c < count; c++) {
			struct slice text = run_column(cli, s->runs.items[i], names[c], now_ms);
			bool is_status = slice_eq_cstr(names[c], "status");
			table_styled_cell(&table, text,
					  is_status		 ? run_status_style(text)
					  : is_id_name(names[c]) ? STYLE_CYAN
								 : STYLE_PLAIN);
		}
	}
	size_t hidden = table_print(&table, stdout, 0);
	if (hidden > 0)
		cli_say(cli, "%zu more columns do not fit: --columns chooses, --json shows all",
			hidden);
}

static bool print_json(struct cli *cli, const struct search *s, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "runs");
	json_array_begin(w);
	for (size_t i = 0; i < s->runs.count; i++) {
		run_json_open(w, s->runs.items[i]);
		json_object_end(w);
	}
	json_array_end(w);
	json_put_bool(w, "has_more", s->has_more);
	json_object_end(w);
	return cli_print_json(cli, err);
}

bool runs_list(struct cli *cli, struct error *err)
{
	struct experiment_ref experiment;
	struct search s = {.filter_or_null = cli_option(cli, "filter", NULL)};
	struct slice *names;
	if (!cli_number(cli, "max", 1, cli_flag(cli, "all") ? RUNS_MAX : RUNS_SHOWN, &s.runs_max,
			err))
		return false;
	if (cli_flag(cli, "columns") && chosen_columns(cli, &names) == 0)
		return cli_fail_usage(cli, err, "--columns names no column");
	if (!lookup_experiment(cli, cli_word(cli, 0), &experiment, err))
		return false;
	s.experiment_id = experiment.id;
	if (!search_runs(cli, &s, err))
		return false;
	if (cli->json)
		return print_json(cli, &s, err);
	for (size_t i = 0; cli->quiet && i < s.runs.count; i++)
		(void)printf("%.*s\n", SLICE_FMT(run_id_of(s.runs.items[i])));
	if (!cli->quiet)
		print_table(cli, &s);
	if (s.runs.count == 0)
		cli_say(cli, "No run%s in \"%.*s\".",
			cli_flag(cli, "filter") ? " fits the filter" : "",
			SLICE_FMT(experiment.name));
	else if (s.has_more)
		cli_say(cli, "The first %zu runs; there are more: --all, or --max N", s.runs.count);
	return true;
}

/* ---- delete and restore ---------------------------------------------------------------------- */

/* The runs that were named, or that fit --experiment and --filter. */
static bool choose_runs(struct cli *cli, struct slice **ids_out, size_t *count_out,
			struct error *err)
{
	const char *experiment_name = cli_option(cli, "experiment", NULL);
	struct search s = {.filter_or_null = cli_option(cli, "filter", NULL), .runs_max = RUNS_MAX};
	struct experiment_ref experiment;
	size_t words = cli->arguments.word_count;
	if ((words > 0) == (experiment_name != NULL))
		return cli_fail_usage(
			cli, err, "name the runs, or choose them with --experiment and --filter");
	if (words > 0) {
		*ids_out = ARENA_NEW(cli->arena, struct slice, words);
		for (size_t i = 0; i < words; i++) {
			if (!lookup_run(cli, cli_word(cli, i), &(*ids_out)[i], err))
				return false;
		}
		*count_out = words;
		return true;
	}
	if (!lookup_experiment(cli, experiment_name, &experiment, err))
		return false;
	s.experiment_id = experiment.id;
	if (!search_runs(cli, &s, err))
		return false;
	*ids_out = ARENA_NEW(cli->arena, struct slice, s.runs.count + 1);
	for (size_t i = 0; i < s.runs.count; i++)
		(*ids_out)[i] = run_id_of(s.runs.items[i]);
	*count_out = s.runs.count;
	return true;
}

/* Runs that were named were named on purpose. */
static bool confirm_delete(struct cli *cli, size_t count, struct error *err)
{
	if (cli->arguments.word_count > 0 || count == 0)
		return true;
	struct slice question =
		arena_printf(cli->arena, "Delete %.*s of \"%s\"?",
			     SLICE_FMT(format_count(cli->arena, (int64_t)count, "run")),
			     cli_option(cli, "experiment", ""));
	return cli_confirm(cli, arena_cstr(cli->arena, question), err);
}

static bool post_run_id(struct cli *cli, const char *path, struct slice run_id, struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id);
	if (cli_flag(cli, "force"))
		json_put_bool(w, "force", true);
	json_object_end(w);
	return cli_send(cli, "POST", path, &reply, err);
}

static bool print_ids(struct cli *cli, const struct slice *ids, size_t count, bool is_dry,
		      struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "runs");
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(w);
		json_put_string(w, "run_id", ids[i]);
		json_object_end(w);
	}
	json_array_end(w);
	json_put_bool(w, "dry_run", is_dry);
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* Deletes what may be deleted; *ids become those, in order. Those that a model version needs are told of, and
 * counted: *refusal is the last sentence. */
static bool delete_runs(struct cli *cli, struct slice *ids, size_t *count, size_t *refused_count,
			struct error *refusal, struct error *err)
{
	size_t deleted_count = 0;
	for (size_t i = 0; i < *count; i++) {
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		if (post_run_id(cli, "/api/2.0/mlflow/runs/delete", ids[i], err)) {
			ids[deleted_count++] = ids[i];
			if (!cli->json)
				(void)printf("%.*s\n", SLICE_FMT(ids[i]));
			continue;
		}
		if (err->code != ERR_RESOURCE_CONFLICT)
			return false;
		*refusal = *err;
		(*refused_count)++;
		if (*count > 1)
			cli_say(cli, "%s", err->message);
	}
	*count = deleted_count;
	return true;
}

static bool print_dry(struct cli *cli, const struct slice *ids, size_t count, struct error *err)
{
	for (size_t i = 0; i < count && !cli->json; i++)
		(void)printf("%.*s\n", SLICE_FMT(ids[i]));
	cli_say(cli, "%.*s would be deleted",
		SLICE_FMT(format_count(cli->arena, (int64_t)count, "run")));
	return !cli->json || print_ids(cli, ids, count, true, err);
}

bool runs_delete(struct cli *cli, struct error *err)
{
	struct slice *ids = NULL;
	size_t count = 0, refused_count = 0;
	struct error refusal;
	if (!choose_runs(cli, &ids, &count, err))
		return false;
	if (cli_flag(cli, "dry-run"))
		return print_dry(cli, ids, count, err);
	size_t chosen_count = count;
	if (!confirm_delete(cli, count, err) ||
	    !delete_runs(cli, ids, &count, &refused_count, &refusal, err))
		return false;
	if (count > 0)
		cli_say(cli, "%.*s deleted; \"trk runs restore\" undoes it",
			SLICE_FMT(format_count(cli->arena, (int64_t)count, "run")));
	if (cli->json && !print_ids(cli, ids, count, false, err))
		return false;
	if (refused_count == 0)
		return true;
	if (chosen_count == 1) {
		*err = refusal;
		return false;
	}
	return error_set(
		err, ERR_RESOURCE_CONFLICT,
		"%.*s stayed, since model versions need them; --force deletes them all the same",
		SLICE_FMT(format_count(cli->arena, (int64_t)refused_count, "run")));
}

bool runs_restore(struct cli *cli, struct error *err)
{
	size_t count = cli->arguments.word_count;
	struct slice *ids = ARENA_NEW(cli->arena, struct slice, count);
	for (size_t i = 0; i < count; i++) {
		if (!lookup_run(cli, cli_word(cli, i), &ids[i], err) ||
		    !post_run_id(cli, "/api/2.0/mlflow/runs/restore", ids[i], err))
			return false;
		if (!cli->json)
			(void)printf("%.*s\n", SLICE_FMT(ids[i]));
	}
	return !cli->json || print_ids(cli, ids, count, false, err);
}
