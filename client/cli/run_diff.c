/* Owns "trk runs diff": several runs side by side. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_columns.h"
#include "cli/table.h"

struct diff {
	struct cli *cli;
	struct run_set runs;
	bool is_all;
	size_t rows;
	/* One of them: */
	struct table *table_or_null;
	struct json_writer *w_or_null;
};

static void add_row(struct diff *d, const char *kind, struct slice key, const struct slice *values)
{
	bool differs = false;
	for (size_t i = 1; i < d->runs.count; i++)
		differs = differs || !slice_eq(values[0], values[i]) ||
			  slice_is_present(values[0]) != slice_is_present(values[i]);
	if (!differs && !d->is_all)
		return;
	d->rows++;
	if (d->w_or_null != NULL) {
		json_object_begin(d->w_or_null);
		json_put_cstr(d->w_or_null, "kind", kind);
		json_put_string(d->w_or_null, "key", key);
		json_put_bool(d->w_or_null, "differs", differs);
		json_key(d->w_or_null, "values");
		json_array_begin(d->w_or_null);
		for (size_t i = 0; i < d->runs.count; i++) {
			if (slice_is_present(values[i]))
				json_string(d->w_or_null, values[i]);
			else
				json_null(d->w_or_null);
		}
		json_array_end(d->w_or_null);
		json_object_end(d->w_or_null);
		return;
	}
	table_styled_cell(d->table_or_null, slice_from_cstr(kind), STYLE_DIM);
	table_cell(d->table_or_null, key);
	for (size_t i = 0; i < d->runs.count; i++) {
		bool is_other =
			i > 0 && (!slice_eq(values[0], values[i]) || !slice_is_present(values[i]));
		table_styled_cell(d->table_or_null,
				  slice_is_present(values[i]) ? values[i] : SLICE("-"),
				  is_other && d->is_all ? STYLE_YELLOW : STYLE_PLAIN);
	}
}

static void add_attributes(struct diff *d)
{
	static const char *const names[] = {"name", "status", "user", "duration"};
	struct slice *values = ARENA_NEW(d->cli->arena, struct slice, d->runs.count);
	int64_t now_ms = clock_wall_ms(clock_system());
	for (size_t n = 0; n < ARRAY_COUNT(names); n++) {
		for (size_t i = 0; i < d->runs.count; i++)
			values[i] = run_column(d->cli, d->runs.items[i], slice_from_cstr(names[n]),
					       now_ms);
		add_row(d, "run", slice_from_cstr(names[n]), values);
	}
}

/* The value as people see it, or in JSON as the server gives it. */
static struct slice value_of(const struct diff *d, const struct json_value *item_or_null,
			     enum run_part part)
{
	const struct json_value *value = json_tree_get(item_or_null, "value");
	if (value == NULL)
		return (struct slice){0};
	if (part == RUN_METRICS && d->w_or_null == NULL)
		return format_number(d->cli->arena, json_tree_double(value, 0));
	return value->text;
}

static void add_part(struct diff *d, enum run_part part, const char *kind)
{
	struct slice *keys, *values = ARENA_NEW(d->cli->arena, struct slice, d->runs.count);
	size_t count = run_set_keys(d->cli, &d->runs, part, &keys);
	for (size_t k = 0; k < count; k++) {
		if (part == RUN_TAGS && !d->is_all && run_tag_is_automatic(keys[k]))
			continue;
		for (size_t i = 0; i < d->runs.count; i++)
			values[i] = value_of(d, run_find(d->runs.items[i], part, keys[k]), part);
		add_row(d, kind, keys[k], values);
	}
}

static void add_all(struct diff *d)
{
	add_attributes(d);
	add_part(d, RUN_PARAMS, "param");
	add_part(d, RUN_METRICS, "metric");
	add_part(d, RUN_TAGS, "tag");
}

static bool print_json(struct diff *d, struct error *err)
{
	struct json_writer *w = cli_begin_json(d->cli);
	d->w_or_null = w;
	json_object_begin(w);
	json_key(w, "runs");
	json_array_begin(w);
	for (size_t i = 0; i < d->runs.count; i++)
		json_string(w, run_id_of(d->runs.items[i]));
	json_array_end(w);
	json_key(w, "rows");
	json_array_begin(w);
	add_all(d);
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(d->cli, err);
}

bool run_diff(struct cli *cli, struct error *err)
{
	struct diff d = {.cli = cli,
			 .is_all = cli_flag(cli, "all"),
			 .runs.count = cli->arguments.word_count};
	struct table table;
	d.runs.items = ARENA_NEW(cli->arena, const struct json_value *, d.runs.count);
	for (size_t i = 0; i < d.runs.count; i++) {
		if (!lookup_run_entity(cli, cli_word(cli, i), &d.runs.items[i], err))
			return false;
	}
	if (cli->json)
		return print_json(&d, err);
	table_init(&table, cli->arena);
	d.table_or_null = &table;
	table_column(&table, SLICE(""), TABLE_WHOLE);
	table_column(&table, SLICE("NAME"), 0);
	for (size_t i = 0; i < d.runs.count; i++)
		table_column(&table, slice_first(run_id_of(d.runs.items[i]), 8), 0);
	add_all(&d);
	(void)table_print(&table, stdout, 0); /* no column may be left out */
	if (d.rows == 0)
		cli_say(cli, "The runs do not differ.");
	return true;
}
