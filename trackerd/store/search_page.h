/* One page of a search: runs a statement that ends in an order, and makes the token of the next page.
 *
 * Shared by the searches of runs, experiments, models and versions. The statement selects the row numbers
 * of the entity (integers that are never NULL), then order_by_columns_sql's columns, and ends with
 * search_page_limit_sql: it reads one row more than wanted, because only then is it known whether there
 * is a next page. Read-only; the arena keeps the results. */
#ifndef STORE_SEARCH_PAGE_H
#define STORE_SEARCH_PAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "db/sql_builder.h"
#include "search/order_by.h"

struct search_page {
	const struct order_by *order;
	unsigned id_columns; /* row numbers in front of the order columns: 1, or 2 for (model_pk, version) */
	size_t rows_max;     /* rows on a page, > 0 */
	uint64_t query;      /* digest for the token (search/page_token.h) */
};

struct search_page_rows {
	int64_t *ids; /* id_columns for each row, in order */
	size_t count; /* rows */
	struct slice next_page_token; /* absent when there are no more rows */
};

/* What follows a column of experiment ids: "= 1", "IN (1, 2)", or "IS NULL" for none. */
void search_page_experiments_sql(const int64_t *experiment_ids, size_t count, struct sql_builder *b);
/* What follows the order: " LIMIT $n". */
void search_page_limit_sql(size_t rows_max, struct sql_builder *b);
MUST_CHECK bool search_page_read(struct db *db, const struct sql_builder *built, const struct search_page *page,
				 struct arena *arena, struct search_page_rows *out, struct error *err);
/* max_results as peers give it: absent takes `otherwise`; fails outside 1..max with MLflow's sentence. */
MUST_CHECK bool search_page_rows_max(bool is_set, int64_t max_results, int64_t otherwise, int64_t max,
				     size_t *out, struct error *err);

/* For lists whose token is the number of the row that a page ended with, newest first: that number; INT64_MAX for the
 * first page, whose token is empty or absent. */
MUST_CHECK bool search_page_row_before(struct slice page_token, int64_t *row_out, struct error *err);

#endif
