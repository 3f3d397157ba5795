/* Searches traces. */
#include "store/trace_search.h"

#include "search/filter.h"
#include "search/order_by.h"
#include "search/page_token.h"
#include "search/trace_fields.h"
#include "store/search_page.h"
#include "store/traces_load.h"

static bool find_rows(struct db *db, const struct trace_search *search, struct arena *arena,
		      struct search_page_rows *out, struct error *err);
static uint64_t query_digest(const struct trace_search *search);

bool trace_search(struct db *db, const struct trace_search *search, struct arena *arena,
		  struct trace_list *out, struct slice *token_out, struct error *err)
{
	struct search_page_rows rows;
	if (!find_rows(db, search, arena, &rows, err))
		return false;
	struct trace_pk *pks = ARENA_NEW(arena, struct trace_pk, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		pks[i].value = rows.ids[i];
	struct trace_list list = {ARENA_NEW(arena, struct trace, rows.count), rows.count};
	if (!traces_load(db, pks, rows.count, arena, list.items, err))
		return false;
	*out = list;
	*token_out = rows.next_page_token;
	return true;
}

static bool find_rows(struct db *db, const struct trace_search *search, struct arena *arena,
		      struct search_page_rows *out, struct error *err)
{
	struct filter filter;
	struct order_by order;
	const struct order_key *after;
	struct sql_builder b;
	uint64_t query = query_digest(search);
	if (!filter_compile(&trace_search_table, search->filter, arena, &filter, err) ||
	    !order_by_compile(&trace_search_table, search->order_by, search->order_by_count, arena,
			      &order, err) ||
	    !page_token_decode(search->page_token, query, &order, arena, &after, err))
		return false;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT t.trace_pk"));
	order_by_columns_sql(&order, &b);
	sql_text(&b, SQL(" FROM traces AS t"));
	order_by_joins_sql(&order, &b);
	sql_text(&b, SQL(" WHERE t.experiment_id "));
	search_page_experiments_sql(search->experiment_ids, search->experiment_count, &b);
	filter_and_sql(&filter, &b);
	if (after != NULL)
		order_by_after_sql(&order, after, &b);
	order_by_sql(&order, &b);
	search_page_limit_sql(search->rows_max, &b);
	const struct search_page page = {
		.order = &order, .id_columns = 1, .rows_max = search->rows_max, .query = query};
	return search_page_read(db, &b, &page, arena, out, err);
}

static uint64_t query_digest(const struct trace_search *search)
{
	uint64_t query = page_query_begin(trace_search_table.name);
	query = page_query_text(query, search->filter);
	query = page_query_texts(query, search->order_by, search->order_by_count);
	for (size_t i = 0; i < search->experiment_count; i++)
		query = page_query_i64(query, search->experiment_ids[i]);
	return query;
}
