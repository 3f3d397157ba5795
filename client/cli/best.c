/* Owns "trk best": the runs with the best value of a metric. */
#include <stdio.h>

#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_columns.h"
#include "cli/run_view.h"
#include "cli/table.h"

static bool fetch(struct cli *cli, int64_t top, struct json_value **reply, struct error *err)
{
	struct experiment_ref experiment;
	if (!lookup_experiment(cli, cli_word(cli, 0), &experiment, err))
		return false;
	const char *filter = cli_option(cli, "filter", "");
	return cli_get(cli, reply, err,
		       "/api/trackerd/v1/runs/best?experiment_id=%s&metric=%s&order=%s&value=%s"
		       "&top=%lld%s%s",
		       cli_encode(cli, experiment.id),
		       cli_encode(cli, slice_from_cstr(cli_option(cli, "metric", ""))),
		       cli_flag(cli, "max") ? "max" : "min", cli_option(cli, "value", "last"),
		       (long long)top, filter[0] != '\0' ? "&filter=" : "",
		       cli_encode(cli, slice_from_cstr(filter)));
}

static bool print_json(struct cli *cli, const struct json_value *entry, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	int64_t rank = 1;
	json_object_begin(w);
	json_key(w, "runs");
	json_array_begin(w);
	for (; entry != NULL; entry = entry->next_sibling_or_null) {
		run_json_open(w, json_tree_get(entry, "run"));
		json_put_int(w, "rank", rank++);
		json_put_cstr(w, "metric", cli_option(cli, "metric", ""));
		json_put_double(w, "value", json_tree_double(json_tree_get(entry, "value"), 0));
		json_put_int(w, "step", json_tree_i64(json_tree_get(entry, "step"), 0));
		json_put_int(w, "timestamp", json_tree_i64(json_tree_get(entry, "timestamp"), 0));
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(cli, err);
}

static void print_table(struct cli *cli, const struct json_value *entries)
{
	struct table table;
	struct slice *params;
	struct run_set set = run_set_of_entries(cli, entries, "run");
	size_t params_count = run_set_differing(cli, &set, RUN_PARAMS, &params);
	table_init(&table, cli->arena);
	table_column(&table, SLICE("RANK"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, slice_from_cstr(cli_option(cli, "metric", "")),
		     TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("NAME"), 0);
	table_column(&table, SLICE("RUN"), TABLE_ID);
	for (size_t i = 0; i < params_count; i++)
		table_column(&table, params[i], TABLE_OPTIONAL);
	const struct json_value *entry = json_items(entries);
	for (size_t rank = 1; entry != NULL; entry = entry->next_sibling_or_null, rank++) {
		const struct json_value *run = json_tree_get(entry, "run");
		table_cell(&table, arena_printf(cli->arena, "%zu", rank));
		table_styled_cell(&table,
				  format_number(cli->arena,
						json_tree_double(json_tree_get(entry, "value"), 0)),
				  rank == 1 ? STYLE_GREEN : STYLE_PLAIN);
		table_cell(&table, run_info(run, "run_name"));
		table_styled_cell(&table, run_id_of(run), STYLE_CYAN);
		for (size_t i = 0; i < params_count; i++)
			table_cell(&table,
				   json_text(run_find(run, RUN_PARAMS, params[i]), "value"));
	}
	size_t hidden = table_print(&table, stdout, 0);
	if (hidden > 0)
		cli_say(cli, "%zu more parameters differ; --json shows them", hidden);
}

bool best(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	int64_t top;
	if (!cli_flag(cli, "metric"))
		return cli_fail_usage(cli, err, "--metric names the metric to compare by");
	if (cli_flag(cli, "min") == cli_flag(cli, "max"))
		return cli_fail_usage(cli, err, "say whether --min or --max of the metric is best");
	if (!cli_number(cli, "top", 1, cli->quiet || cli->json ? 1 : 10, &top, err) ||
	    !fetch(cli, top, &reply, err))
		return false;
	const struct json_value *entries = json_tree_get(reply, "runs"),
				*entry = json_items(entries);
	if (cli->json)
		return print_json(cli, entry, err);
	if (entry == NULL)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "no run of \"%s\" has the metric \"%s\"%s", cli_word(cli, 0),
				 cli_option(cli, "metric", ""),
				 cli_flag(cli, "filter") ? " and fits the filter" : "");
	for (; cli->quiet && entry != NULL; entry = entry->next_sibling_or_null)
		(void)printf("%.*s\n", SLICE_FMT(run_id_of(json_tree_get(entry, "run"))));
	if (!cli->quiet)
		print_table(cli, entries);
	return true;
}
