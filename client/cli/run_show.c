/* Owns "trk runs show": all there is about one run, with its curves drawn. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_view.h"
#include "cli/sections.h"
#include "cli/sparkline.h"
#include "cli/table.h"

enum { CURVE_COLUMNS = 24, KEYS_AT_ONCE = 40 /* their names must fit a request line */ };

struct show {
	struct cli *cli;
	const struct json_value *run;
	struct slice run_id;
	const struct json_value *summary;   /* list of metrics */
	const struct json_value *artifacts; /* list of files */
	const struct json_value *
		*curves; /* for each of the summary's, or NULL; itself NULL without a terminal */
};

/* ---- fetching -------------------------------------------------------------------------------- */

/* Puts each curve of a reply where its metric is in the summary; both have the same order. */
static void place_curves(struct show *s, const struct json_value *curve, size_t from)
{
	const struct json_value *metric = json_items(s->summary);
	for (size_t i = 0; i < from; i++)
		metric = metric->next_sibling_or_null;
	for (size_t i = from; curve != NULL && metric != NULL;
	     metric = metric->next_sibling_or_null, i++) {
		if (!slice_eq(json_text(curve, "metric_key"), json_text(metric, "key")))
			continue;
		s->curves[i] = curve;
		curve = curve->next_sibling_or_null;
	}
}

static bool fetch_curves(struct show *s, struct error *err)
{
	struct cli *cli = s->cli;
	size_t count = s->summary == NULL ? 0 : s->summary->child_count, index = 0;
	const struct json_value *metric = json_items(s->summary);
	s->curves = ARENA_NEW(cli->arena, const struct json_value *, count + 1);
	while (metric != NULL) {
		struct json_value *reply;
		struct slice query = SLICE("");
		size_t from = index;
		for (; metric != NULL && index < from + KEYS_AT_ONCE;
		     metric = metric->next_sibling_or_null, index++)
			query = arena_printf(cli->arena, "%.*s&metric_keys=%s", SLICE_FMT(query),
					     cli_encode(cli, json_text(metric, "key")));
		if (!cli_get(cli, &reply, err,
			     "/api/trackerd/v1/metrics/curves?run_ids=%s&buckets=%d%.*s",
			     cli_encode(cli, s->run_id), CURVE_COLUMNS, SLICE_FMT(query)))
			return false;
		place_curves(s, json_items(json_tree_get(reply, "curves")), from);
	}
	return true;
}

