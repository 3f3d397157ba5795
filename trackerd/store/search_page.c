/* Reads one page of a search. */
#include "store/search_page.h"

#include "search/page_token.h"

static void experiment_id_sql(int64_t experiment_id, struct sql_builder *b);
static void add_row(struct search_page_rows *rows, size_t *capacity, unsigned id_columns,
		    const struct db_statement *st, struct arena *arena);

/* Equality with one, so that the index of the default order also gives the order. */
void search_page_experiments_sql(const int64_t *experiment_ids, size_t count, struct sql_builder *b)
{
	if (count == 1) {
		sql_text(b, SQL("= "));
		experiment_id_sql(experiment_ids[0], b);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		sql_text(b, i == 0 ? SQL("IN (") : SQL(", "));
		experiment_id_sql(experiment_ids[i], b);
	}
	sql_text(b, count == 0 ? SQL("IS NULL") : SQL(")"));
}

void search_page_limit_sql(size_t rows_max, struct sql_builder *b)
{
	sql_text(b, SQL(" LIMIT "));
	sql_value_i64(b, (int64_t)rows_max + 1);
}

bool search_page_read(struct db *db, const struct sql_builder *built,
		      const struct search_page *page, struct arena *arena,
		      struct search_page_rows *out, struct error *err)
{
	struct search_page_rows rows = {0};
	size_t capacity = 0;
	struct order_key *keys = ARENA_NEW(arena, struct order_key, page->order->count);
	struct db_statement *st = db_prepare_built(db, built, err);
	if (st == NULL)
		return false;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		if (rows.count == page->rows_max) {
			rows.next_page_token =
				page_token_encode(page->query, keys, page->order->count, arena);
			db_reset(st);
			break;
		}
		add_row(&rows, &capacity, page->id_columns, st, arena);
		if (rows.count == page->rows_max)
			order_by_keys(page->order, st, (int)page->id_columns, arena, keys);
	}
	if (row == DB_FAILED)
		return false;
	*out = rows;
	return true;
}

bool search_page_rows_max(bool is_set, int64_t max_results, int64_t otherwise, int64_t max,
			  size_t *out, struct error *err)
{
	int64_t rows_max = is_set ? max_results : otherwise;
	if (rows_max < 1)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %lld for parameter 'max_results' supplied. It must "
				 "be a positive integer",
				 (long long)rows_max);
	if (rows_max > max)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %lld for parameter 'max_results' supplied. It must "
				 "be at most %lld",
				 (long long)rows_max, (long long)max);
	*out = (size_t)rows_max;
	return true;
}

bool search_page_row_before(struct slice page_token, int64_t *row_out, struct error *err)
{
	char quoted[100];
	if (page_token.len == 0) {
		*row_out = INT64_MAX;
		return true;
	}
	if (slice_parse_i64(page_token, row_out) && *row_out > 0)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid page token: '%s'",
			 error_quote(page_token, quoted, sizeof(quoted)));
}

/* Written as a number where that can be: thousands of experiments are more than parameters can be bound. */
static void experiment_id_sql(int64_t experiment_id, struct sql_builder *b)
{
	if (experiment_id >= 0 && experiment_id <= UINT32_MAX)
		sql_number(b, (unsigned)experiment_id);
	else
		sql_value_i64(b, experiment_id);
}

static void add_row(struct search_page_rows *rows, size_t *capacity, unsigned id_columns,
		    const struct db_statement *st, struct arena *arena)
{
	if (rows->count == *capacity) {
		size_t bigger = *capacity == 0 ? 128 : *capacity * 2;
		int64_t *ids = ARENA_NEW(arena, int64_t, bigger * id_columns);
		if (rows->count > 0)
			memcpy(ids, rows->ids, rows->count * id_columns * sizeof(*ids));
		rows->ids = ids;
		*capacity = bigger;
	}
	for (unsigned i = 0; i < id_columns; i++)
		rows->ids[rows->count * id_columns + i] = db_column_i64(st, (int)i);
	rows->count++;
}
