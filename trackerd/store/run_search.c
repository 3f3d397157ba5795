/* Searches runs. */
#include "store/run_search.h"

#include "search/filter.h"
#include "search/order_by.h"
#include "search/page_token.h"
#include "search/run_fields.h"
#include "store/runs_load.h"
#include "store/search_page.h"

/* A search whose texts are compiled. */
struct plan {
	struct filter filter;
	struct order_by order;
	uint64_t query;
	const struct order_key *after_or_null;
	int64_t *experiment_ids;
	size_t experiment_count;
};

static bool plan_compile(const struct run_search *search, struct arena *arena, struct plan *out,
			 struct error *err);
static uint64_t query_digest(const struct run_search *search);
static void parse_experiment_ids(const struct run_search *search, struct arena *arena,
				 struct plan *plan);
static void statement_sql(const struct run_search *search, const struct plan *plan,
			  struct sql_builder *b);
static bool load_runs(struct db *db, const struct search_page_rows *rows, struct arena *arena,
		      struct run_search_page *out, struct error *err);

bool run_search(struct db *db, const struct run_search *search, struct arena *arena,
		struct run_search_page *out, struct error *err)
{
	struct plan plan;
	struct sql_builder b;
	struct search_page_rows rows = {0};
	if (!plan_compile(search, arena, &plan, err))
		return false;
	if (plan.experiment_count > 0) {
		sql_builder_init(&b, arena);
		statement_sql(search, &plan, &b);
		const struct search_page page = {
			.order = &plan.order,
			.id_columns = 1,
			.rows_max = search->rows_max,
			.query = plan.query,
		};
		if (!search_page_read(db, &b, &page, arena, &rows, err))
			return false;
	}
	return load_runs(db, &rows, arena, out, err);
}

bool run_search_statement(const struct run_search *search, struct arena *arena,
			  struct sql_builder *b, struct error *err)
{
	struct plan plan;
	if (!plan_compile(search, arena, &plan, err))
		return false;
	statement_sql(search, &plan, b);
	return true;
}

static bool plan_compile(const struct run_search *search, struct arena *arena, struct plan *out,
			 struct error *err)
{
	struct plan plan = {.query = query_digest(search)};
	if (!filter_compile(&run_search_table, search->filter, arena, &plan.filter, err) ||
	    !order_by_compile(&run_search_table, search->order_by, search->order_by_count, arena,
			      &plan.order, err) ||
	    !page_token_decode(search->page_token, plan.query, &plan.order, arena,
			       &plan.after_or_null, err))
		return false;
	parse_experiment_ids(search, arena, &plan);
	*out = plan;
	return true;
}

static uint64_t query_digest(const struct run_search *search)
{
	uint64_t query = page_query_begin(run_search_table.name);
	query = page_query_text(query, search->filter);
	query = page_query_texts(query, search->order_by, search->order_by_count);
	query = page_query_texts(query, search->experiment_ids, search->experiment_count);
	return page_query_i64(query, search->view);
}

static void parse_experiment_ids(const struct run_search *search, struct arena *arena,
				 struct plan *plan)
{
	if (search->experiment_count == 0)
		return;
	plan->experiment_ids = ARENA_NEW(arena, int64_t, search->experiment_count);
	for (size_t i = 0; i < search->experiment_count; i++) {
		int64_t experiment_id;
		if (slice_parse_i64(search->experiment_ids[i], &experiment_id))
			plan->experiment_ids[plan->experiment_count++] = experiment_id;
	}
}

static void statement_sql(const struct run_search *search, const struct plan *plan,
			  struct sql_builder *b)
{
	sql_text(b, SQL("SELECT r.run_pk"));
	order_by_columns_sql(&plan->order, b);
	sql_text(b, SQL(" FROM runs AS r"));
	order_by_joins_sql(&plan->order, b);
	sql_text(b, SQL(" WHERE r.experiment_id "));
	search_page_experiments_sql(plan->experiment_ids, plan->experiment_count, b);
	if (search->view == SEARCH_VIEW_ACTIVE)
		sql_text(b, SQL(" AND r.is_deleted = 0"));
	else if (search->view == SEARCH_VIEW_DELETED)
		sql_text(b, SQL(" AND r.is_deleted = 1"));
	else /* the sign keeps this from being taken for a range of the index; see garbage.h */
		sql_text(b, SQL(" AND +r.is_deleted < 2"));
	filter_and_sql(&plan->filter, b);
	if (plan->after_or_null != NULL)
		order_by_after_sql(&plan->order, plan->after_or_null, b);
	order_by_sql(&plan->order, b);
	search_page_limit_sql(search->rows_max, b);
}

static bool load_runs(struct db *db, const struct search_page_rows *rows, struct arena *arena,
		      struct run_search_page *out, struct error *err)
{
	struct run_search_page page = {
		.runs = ARENA_NEW(arena, struct run, rows->count),
		.count = rows->count,
		.next_page_token = rows->next_page_token,
	};
	struct run_pk *pks = ARENA_NEW(arena, struct run_pk, rows->count);
	for (size_t i = 0; i < rows->count; i++)
		pks[i].value = rows->ids[i];
	if (!runs_load(db, pks, rows->count, arena, page.runs, err))
		return false;
	*out = page;
	return true;
}
