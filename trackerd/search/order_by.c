/* Compiles orders, and writes their SQL and the condition of the next page. */
#include "search/order_by.h"

#include "limits.h"
#include "search/filter_lexer.h"
#include "search/filter_resolver.h"
#include "search/keyed_sql.h"

enum { QUOTE_BYTES = 128 };

static bool check_count(size_t count, struct error *err);
static bool compile_clause(const struct search_table *table, struct slice clause,
			   struct order_term *out, struct error *err);
static bool resolve_field(const struct search_table *table, const struct order_field *field,
			  struct order_term *out, struct error *err);
static bool parse_direction(struct filter_lexer *lexer, struct order_term *term);
static bool fail_clause(struct slice clause, const char *reason, struct error *err);
static bool contains(const struct order_by *order, const struct order_term *term);
static void add_steps(struct order_by *order, const struct search_order steps[SEARCH_ORDERS_MAX]);
static bool is_keyed(const struct order_term *term);
static void first_row_sql(const struct search_table *table, const struct order_term *term,
			  const struct sql_alias *alias, struct sql_builder *b);
static struct sql_alias alias_of(size_t index);
static void column_sql(const struct order_by *order, size_t index, struct sql_builder *b);
static void owner_sql(const struct order_by *order, size_t index, struct sql_builder *b);
static void value_sql(const struct order_key *key, struct sql_builder *b);
static void not_before_first_sql(const struct order_by *order, const struct order_key *key,
				 struct sql_builder *b);
static void behind_sql(const struct order_by *order, size_t index, const struct order_key *key,
		       struct sql_builder *b);
static void level_sql(const struct order_by *order, size_t index, const struct order_key *key,
		      struct sql_builder *b);
static enum order_key_kind value_kind(const struct order_term *term);

bool order_by_compile(const struct search_table *table, const struct slice *clauses, size_t count,
		      struct arena *arena, struct order_by *out, struct error *err)
{
	if (!check_count(count, err))
		return false;
	struct order_by order = {.table = table};
	order.terms = ARENA_NEW(arena, struct order_term, count + SEARCH_ORDERS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct order_term term = {0};
		if (!compile_clause(table, clauses[i], &term, err))
			return false;
		if (contains(&order, &term)) {
			char quoted[QUOTE_BYTES];
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "`order_by` contains duplicate fields: '%s'",
					 error_quote(clauses[i], quoted, sizeof(quoted)));
		}
		order.terms[order.count++] = term;
	}
	add_steps(&order, count == 0 ? table->default_order : table->ties);
	*out = order;
	return true;
}

bool order_by_compile_fields(const struct search_table *table, const struct order_field *fields,
			     size_t count, struct arena *arena, struct order_by *out,
			     struct error *err)
{
	if (!check_count(count, err))
		return false;
	struct order_by order = {.table = table};
	order.terms = ARENA_NEW(arena, struct order_term, count + SEARCH_ORDERS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct order_term term = {0};
		if (!resolve_field(table, &fields[i], &term, err))
			return false;
		if (!contains(&order, &term))
			order.terms[order.count++] = term;
	}
	add_steps(&order, count == 0 ? table->default_order : table->ties);
	*out = order;
	return true;
}

void order_by_columns_sql(const struct order_by *order, struct sql_builder *b)
{
	for (size_t i = 0; i < order->count; i++) {
		if (is_keyed(&order->terms[i])) {
			sql_text(b, SQL(", "));
			owner_sql(order, i, b);
		}
		sql_text(b, SQL(", "));
		column_sql(order, i, b);
	}
}

void order_by_joins_sql(const struct order_by *order, struct sql_builder *b)
{
	for (size_t i = 0; i < order->count; i++) {
		const struct order_term *term = &order->terms[i];
		struct sql_alias alias = alias_of(i);
		if (!is_keyed(term))
			continue;
		sql_text(b, SQL(" LEFT JOIN "));
		keyed_table_sql(term->family, &alias, b);
		sql_text(b, SQL(" ON "));
		if (term->family->row_column.text == NULL)
			keyed_match_sql(order->table, term->family, term->key, &alias, b);
		else
			first_row_sql(order->table, term, &alias, b);
	}
}

