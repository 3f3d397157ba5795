/* Owns the listing of a run's curves. */
#include "store/metric_summary.h"

#include <stdlib.h>

static void list_add(struct metric_summary_list *list, const struct metric_summary *summary,
		     struct arena *arena);
static int compare_names(const void *a, const void *b);

bool metric_summary_read(struct db *db, struct run_pk run_pk, struct arena *arena,
			 struct metric_summary_list *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " METRIC_SERIES_COLUMNS ", name FROM metric_series"
			       " JOIN names USING (name_pk) WHERE run_pk = $1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	struct metric_summary_list list = {0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct metric_summary summary = {
			.name = db_column_copy(st, METRIC_SERIES_COLUMN_COUNT, arena)};
		metric_series_read(st, &summary.series);
		list_add(&list, &summary, arena);
	}
	if (row == DB_FAILED)
		return false;
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(list.items[0]), compare_names);
	*out = list;
	return true;
}

static void list_add(struct metric_summary_list *list, const struct metric_summary *summary,
		     struct arena *arena)
{
	/* Grows at the powers of two. */
	if ((list->count & (list->count - 1)) == 0) {
		size_t capacity = list->count == 0 ? 1 : 2 * list->count;
		struct metric_summary *items = ARENA_NEW(arena, struct metric_summary, capacity);
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(items[0]));
		list->items = items;
	}
	list->items[list->count++] = *summary;
}

static int compare_names(const void *a, const void *b)
{
	return slice_compare(((const struct metric_summary *)a)->name,
			     ((const struct metric_summary *)b)->name);
}
