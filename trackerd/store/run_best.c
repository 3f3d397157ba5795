/* Finds the best runs of an experiment by one metric. */
#include "store/run_best.h"

#include <math.h>

#include "search/filter.h"
#include "search/run_fields.h"
#include "store/runs_load.h"

/* The columns that each kind of value lives in, and the one that names the experiment: by the metric's own an
 * index gives the latest values in order; by the run's the metrics of one run after the other are looked up,
 * which is three times as fast as in the order of an index that does not help. */
struct value_columns {
	struct sql value, step, timestamp, experiment_id;
};

static const struct value_columns columns_of[] = {
	[RUN_BEST_LAST] = {{"m.last_value"},
			   {"m.last_step"},
			   {"m.last_timestamp_ms"},
			   {"m.experiment_id"}},
	[RUN_BEST_MIN_OF_CURVE] = {{"m.min_value"}, {"m.min_step"}, {"NULL"}, {"r.experiment_id"}},
	[RUN_BEST_MAX_OF_CURVE] = {{"m.max_value"}, {"m.max_step"}, {"NULL"}, {"r.experiment_id"}},
};

static void statement_sql(const struct run_best *query, const struct filter *filter,
			  struct sql_builder *b);
static bool read_entries(struct db *db, const struct sql_builder *b, struct run_best_list *list,
			 struct error *err);
static bool load_runs(struct db *db, struct run_best_list *list, struct arena *arena,
		      struct error *err);

bool run_best(struct db *db, const struct run_best *query, struct arena *arena,
	      struct run_best_list *out, struct error *err)
{
	struct sql_builder b;
	struct run_best_list list = {0};
	ASSERT(query->runs_max > 0 && query->runs_max <= RUN_BEST_MAX);
	sql_builder_init(&b, arena);
	if (!run_best_statement(query, arena, &b, err))
		return false;
	list.items = ARENA_NEW(arena, struct run_best_entry, query->runs_max);
	if (!read_entries(db, &b, &list, err) || !load_runs(db, &list, arena, err))
		return false;
	*out = list;
	return true;
}

bool run_best_statement(const struct run_best *query, struct arena *arena, struct sql_builder *b,
			struct error *err)
{
	struct filter filter;
	if (!filter_compile(&run_search_table, query->filter, arena, &filter, err))
		return false;
	statement_sql(query, &filter, b);
	return true;
}

static void statement_sql(const struct run_best *query, const struct filter *filter,
			  struct sql_builder *b)
{
	const struct value_columns *columns = &columns_of[query->value];
	sql_text(b, SQL("SELECT m.run_pk, "));
	sql_text(b, columns->value);
	sql_text(b, SQL(", "));
	sql_text(b, columns->step);
	sql_text(b, SQL(", "));
	sql_text(b, columns->timestamp);
	sql_text(b, SQL(" FROM metric_series AS m JOIN runs AS r ON r.run_pk = m.run_pk"
			" WHERE "));
	sql_text(b, columns->experiment_id);
	sql_text(b, SQL(" = "));
	sql_value_i64(b, query->experiment_id);
	sql_text(b, SQL(" AND m.name_pk = (SELECT name_pk FROM names WHERE name = "));
	sql_value_text(b, query->metric);
	/* Leaves out NaN, which is NULL; as a range it lets the index start behind them. */
	sql_text(b, SQL(") AND "));
	sql_text(b, columns->value);
	sql_text(b, SQL(" >= "));
	sql_value_double(b, -(double)INFINITY);
	sql_text(b, SQL(" AND r.is_deleted = 0"));
	filter_and_sql(filter, b);
	sql_text(b, SQL(" ORDER BY "));
	sql_text(b, columns->value);
	if (query->is_greatest)
		sql_text(b, SQL(" DESC"));
	sql_text(b, SQL(", m.run_pk LIMIT "));
	sql_value_i64(b, (int64_t)query->runs_max);
}

static bool read_entries(struct db *db, const struct sql_builder *b, struct run_best_list *list,
			 struct error *err)
{
	struct db_statement *st = db_prepare_built(db, b, err);
	if (st == NULL)
		return false;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct run_best_entry *entry = &list->items[list->count++];
		entry->run.pk.value = db_column_i64(st, 0);
		entry->value = db_column_double(st, 1);
		entry->step = db_column_i64(st, 2);
		entry->has_timestamp = !db_column_is_null(st, 3);
		if (entry->has_timestamp)
			entry->timestamp_ms = db_column_i64(st, 3);
	}
	return row == DB_DONE;
}

static bool load_runs(struct db *db, struct run_best_list *list, struct arena *arena,
		      struct error *err)
{
	struct run_pk *pks = ARENA_NEW(arena, struct run_pk, list->count);
	struct run *runs = ARENA_NEW(arena, struct run, list->count);
	for (size_t i = 0; i < list->count; i++)
		pks[i] = list->items[i].run.pk;
	if (!runs_load(db, pks, list->count, arena, runs, err))
		return false;
	for (size_t i = 0; i < list->count; i++)
		list->items[i].run = runs[i];
	return true;
}