/* Behind term 0, or level with it and behind term 1, and so on; the innermost is written first, because SQLite's
 * parser has a small stack: "((behind 2 AND level 1 OR behind 1) AND level 0 OR behind 0)". That a row is not before
 * the key in term 0 stands alone in front: from there an index can seek, and joins of later terms are spared. */
void order_by_after_sql(const struct order_by *order, const struct order_key *keys,
			struct sql_builder *b)
{
	sql_text(b, SQL(" AND "));
	not_before_first_sql(order, &keys[0], b);
	sql_text(b, SQL(" AND "));
	for (size_t i = 0; i < order->count; i++)
		sql_text(b, SQL("("));
	for (size_t i = order->count; i-- > 0;) {
		if (i + 1 < order->count) {
			sql_text(b, SQL(" AND "));
			level_sql(order, i, &keys[i], b);
			sql_text(b, SQL(" OR "));
		}
		behind_sql(order, i, &keys[i], b);
		sql_text(b, SQL(")"));
	}
}

void order_by_sql(const struct order_by *order, struct sql_builder *b)
{
	for (size_t i = 0; i < order->count; i++) {
		const struct order_term *term = &order->terms[i];
		sql_text(b, i == 0 ? SQL(" ORDER BY ") : SQL(", "));
		if (is_keyed(term)) {
			owner_sql(order, i, b);
			sql_text(b, SQL(" IS NULL, "));
		}
		if (term->field->is_nullable) {
			column_sql(order, i, b);
			sql_text(b, SQL(" IS NULL, "));
		}
		column_sql(order, i, b);
		if (term->is_descending)
			sql_text(b, SQL(" DESC"));
	}
}

void order_by_keys(const struct order_by *order, const struct db_statement *st, int first_column,
		   struct arena *arena, struct order_key *keys_out)
{
	int column = first_column;
	for (size_t i = 0; i < order->count; i++) {
		const struct order_term *term = &order->terms[i];
		struct order_key key = {.kind = value_kind(term)};
		bool is_missing = is_keyed(term) && db_column_is_null(st, column++);
		if (is_missing)
			key.kind = ORDER_KEY_MISSING;
		else if (db_column_is_null(st, column))
			key.kind = ORDER_KEY_NULL;
		else if (key.kind == ORDER_KEY_INTEGER)
			key.integer = db_column_i64(st, column);
		else if (key.kind == ORDER_KEY_REAL)
			key.real = db_column_double(st, column);
		else
			key.text = db_column_copy(st, column, arena);
		column++;
		keys_out[i] = key;
	}
}

bool order_by_keys_fit(const struct order_by *order, const struct order_key *keys, size_t count)
{
	if (count != order->count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct order_term *term = &order->terms[i];
		bool fits = keys[i].kind == value_kind(term) ||
			    (keys[i].kind == ORDER_KEY_NULL && term->field->is_nullable) ||
			    (keys[i].kind == ORDER_KEY_MISSING && is_keyed(term));
		if (!fits)
			return false;
	}
	return true;
}

static bool check_count(size_t count, struct error *err)
{
	return count <= ORDER_CLAUSES_MAX ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid order_by: %zu clauses, at most %d are taken", count,
			 ORDER_CLAUSES_MAX);
}

static bool compile_clause(const struct search_table *table, struct slice clause,
			   struct order_term *out, struct error *err)
{
	if (clause.len > FILTER_BYTES_MAX || !slice_is_utf8(clause) ||
	    slice_find_byte(clause, '\0', 0) != clause.len)
		return fail_clause(clause, "it is too long or not valid UTF-8 text", err);
	struct filter_lexer lexer = {clause, 0};
	struct filter_token name = filter_lexer_next(&lexer);
	if (name.kind == FILTER_TOKEN_BAD)
		return fail_clause(clause, name.reason, err);
	bool is_name = name.kind == FILTER_TOKEN_WORD ||
		       (name.kind == FILTER_TOKEN_TEXT && name.source.ptr[0] == '"');
	if (!is_name || name.key.len == 0)
		return fail_clause(clause, "expected an identifier such as metrics.rmse", err);
	struct order_term term = {0};
	if (!parse_direction(&lexer, &term))
		return fail_clause(clause, "expected ASC, DESC or nothing after the identifier",
				   err);
	const struct filter_name written = filter_token_name(&name);
	struct filter_target target;
	if (!filter_resolve_identifier(table, &written, true, "", &target, err))
		return false;
	if (!target.field->is_orderable)
		return fail_clause(clause, "this kind of field has no order", err);
	term.family = target.family;
	term.field = target.field;
	if (is_keyed(&term))
		term.key = target.key;
	*out = term;
	return true;
}

