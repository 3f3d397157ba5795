/* Owns the statements that search the registry. */
#include "store/model_search.h"

#include "search/filter.h"
#include "search/model_fields.h"
#include "search/page_token.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/search_page.h"

/* What differs between the two searches. */
struct subject {
	const struct search_table *table;
	struct sql select; /* the row numbers */
	unsigned id_columns;
	struct sql from;
	struct sql without_prompts;
};

static const struct subject models = {
	&model_search_table,
	SQL_LITERAL("SELECT m.model_pk"),
	1,
	SQL_LITERAL(" FROM registered_models AS m"),
	SQL_LITERAL(" AND NOT EXISTS (SELECT 1 FROM registered_model_tags AS p WHERE p.model_pk = "
		    "m.model_pk"
		    " AND p.key = '" PROMPT_TAG "' AND p.value = 'true')"),
};

static const struct subject versions = {
	&model_version_search_table,
	SQL_LITERAL("SELECT v.model_pk, v.version"),
	2,
	SQL_LITERAL(
		" FROM model_versions AS v JOIN registered_models AS m ON m.model_pk = v.model_pk"),
	SQL_LITERAL(" AND NOT EXISTS (SELECT 1 FROM model_version_tags AS p WHERE p.model_pk = "
		    "v.model_pk"
		    " AND p.version = v.version AND p.key = '" PROMPT_TAG
		    "' AND p.value = 'true')"),
};

static bool search_page(struct db *db, const struct subject *subject,
			const struct model_search *search, struct arena *arena,
			struct search_page_rows *out, struct error *err)
{
	struct filter filter;
	struct order_by order;
	const struct order_key *keys;
	uint64_t query = page_query_begin(subject->table->name);
	query = page_query_text(query, search->filter);
	query = page_query_texts(query, search->order_by, search->order_by_count);
	if (!filter_compile(subject->table, search->filter, arena, &filter, err) ||
	    !order_by_compile(subject->table, search->order_by, search->order_by_count, arena,
			      &order, err) ||
	    !page_token_decode(search->page_token, query, &order, arena, &keys, err))
		return false;

	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, subject->select);
	order_by_columns_sql(&order, &b);
	sql_text(&b, subject->from);
	order_by_joins_sql(&order, &b);
	sql_text(&b, SQL(" WHERE 1"));
	if (!filter_mentions(&filter, "tag", PROMPT_TAG))
		sql_text(&b, subject->without_prompts);
	filter_and_sql(&filter, &b);
	if (keys != NULL)
		order_by_after_sql(&order, keys, &b);
	order_by_sql(&order, &b);
	search_page_limit_sql(search->rows_max, &b);

	const struct search_page page = {.order = &order,
					 .id_columns = subject->id_columns,
					 .rows_max = search->rows_max,
					 .query = query};
	return search_page_read(db, &b, &page, arena, out, err);
}

bool model_search_models(struct db *db, const struct model_search *search, struct arena *arena,
			 struct registered_model_list *out, struct slice *token_out,
			 struct error *err)
{
	struct search_page_rows found;
	if (!search_page(db, &models, search, arena, &found, err))
		return false;
	out->items = ARENA_NEW(arena, struct registered_model, found.count);
	for (out->count = 0; out->count < found.count; out->count++) {
		const struct model_pk pk = {found.ids[out->count]};
		if (!model_load(db, pk, arena, &out->items[out->count], err))
			return false;
	}
	*token_out = found.next_page_token;
	return true;
}

bool model_search_versions(struct db *db, const struct model_search *search, struct arena *arena,
			   struct model_version_list *out, struct slice *token_out,
			   struct error *err)
{
	struct search_page_rows found;
	if (!search_page(db, &versions, search, arena, &found, err))
		return false;
	out->items = ARENA_NEW(arena, struct model_version, found.count);
	for (out->count = 0; out->count < found.count; out->count++) {
		const struct model_pk pk = {found.ids[2 * out->count]};
		if (!model_version_load_by_pk(db, pk, found.ids[2 * out->count + 1], arena,
					      &out->items[out->count], err))
			return false;
	}
	*token_out = found.next_page_token;
	return true;
}