static bool fetch(struct show *s, struct error *err)
{
	struct cli *cli = s->cli;
	struct json_value *reply;
	if (!lookup_run_entity(cli, cli_word(cli, 0), &s->run, err))
		return false;
	s->run_id = run_id_of(s->run);
	const char *id = cli_encode(cli, s->run_id);
	if (!cli_get(cli, &reply, err, "/api/trackerd/v1/metrics/summary?run_ids=%s", id))
		return false;
	s->summary = json_tree_get(json_items(json_tree_get(reply, "runs")), "metrics");
	/* A run that keeps its artifacts elsewhere is still a run. */
	struct error ignored;
	if (cli_get(cli, &reply, &ignored, "/api/2.0/mlflow/artifacts/list?run_id=%s", id))
		s->artifacts = json_tree_get(reply, "files");
	return !terminal_is(stdout) || cli->json || fetch_curves(s, err);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_head(const struct show *s)
{
	struct cli *cli = s->cli;
	int64_t now_ms = clock_wall_ms(clock_system());
	struct slice status = run_info(s->run, "status");
	terminal_print(stdout, cli->arena, STYLE_BOLD, run_info(s->run, "run_name"));
	(void)putchar('\n');
	section_field(cli, "run", s->run_id, STYLE_CYAN);
	section_field(cli, "experiment", run_info(s->run, "experiment_id"), STYLE_PLAIN);
	section_field(cli, "status", status, run_status_style(status));
	if (slice_eq(run_info(s->run, "lifecycle_stage"), SLICE("deleted")))
		section_field(cli, "state", SLICE("deleted"), STYLE_RED);
	section_field(cli, "started", format_time(cli->arena, run_start_ms(s->run)), STYLE_PLAIN);
	section_field(cli, "duration", format_duration(cli->arena, run_duration_ms(s->run, now_ms)),
		      STYLE_PLAIN);
	section_field(cli, "user", run_info(s->run, "user_id"), STYLE_PLAIN);
	section_field(cli, "source",
		      json_text(run_find(s->run, RUN_TAGS, SLICE("mlflow.source.name")), "value"),
		      STYLE_PLAIN);
	section_field(
		cli, "commit",
		json_text(run_find(s->run, RUN_TAGS, SLICE("mlflow.source.git.commit")), "value"),
		STYLE_PLAIN);
	section_field(cli, "note",
		      json_text(run_find(s->run, RUN_TAGS, SLICE("mlflow.note.content")), "value"),
		      STYLE_PLAIN);
}

/* The last value of each bucket; nothing for a single point. */
static struct slice draw_curve(struct cli *cli, const struct json_value *curve_or_null)
{
	const struct json_value *list = json_tree_get(curve_or_null, "lasts");
	double values[CURVE_COLUMNS];
	size_t count = 0;
	const struct json_value *item = json_items(list);
	for (; item != NULL && count < CURVE_COLUMNS; item = item->next_sibling_or_null)
		values[count++] = json_tree_double(item, (double)NAN);
	return count < 2 ? SLICE("") : sparkline(cli->arena, values, count);
}

static void print_metrics(const struct show *s)
{
	static const char *const figures[] = {"last", "min", "max"};
	static const char *const titles[] = {"LAST", "MIN", "MAX"};
	struct cli *cli = s->cli;
	struct table table;
	const struct json_value *metric = json_items(s->summary);
	if (metric == NULL)
		return;
	section_title("Metrics");
	table_init(&table, cli->arena);
	table_column(&table, SLICE("NAME"), 0);
	for (size_t i = 0; i < ARRAY_COUNT(figures); i++)
		table_column(&table, slice_from_cstr(titles[i]), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("POINTS"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("CURVE"), TABLE_WHOLE | TABLE_OPTIONAL);
	for (size_t row = 0; metric != NULL; metric = metric->next_sibling_or_null, row++) {
		table_cell(&table, json_text(metric, "key"));
		for (size_t i = 0; i < ARRAY_COUNT(figures); i++)
			table_cell(&table,
				   format_number(cli->arena,
						 json_tree_double(json_tree_get(metric, figures[i]),
								  (double)NAN)));
		table_cell(&table, arena_printf(cli->arena, "%lld",
						(long long)json_tree_i64(
							json_tree_get(metric, "point_count"), 0)));
		table_styled_cell(&table,
				  s->curves != NULL ? draw_curve(cli, s->curves[row]) : SLICE(""),
				  STYLE_CYAN);
	}
	(void)table_print(&table, stdout, 2); /* only the curve may be left out */
}

static void print_pairs(const struct show *s, const char *title, enum run_part part)
{
	struct table table;
	table_init(&table, s->cli->arena);
	table_column(&table, SLICE("NAME"), TABLE_WHOLE);
	table_column(&table, SLICE("VALUE"), 0);
	const struct json_value *item = json_items(run_list(s->run, part));
	for (; item != NULL; item = item->next_sibling_or_null) {
		if (part == RUN_TAGS && run_tag_is_automatic(json_text(item, "key")))
			continue;
		table_cell(&table, json_text(item, "key"));
		table_cell(&table, json_text(item, "value"));
	}
	if (table.cell_count == 0)
		return;
	section_title(title);
	(void)table_print(&table, stdout, 2); /* no column may be left out */
}

static void print_inputs(const struct show *s)
{
	struct table table;
	const struct json_value *input =
		json_items(json_tree_path(s->run, "inputs.dataset_inputs"));
	if (input == NULL)
		return;
	section_title("Data");
	table_init(&table, s->cli->arena);
	table_column(&table, SLICE("NAME"), 0);
	table_column(&table, SLICE("DIGEST"), 0);
	table_column(&table, SLICE("USED FOR"), 0);
	for (; input != NULL; input = input->next_sibling_or_null) {
		const struct json_value *dataset = json_tree_get(input, "dataset");
		const struct json_value *tag = json_items(json_tree_get(input, "tags"));
		while (tag != NULL && !slice_eq_cstr(json_text(tag, "key"), "mlflow.data.context"))
			tag = tag->next_sibling_or_null;
		table_cell(&table, json_text(dataset, "name"));
		table_cell(&table, json_text(dataset, "digest"));
		table_cell(&table, json_text(tag, "value"));
	}
	(void)table_print(&table, stdout, 2); /* no column may be left out */
}

static void print_artifacts(const struct show *s)
{
	const struct json_value *file = json_items(s->artifacts);
	if (file == NULL)
		return;
	section_title("Artifacts");
	for (; file != NULL; file = file->next_sibling_or_null) {
		bool is_directory = json_tree_bool(json_tree_get(file, "is_dir"), false);
		(void)fputs("  ", stdout);
		terminal_print(stdout, s->cli->arena, is_directory ? STYLE_CYAN : STYLE_PLAIN,
			       json_text(file, "path"));
		if (is_directory)
			(void)puts("/");
		else
			(void)printf("  %.*s\n",
				     SLICE_FMT(format_bytes(
					     s->cli->arena,
					     json_tree_i64(json_tree_get(file, "file_size"), 0))));
	}
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_list(struct json_writer *w, const char *key, const struct json_value *list_or_null)
{
	json_key(w, key);
	json_raw(w, list_or_null != NULL ? list_or_null->text : SLICE("[]"));
}

static bool print_json(const struct show *s, struct error *err)
{
	struct json_writer *w = cli_begin_json(s->cli);
	run_json_open(w, s->run);
	put_list(w, "metric_summary", s->summary);
	put_list(w, "dataset_inputs", json_tree_path(s->run, "inputs.dataset_inputs"));
	put_list(w, "artifacts", s->artifacts);
	json_object_end(w);
	return cli_print_json(s->cli, err);
}

bool run_show(struct cli *cli, struct error *err)
{
	struct show s = {.cli = cli};
	if (!fetch(&s, err))
		return false;
	if (cli->json)
		return print_json(&s, err);
	print_head(&s);
	print_pairs(&s, "Parameters", RUN_PARAMS);
	print_metrics(&s);
	print_pairs(&s, "Tags", RUN_TAGS);
	print_inputs(&s);
	print_artifacts(&s);
	return true;
}