static bool resolve_field(const struct search_table *table, const struct order_field *field,
			  struct order_term *out, struct error *err)
{
	size_t dot = slice_find_byte(field->name, '.', 0);
	bool has_entity = dot < field->name.len;
	struct slice key = has_entity ? slice_from(field->name, dot + 1) : field->name;
	const struct search_family *family = &table->families[0];
	if (has_entity)
		family = search_table_family(table, slice_first(field->name, dot));
	struct order_term term = {.family = family, .is_descending = field->is_descending};
	if (family != NULL)
		term.field = search_family_field(family, key);
	if (term.field == NULL || !term.field->is_orderable) {
		char quoted[QUOTE_BYTES];
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid order by field name: %s%s",
				 error_quote(field->name, quoted, sizeof(quoted)),
				 has_entity ? ". Only metrics are supported." : "");
	}
	if (is_keyed(&term)) {
		term.key = key;
		term.narrowing_or_null = field->narrowing_or_null;
	}
	*out = term;
	return true;
}

static bool parse_direction(struct filter_lexer *lexer, struct order_term *term)
{
	struct filter_token token = filter_lexer_next(lexer);
	term->is_descending = filter_token_is_word(&token, "DESC");
	if (term->is_descending || filter_token_is_word(&token, "ASC"))
		token = filter_lexer_next(lexer);
	return token.kind == FILTER_TOKEN_END;
}

static bool fail_clause(struct slice clause, const char *reason, struct error *err)
{
	char quoted[QUOTE_BYTES];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid order_by clause '%s': %s",
			 error_quote(clause, quoted, sizeof(quoted)), reason);
}

static bool contains(const struct order_by *order, const struct order_term *term)
{
	for (size_t i = 0; i < order->count; i++) {
		if (order->terms[i].field == term->field &&
		    order->terms[i].family == term->family &&
		    slice_eq(order->terms[i].key, term->key) &&
		    order->terms[i].narrowing_or_null == term->narrowing_or_null)
			return true;
	}
	return false;
}

static void add_steps(struct order_by *order, const struct search_order steps[SEARCH_ORDERS_MAX])
{
	const struct search_family *attributes = &order->table->families[0];
	for (size_t i = 0; i < SEARCH_ORDERS_MAX && steps[i].attribute != NULL; i++) {
		struct slice name = slice_from_cstr(steps[i].attribute);
		struct order_term term = {
			.family = attributes,
			.field = search_family_field(attributes, name),
			.is_descending = steps[i].is_descending,
		};
		ASSERT(term.field != NULL);
		if (!contains(order, &term))
			order->terms[order->count++] = term;
	}
}

static bool is_keyed(const struct order_term *term)
{
	return term->family->kind == FAMILY_KEYED;
}

/* "o0.metric_pk = (SELECT n.metric_pk FROM … AS n WHERE … ORDER BY … LIMIT 1)": of several rows of a key, one. */
static void first_row_sql(const struct search_table *table, const struct order_term *term,
			  const struct sql_alias *alias, struct sql_builder *b)
{
	const struct search_family *family = term->family;
	const struct sql_alias inner = {.letter = SQL("n")};
	keyed_column_sql(family->row_column, alias, b);
	sql_text(b, SQL(" = (SELECT "));
	keyed_column_sql(family->row_column, &inner, b);
	sql_text(b, SQL(" FROM "));
	keyed_table_sql(family, &inner, b);
	sql_text(b, SQL(" WHERE "));
	keyed_match_sql(table, family, term->key, &inner, b);
	if (term->narrowing_or_null != NULL)
		sql_append(b, term->narrowing_or_null);
	sql_text(b, family->row_order);
	sql_text(b, SQL(" LIMIT 1)"));
}

