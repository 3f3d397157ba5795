/* One page of a search: runs a statement that ends in an order, and makes the token of the next page.
 *
 * Shared by the searches of runs, experiments, models and versions. The statement's select list is some
 * columns of the entity followed by order_by_columns_sql's, and it must be built with
 * LIMIT search_page_limit(rows_max), one row more than wanted, because only then is it known whether
 * there is a next page. Read-only; the arena keeps the results. */
#ifndef STORE_SEARCH_PAGE_H
#define STORE_SEARCH_PAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "db/sql_builder.h"
#include "search/order_by.h"

struct search_page {
	const struct order_by *order;
	int order_column;  /* index of the first order column in the select list */
	size_t rows_max;   /* rows on a page, > 0 */
	uint64_t query;    /* digest for the token (search/page_token.h) */
	/* Called for each row of the page, in order; the statement stands on it. */
	void (*row_cb)(const struct db_statement *st, struct arena *arena, void *context);
	void *context;
};

/* What follows the order: " LIMIT $n". */
void search_page_limit_sql(size_t rows_max, struct sql_builder *b);
/* *token_out is absent when there are no more rows. */
MUST_CHECK bool search_page_read(struct db *db, const struct sql_builder *built, const struct search_page *page,
				 struct arena *arena, struct slice *token_out, struct error *err);
/* max_results as peers give it: absent takes `otherwise`; fails outside 1..max with MLflow's sentence. */
MUST_CHECK bool search_page_rows_max(bool is_set, int64_t max_results, int64_t otherwise, int64_t max,
				     size_t *out, struct error *err);

#endif
