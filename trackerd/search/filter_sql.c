/* Writes the SQL condition of a compiled filter. */
#include "search/filter.h"
#include "search/keyed_sql.h"

static const struct sql_alias keyed_alias = {.letter = {"k"}};

static void node_sql(const struct search_table *table, const struct filter_node *node,
		     struct sql_builder *b);
static void child_sql(const struct search_table *table, const struct filter_node *parent,
		      const struct filter_node *child, struct sql_builder *b);
static unsigned stack_need(const struct filter_node *node);
static bool needs_parentheses(const struct filter_node *parent, const struct filter_node *child);
static const struct filter_node *neediest_child(const struct filter_node *node);
static void comparison_sql(const struct search_table *table, const struct filter_comparison *c,
			   struct sql_builder *b);
static void attribute_sql(const struct filter_comparison *c, struct sql_builder *b);
static void keyed_sql(const struct search_table *table, const struct filter_comparison *c,
		      struct sql_builder *b);
static void keyed_default_sql(const struct search_table *table, const struct filter_comparison *c,
			      struct slice otherwise, struct sql_builder *b);
static void keyed_rows_sql(const struct search_table *table, const struct filter_comparison *c,
			   struct sql_builder *b);
static void operand_sql(const struct filter_comparison *c, const struct sql_alias *alias_or_null,
			struct sql_builder *b);
static void compare_sql(const struct filter_comparison *c, const struct sql_builder *operand,
			struct sql_builder *b);
static void value_sql(const struct filter_value *value, struct sql_builder *b);
static struct sql function_sql(enum search_operator op);
static struct sql operator_sql(enum search_operator op);

void filter_and_sql(const struct filter *filter, struct sql_builder *b)
{
	static const struct filter_node where_clause = {.kind = FILTER_AND};
	if (filter->root_or_null == NULL)
		return;
	sql_text(b, SQL(" AND "));
	child_sql(filter->table, &where_clause, filter->root_or_null, b);
}

/* Depth is bounded: the parser checked it. SQLite's own parser has a stack of 100 entries, of which "(a AND (b OR ("
 * takes three a level and "(((" one; so what nests deepest is written first, and parentheses only where the
 * precedence of NOT, AND, OR asks for them. That way FILTER_NESTING_MAX levels fit. */
static void node_sql(const struct search_table *table, const struct filter_node *node,
		     struct sql_builder *b)
{
	const struct filter_node *first;
	switch (node->kind) {
	case FILTER_COMPARISON:
		comparison_sql(table, &node->comparison, b);
		return;
	case FILTER_NOT:
		sql_text(b, SQL("NOT "));
		child_sql(table, node, node->first_child_or_null, b);
		return;
	case FILTER_AND:
	case FILTER_OR:
	default:
		first = neediest_child(node);
		child_sql(table, node, first, b);
		break;
	}
	const struct filter_node *child = node->first_child_or_null;
	for (; child != NULL; child = child->next_sibling_or_null) {
		if (child == first)
			continue;
		sql_text(b, node->kind == FILTER_AND ? SQL(" AND ") : SQL(" OR "));
		child_sql(table, node, child, b);
	}
}

static void child_sql(const struct search_table *table, const struct filter_node *parent,
		      const struct filter_node *child, struct sql_builder *b)
{
	bool is_grouped = needs_parentheses(parent, child);
	if (is_grouped)
		sql_text(b, SQL("("));
	node_sql(table, child, b);
	if (is_grouped)
		sql_text(b, SQL(")"));
}

/* Entries of the parser's stack that `node` takes beyond those of a comparison. */
static unsigned stack_need(const struct filter_node *node)
{
	if (node->kind == FILTER_COMPARISON)
		return 0;
	const struct filter_node *child = node->first_child_or_null;
	unsigned first = 0, others = 0;
	for (; child != NULL; child = child->next_sibling_or_null) {
		unsigned need = stack_need(child) + needs_parentheses(node, child);
		if (need > first) {
			others = first;
			first = need;
		} else if (need > others) {
			others = need;
		}
	}
	if (node->kind == FILTER_NOT)
		return first + 1;
	return first > others + 2 ? first : others + 2;
}

static bool needs_parentheses(const struct filter_node *parent, const struct filter_node *child)
{
	if (parent->kind == FILTER_NOT)
		return child->kind == FILTER_AND || child->kind == FILTER_OR;
	return parent->kind == FILTER_AND && child->kind == FILTER_OR;
}

static const struct filter_node *neediest_child(const struct filter_node *node)
{
	const struct filter_node *child = node->first_child_or_null;
	const struct filter_node *neediest = child;
	unsigned most = 0;
	for (; child != NULL; child = child->next_sibling_or_null) {
		unsigned need = stack_need(child) + needs_parentheses(node, child);
		if (need > most) {
			neediest = child;
			most = need;
		}
	}
	return neediest;
}

static void comparison_sql(const struct search_table *table, const struct filter_comparison *c,
			   struct sql_builder *b)
{
	if (c->family->kind == FAMILY_KEYED) {
		keyed_sql(table, c, b);
	} else if (c->field->linked_from.text == NULL) {
		attribute_sql(c, b);
	} else {
		sql_text(b, SQL("EXISTS ("));
		sql_text(b, c->field->linked_from);
		attribute_sql(c, b);
		sql_text(b, SQL(")"));
	}
}