static struct sql_alias alias_of(size_t index)
{
	return (struct sql_alias){
		.letter = SQL("o"), .has_number = true, .number = (unsigned)index};
}

static void column_sql(const struct order_by *order, size_t index, struct sql_builder *b)
{
	const struct order_term *term = &order->terms[index];
	struct sql_alias alias = alias_of(index);
	if (is_keyed(term))
		keyed_column_sql(term->field->column, &alias, b);
	else
		sql_text(b, term->field->column);
}

/* NULL where the searched row does not have the key. */
static void owner_sql(const struct order_by *order, size_t index, struct sql_builder *b)
{
	struct sql_alias alias = alias_of(index);
	keyed_column_sql(order->table->owner_columns[0], &alias, b);
}

static void value_sql(const struct order_key *key, struct sql_builder *b)
{
	if (key->kind == ORDER_KEY_INTEGER)
		sql_value_i64(b, key->integer);
	else if (key->kind == ORDER_KEY_REAL)
		sql_value_double(b, key->real);
	else
		sql_value_text(b, key->text);
}

static void not_before_first_sql(const struct order_by *order, const struct order_key *key,
				 struct sql_builder *b)
{
	const struct order_term *term = &order->terms[0];
	bool has_value = key->kind != ORDER_KEY_MISSING && key->kind != ORDER_KEY_NULL;
	bool can_be_null = is_keyed(term) || term->field->is_nullable;
	if (has_value) {
		sql_text(b, can_be_null ? SQL("(") : SQL(""));
		column_sql(order, 0, b);
		sql_text(b, term->is_descending ? SQL(" <= ") : SQL(" >= "));
		value_sql(key, b);
		if (!can_be_null)
			return;
		sql_text(b, SQL(" OR "));
	}
	column_sql(order, 0, b);
	sql_text(b, has_value ? SQL(" IS NULL)") : SQL(" IS NULL"));
}

/* Rows behind the key in this term alone: greater values, then NULL, then missing. The value of a missing
 * key is NULL, too. */
static void behind_sql(const struct order_by *order, size_t index, const struct order_key *key,
		       struct sql_builder *b)
{
	const struct order_term *term = &order->terms[index];
	if (key->kind == ORDER_KEY_MISSING || (key->kind == ORDER_KEY_NULL && !is_keyed(term))) {
		sql_text(b, SQL("1 = 0"));
		return;
	}
	if (key->kind == ORDER_KEY_NULL) {
		owner_sql(order, index, b);
		sql_text(b, SQL(" IS NULL"));
		return;
	}
	column_sql(order, index, b);
	sql_text(b, term->is_descending ? SQL(" < ") : SQL(" > "));
	value_sql(key, b);
	if (is_keyed(term) || term->field->is_nullable) {
		sql_text(b, SQL(" OR "));
		column_sql(order, index, b);
		sql_text(b, SQL(" IS NULL"));
	}
}

static void level_sql(const struct order_by *order, size_t index, const struct order_key *key,
		      struct sql_builder *b)
{
	const struct order_term *term = &order->terms[index];
	if (key->kind == ORDER_KEY_MISSING || key->kind == ORDER_KEY_NULL) {
		if (is_keyed(term)) {
			owner_sql(order, index, b);
			sql_text(b, key->kind == ORDER_KEY_MISSING ? SQL(" IS NULL AND ")
								   : SQL(" IS NOT NULL AND "));
		}
		column_sql(order, index, b);
		sql_text(b, SQL(" IS NULL"));
		return;
	}
	column_sql(order, index, b);
	sql_text(b, SQL(" = "));
	value_sql(key, b);
}

static enum order_key_kind value_kind(const struct order_term *term)
{
	static const enum order_key_kind kinds[] = {
		[SEARCH_TEXT] = ORDER_KEY_TEXT,
		[SEARCH_INTEGER] = ORDER_KEY_INTEGER,
		[SEARCH_REAL] = ORDER_KEY_REAL,
	};
	return kinds[term->field->type];
}
