/* Searches experiments. */
#include "store/experiment_search.h"

#include "search/experiment_fields.h"
#include "search/filter.h"
#include "search/order_by.h"
#include "search/page_token.h"
#include "store/experiments.h"
#include "store/search_page.h"

static bool find_ids(struct db *db, const struct experiment_search *search, struct arena *arena,
		     struct search_page_rows *out, struct error *err);
static uint64_t query_digest(const struct experiment_search *search);
static void statement_sql(const struct experiment_search *search, const struct filter *filter,
			  const struct order_by *order, const struct order_key *after_or_null,
			  struct sql_builder *b);

bool experiment_search(struct db *db, const struct experiment_search *search, struct arena *arena,
		       struct experiment_search_page *out, struct error *err)
{
	struct search_page_rows rows;
	if (!find_ids(db, search, arena, &rows, err))
		return false;
	struct experiment_search_page page = {
		.experiments = ARENA_NEW(arena, struct experiment, rows.count),
		.count = rows.count,
		.next_page_token = rows.next_page_token,
	};
	if (!experiments_load(db, rows.ids, rows.count, arena, page.experiments, err))
		return false;
	*out = page;
	return true;
}

static bool find_ids(struct db *db, const struct experiment_search *search, struct arena *arena,
		     struct search_page_rows *out, struct error *err)
{
	struct filter filter;
	struct order_by order;
	const struct order_key *after;
	struct sql_builder b;
	uint64_t query = query_digest(search);
	if (!filter_compile(&experiment_search_table, search->filter, arena, &filter, err) ||
	    !order_by_compile(&experiment_search_table, search->order_by, search->order_by_count,
			      arena, &order, err) ||
	    !page_token_decode(search->page_token, query, &order, arena, &after, err))
		return false;
	sql_builder_init(&b, arena);
	statement_sql(search, &filter, &order, after, &b);
	const struct search_page page = {
		.order = &order,
		.id_columns = 1,
		.rows_max = search->rows_max,
		.query = query,
	};
	return search_page_read(db, &b, &page, arena, out, err);
}

static uint64_t query_digest(const struct experiment_search *search)
{
	uint64_t query = page_query_begin(experiment_search_table.name);
	query = page_query_text(query, search->filter);
	query = page_query_texts(query, search->order_by, search->order_by_count);
	return page_query_i64(query, search->view);
}

static void statement_sql(const struct experiment_search *search, const struct filter *filter,
			  const struct order_by *order, const struct order_key *after_or_null,
			  struct sql_builder *b)
{
	sql_text(b, SQL("SELECT e.experiment_id"));
	order_by_columns_sql(order, b);
	sql_text(b, SQL(" FROM experiments AS e"));
	order_by_joins_sql(order, b);
	if (search->view == SEARCH_VIEW_ACTIVE)
		sql_text(b, SQL(" WHERE e.is_deleted = 0"));
	else if (search->view == SEARCH_VIEW_DELETED)
		sql_text(b, SQL(" WHERE e.is_deleted = 1"));
	else
		sql_text(b, SQL(" WHERE e.is_deleted < 2")); /* see garbage.h */
	filter_and_sql(filter, b);
	if (after_or_null != NULL)
		order_by_after_sql(order, after_or_null, b);
	order_by_sql(order, b);
	search_page_limit_sql(search->rows_max, b);
}
