/* Owns the reading of latest metrics for whole runs (metrics_latest of metrics.h). */
#include <stdlib.h>

#include "db/sql_builder.h"
#include "store/metric_series.h"
#include "store/metrics.h"
#include "store/name_map.h"
#include "store/pk_list.h"

/* All rows of a statement, run by run. */
struct latest_rows {
	struct metric *items;
	size_t count, capacity;
};

static bool load_piece(struct db *db, struct pk_list *list, struct name_map *names,
		       struct arena *arena, struct metric_list *lists, struct error *err);
static void rows_add(struct latest_rows *rows, const struct metric *metric, struct arena *arena);
static void hand_out(const struct pk_list *list, const struct latest_rows *rows,
		     struct metric_list *lists);
static int compare_keys(const void *a, const void *b);

bool metrics_latest(struct db *db, const struct run_pk *run_pks, size_t count, struct arena *arena,
		    struct metric_list *lists_out, struct error *err)
{
	struct metric_list *lists = ARENA_NEW(arena, struct metric_list, count);
	struct name_map names;
	name_map_init(&names, db, arena);
	for (size_t from = 0; from < count; from += PK_LIST_COUNT_MAX) {
		int64_t pks[PK_LIST_COUNT_MAX];
		size_t left = count - from;
		size_t piece_count = left < PK_LIST_COUNT_MAX ? left : PK_LIST_COUNT_MAX;
		for (size_t i = 0; i < piece_count; i++)
			pks[i] = run_pks[from + i].value;
		struct pk_list list;
		pk_list_init(&list, pks, piece_count, from, arena);
		if (!load_piece(db, &list, &names, arena, lists, err))
			return false;
	}
	memcpy(lists_out, lists, count * sizeof(lists[0]));
	return true;
}

static bool load_piece(struct db *db, struct pk_list *list, struct name_map *names,
		       struct arena *arena, struct metric_list *lists, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT run_pk, name_pk, last_value, last_step, last_timestamp_ms"
			 " FROM metric_series WHERE run_pk IN "));
	pk_list_append(list, &b);
	sql_text(&b, SQL(" ORDER BY run_pk, name_pk"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	struct latest_rows rows = {0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct metric metric = {.value = metric_value_column(st, 2),
					.step = db_column_i64(st, 3),
					.timestamp_ms = db_column_i64(st, 4)};
		struct name_pk name_pk = {db_column_i64(st, 1)};
		if (!name_map_get(names, name_pk, &metric.key, err)) {
			db_reset(st);
			return false;
		}
		lists[pk_list_seek(list, db_column_i64(st, 0))->index].count++;
		rows_add(&rows, &metric, arena);
	}
	if (row == DB_FAILED)
		return false;
	hand_out(list, &rows, lists);
	return true;
}

static void rows_add(struct latest_rows *rows, const struct metric *metric, struct arena *arena)
{
	if (rows->count == rows->capacity) {
		size_t capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
		struct metric *items = ARENA_NEW(arena, struct metric, capacity);
		if (rows->count > 0)
			memcpy(items, rows->items, rows->count * sizeof(items[0]));
		rows->items = items;
		rows->capacity = capacity;
	}
	rows->items[rows->count++] = *metric;
}

/* The rows stand in the order of the list: each run gets the next `count` of them, sorted by key. */
static void hand_out(const struct pk_list *list, const struct latest_rows *rows,
		     struct metric_list *lists)
{
	struct metric *next = rows->items;
	for (size_t i = 0; i < list->count; i++) {
		struct metric_list *metrics = &lists[list->slots[i].index];
		if (metrics->count == 0)
			continue;
		metrics->items = next;
		next += metrics->count;
		qsort(metrics->items, metrics->count, sizeof(metrics->items[0]), compare_keys);
	}
}

static int compare_keys(const void *a, const void *b)
{
	return slice_compare(((const struct metric *)a)->key, ((const struct metric *)b)->key);
}
