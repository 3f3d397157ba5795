/* Searches logged models. */
#include "store/logged_model_search.h"

#include "search/filter.h"
#include "search/logged_model_fields.h"
#include "search/order_by.h"
#include "search/page_token.h"
#include "store/logged_models_load.h"
#include "store/search_page.h"

/* A search whose texts are compiled. */
struct plan {
	struct filter filter;
	const struct sql_builder *datasets_or_null; /* " AND (…)" on rows of metrics */
	struct order_by order;
	uint64_t query;
	const struct order_key *after_or_null;
};

static bool plan_compile(const struct logged_model_search *search, struct arena *arena,
			 struct plan *out, struct error *err);
static bool compile_filter(const struct logged_model_search *search, struct arena *arena,
			   struct plan *plan, struct error *err);
static bool compile_order(const struct logged_model_search *search, struct arena *arena,
			  struct plan *plan, struct error *err);
static const struct sql_builder *datasets_sql(const struct logged_model_dataset *datasets,
					      size_t count, struct arena *arena);
static uint64_t query_digest(const struct logged_model_search *search);
static void statement_sql(const struct logged_model_search *search, const struct plan *plan,
			  struct sql_builder *b);

bool logged_model_search(struct db *db, const struct logged_model_search *search,
			 struct arena *arena, struct logged_model_page *out, struct error *err)
{
	struct plan plan;
	struct sql_builder b;
	struct search_page_rows rows = {0};
	if (!plan_compile(search, arena, &plan, err))
		return false;
	const struct search_page page = {
		.order = &plan.order,
		.id_columns = 1,
		.rows_max = search->rows_max,
		.query = plan.query,
	};
	sql_builder_init(&b, arena);
	statement_sql(search, &plan, &b);
	if (!search_page_read(db, &b, &page, arena, &rows, err))
		return false;
	out->models = ARENA_NEW(arena, struct logged_model, rows.count);
	out->count = rows.count;
	out->next_page_token = rows.next_page_token;
	return logged_models_load(db, rows.ids, rows.count, arena, out->models, err);
}

bool logged_model_search_statement(const struct logged_model_search *search, struct arena *arena,
				   struct sql_builder *b, struct error *err)
{
	struct plan plan;
	if (!plan_compile(search, arena, &plan, err))
		return false;
	statement_sql(search, &plan, b);
	return true;
}

static bool plan_compile(const struct logged_model_search *search, struct arena *arena,
			 struct plan *out, struct error *err)
{
	struct plan plan = {.query = query_digest(search)};
	if (!compile_filter(search, arena, &plan, err) ||
	    !compile_order(search, arena, &plan, err) ||
	    !page_token_decode(search->page_token, plan.query, &plan.order, arena,
			       &plan.after_or_null, err))
		return false;
	*out = plan;
	return true;
}

static bool compile_filter(const struct logged_model_search *search, struct arena *arena,
			   struct plan *plan, struct error *err)
{
	const struct search_table *table = &logged_model_search_table;
	plan->datasets_or_null = datasets_sql(search->datasets, search->dataset_count, arena);
	if (plan->datasets_or_null != NULL)
		table = logged_model_search_table_narrowed(plan->datasets_or_null, arena);
	return filter_compile(table, search->filter, arena, &plan->filter, err);
}

static bool compile_order(const struct logged_model_search *search, struct arena *arena,
			  struct plan *plan, struct error *err)
{
	struct order_field *fields = ARENA_NEW(arena, struct order_field, search->order_by_count);
	for (size_t i = 0; i < search->order_by_count; i++) {
		const struct logged_model_order *order = &search->order_by[i];
		fields[i] = (struct order_field){
			.name = order->field,
			.is_descending = order->is_descending,
			.narrowing_or_null = datasets_sql(&order->dataset, 1, arena),
		};
	}
	return order_by_compile_fields(&logged_model_search_table, fields, search->order_by_count,
				       arena, &plan->order, err);
}

/* " AND (dataset_name = $1 AND dataset_digest = $2 OR …)", or NULL when that would be every dataset. */
static const struct sql_builder *datasets_sql(const struct logged_model_dataset *datasets,
					      size_t count, struct arena *arena)
{
	struct sql_builder *b = ARENA_NEW(arena, struct sql_builder, 1);
	sql_builder_init(b, arena);
	for (size_t i = 0; i < count; i++) {
		bool has_name = datasets[i].name.len > 0, has_digest = datasets[i].digest.len > 0;
		if (!has_name && !has_digest)
			return NULL;
		sql_text(b, i == 0 ? SQL(" AND (") : SQL(" OR "));
		if (has_name) {
			sql_text(b, SQL("dataset_name = "));
			sql_value_text(b, datasets[i].name);
		}
		if (has_name && has_digest)
			sql_text(b, SQL(" AND "));
		if (has_digest) {
			sql_text(b, SQL("dataset_digest = "));
			sql_value_text(b, datasets[i].digest);
		}
	}
	sql_text(b, count > 0 ? SQL(")") : SQL(""));
	return count > 0 ? b : NULL;
}

static uint64_t query_digest(const struct logged_model_search *search)
{
	uint64_t query = page_query_begin(logged_model_search_table.name);
	query = page_query_text(query, search->filter);
	query = page_query_i64(query, (int64_t)search->experiment_count);
	for (size_t i = 0; i < search->experiment_count; i++)
		query = page_query_i64(query, search->experiment_ids[i]);
	query = page_query_i64(query, (int64_t)search->dataset_count);
	for (size_t i = 0; i < search->dataset_count; i++) {
		query = page_query_text(query, search->datasets[i].name);
		query = page_query_text(query, search->datasets[i].digest);
	}
	for (size_t i = 0; i < search->order_by_count; i++) {
		const struct logged_model_order *order = &search->order_by[i];
		query = page_query_text(query, order->field);
		query = page_query_i64(query, order->is_descending);
		query = page_query_text(query, order->dataset.name);
		query = page_query_text(query, order->dataset.digest);
	}
	return query;
}

static void statement_sql(const struct logged_model_search *search, const struct plan *plan,
			  struct sql_builder *b)
{
	sql_text(b, SQL("SELECT l.logged_model_pk"));
	order_by_columns_sql(&plan->order, b);
	sql_text(b, SQL(" FROM logged_models AS l"));
	order_by_joins_sql(&plan->order, b);
	sql_text(b, SQL(" WHERE l.experiment_id "));
	search_page_experiments_sql(search->experiment_ids, search->experiment_count, b);
	sql_text(b, SQL(" AND l.is_deleted = 0"));
	if (plan->datasets_or_null != NULL &&
	    !filter_mentions(&plan->filter, LOGGED_MODEL_METRICS, NULL)) {
		sql_text(b, SQL(" AND EXISTS (SELECT 1 FROM logged_model_metrics AS p"
				" WHERE p.logged_model_pk = l.logged_model_pk"));
		sql_append(b, plan->datasets_or_null);
		sql_text(b, SQL(")"));
	}
	filter_and_sql(&plan->filter, b);
	if (plan->after_or_null != NULL)
		order_by_after_sql(&plan->order, plan->after_or_null, b);
	order_by_sql(&plan->order, b);
	search_page_limit_sql(search->rows_max, b);
}