/* A comparison with NULL would be neither true nor false, and NOT of it as well. */
static void attribute_sql(const struct filter_comparison *c, struct sql_builder *b)
{
	struct sql_builder operand;
	sql_builder_init(&operand, b->arena);
	operand_sql(c, NULL, &operand);
	bool is_null_test = c->op == SEARCH_IS_NULL || c->op == SEARCH_IS_NOT_NULL;
	if (c->field->is_nullable && !is_null_test) {
		sql_text(b, SQL("("));
		sql_append(b, &operand);
		sql_text(b, SQL(" IS NOT NULL AND "));
		compare_sql(c, &operand, b);
		sql_text(b, SQL(")"));
	} else {
		compare_sql(c, &operand, b);
	}
}

static void keyed_sql(const struct search_table *table, const struct filter_comparison *c,
		      struct sql_builder *b)
{
	if (c->op == SEARCH_IS_NULL || c->op == SEARCH_IS_NOT_NULL) {
		sql_text(b, c->op == SEARCH_IS_NULL ? SQL("NOT EXISTS (SELECT 1")
						    : SQL("EXISTS (SELECT 1"));
		keyed_rows_sql(table, c, b);
		sql_text(b, SQL(")"));
		return;
	}
	struct slice otherwise = search_family_default(c->family, c->key);
	if (slice_is_present(otherwise)) {
		keyed_default_sql(table, c, otherwise, b);
		return;
	}
	struct sql_builder operand;
	sql_builder_init(&operand, b->arena);
	operand_sql(c, &keyed_alias, &operand);
	sql_text(b, SQL("EXISTS (SELECT 1"));
	keyed_rows_sql(table, c, b);
	sql_text(b, SQL(" AND "));
	compare_sql(c, &operand, b);
	sql_text(b, SQL(")"));
}

/* COALESCE((SELECT k.value FROM …), $default) op $value */
static void keyed_default_sql(const struct search_table *table, const struct filter_comparison *c,
			      struct slice otherwise, struct sql_builder *b)
{
	struct sql_builder operand;
	sql_builder_init(&operand, b->arena);
	sql_text(&operand, SQL("COALESCE((SELECT "));
	operand_sql(c, &keyed_alias, &operand);
	keyed_rows_sql(table, c, &operand);
	sql_text(&operand, SQL("), "));
	sql_value_text(&operand, otherwise);
	sql_text(&operand, SQL(")"));
	compare_sql(c, &operand, b);
}

/* " FROM params AS k WHERE …" */
static void keyed_rows_sql(const struct search_table *table, const struct filter_comparison *c,
			   struct sql_builder *b)
{
	sql_text(b, SQL(" FROM "));
	keyed_table_sql(c->family, &keyed_alias, b);
	sql_text(b, SQL(" WHERE "));
	keyed_match_sql(table, c->family, c->key, &keyed_alias, b);
	if (c->family->narrowing_or_null != NULL)
		sql_append(b, c->family->narrowing_or_null);
}

static void operand_sql(const struct filter_comparison *c, const struct sql_alias *alias_or_null,
			struct sql_builder *b)
{
	if (alias_or_null == NULL)
		sql_text(b, c->field->column);
	else
		keyed_column_sql(c->field->column, alias_or_null, b);
}

static void compare_sql(const struct filter_comparison *c, const struct sql_builder *operand,
			struct sql_builder *b)
{
	struct sql function = function_sql(c->op);
	if (function.text != NULL) {
		sql_text(b, function);
		value_sql(&c->value, b);
		sql_text(b, SQL(", "));
		sql_append(b, operand);
		sql_text(b, SQL(")"));
		return;
	}
	sql_append(b, operand);
	sql_text(b, operator_sql(c->op));
	value_sql(&c->value, b);
}

static void value_sql(const struct filter_value *value, struct sql_builder *b)
{
	switch (value->kind) {
	case FILTER_VALUE_NUMBER:
		if (value->is_integer)
			sql_value_i64(b, value->integer);
		else
			sql_value_double(b, value->real);
		return;
	case FILTER_VALUE_TEXT:
		sql_value_text(b, value->text);
		return;
	case FILTER_VALUE_LIST:
		for (size_t i = 0; i < value->item_count; i++) {
			sql_text(b, i == 0 ? SQL("(") : SQL(", "));
			sql_value_text(b, value->items[i]);
		}
		sql_text(b, SQL(")"));
		return;
	case FILTER_VALUE_NONE:
	case FILTER_VALUE_WORD:
	default:
		/* The resolver refuses words. */
		ASSERT(value->kind == FILTER_VALUE_NONE);
	}
}

/* Functions of ours: SQLite's own LIKE ignores the case of ASCII letters. */
static struct sql function_sql(enum search_operator op)
{
	static const struct sql texts[SEARCH_OPERATOR_COUNT] = {
		[SEARCH_LIKE] = {"like_cs("},
		[SEARCH_ILIKE] = {"ilike("},
		[SEARCH_RLIKE] = {"rlike("},
	};
	return texts[op];
}

static struct sql operator_sql(enum search_operator op)
{
	static const struct sql texts[SEARCH_OPERATOR_COUNT] = {
		[SEARCH_EQ] = {" = "},		 [SEARCH_NE] = {" <> "},
		[SEARCH_LT] = {" < "},		 [SEARCH_LE] = {" <= "},
		[SEARCH_GT] = {" > "},		 [SEARCH_GE] = {" >= "},
		[SEARCH_IN] = {" IN "},		 [SEARCH_NOT_IN] = {" NOT IN "},
		[SEARCH_IS_NULL] = {" IS NULL"}, [SEARCH_IS_NOT_NULL] = {" IS NOT NULL"},
	};
	ASSERT(texts[op].text != NULL);
	return texts[op];
}
