/* Parses filters by recursive descent, with a checked depth. */
#include "search/filter_parser.h"

#include <math.h>

#include "limits.h"
#include "search/filter_lexer.h"

struct parser {
	struct filter_lexer lexer;
	struct filter_token token; /* not yet taken */
	struct arena *arena;
	struct error *err;
	unsigned depth;	      /* of open NOTs and parentheses */
	unsigned comparisons; /* so far */
};

/* A list of children under construction. */
struct children {
	struct filter_node *first_or_null;
	struct filter_node *last_or_null;
	size_t count;
};

static struct filter_node *parse_or(struct parser *p);
static struct filter_node *parse_and(struct parser *p);
static struct filter_node *parse_not(struct parser *p);
static struct filter_node *parse_group(struct parser *p);
static struct filter_node *parse_comparison(struct parser *p);
static bool parse_identifier(struct parser *p, struct filter_comparison *c);
static bool parse_operator(struct parser *p, struct filter_comparison *c);
static bool parse_null_operator(struct parser *p, struct filter_comparison *c);
static bool parse_value(struct parser *p, struct filter_comparison *c);
static bool parse_list(struct parser *p, struct filter_value *value);
static bool parse_number(struct slice text, struct filter_value *value);
static void take(struct parser *p);
static bool nest(struct parser *p, const struct filter_token *token);
static struct filter_node *node_new(struct parser *p, enum filter_kind kind);
static void children_add(struct children *children, struct filter_node *child);
static struct filter_node *children_join(struct parser *p, enum filter_kind kind,
					 const struct children *children);
static bool fail_expected(struct parser *p, const char *expected);
static bool fail_at(struct parser *p, size_t offset, const char *reason);

bool filter_parse(struct slice text, struct arena *arena, struct filter_node **root_out,
		  struct error *err)
{
	if (text.len > FILTER_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid clause(s) in filter string: it is longer than %d bytes",
				 FILTER_BYTES_MAX);
	if (!slice_is_utf8(text) || slice_find_byte(text, '\0', 0) != text.len)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid clause(s) in filter string: it is not valid UTF-8 text");
	struct parser p = {.lexer = {text, 0}, .arena = arena, .err = err};
	take(&p);
	struct filter_node *root = NULL;
	if (p.token.kind != FILTER_TOKEN_END) {
		root = parse_or(&p);
		if (root == NULL)
			return false;
		if (p.token.kind != FILTER_TOKEN_END)
			return fail_expected(&p, "AND, OR or the end");
	}
	*root_out = root;
	return true;
}

static struct filter_node *parse_or(struct parser *p)
{
	struct children children = {0};
	for (;;) {
		struct filter_node *child = parse_and(p);
		if (child == NULL)
			return NULL;
		children_add(&children, child);
		if (!filter_token_is_word(&p->token, "OR"))
			return children_join(p, FILTER_OR, &children);
		take(p);
	}
}

static struct filter_node *parse_and(struct parser *p)
{
	struct children children = {0};
	for (;;) {
		struct filter_node *child = parse_not(p);
		if (child == NULL)
			return NULL;
		children_add(&children, child);
		if (!filter_token_is_word(&p->token, "AND"))
			return children_join(p, FILTER_AND, &children);
		take(p);
	}
}

static struct filter_node *parse_not(struct parser *p)
{
	if (p->token.kind == FILTER_TOKEN_OPEN)
		return parse_group(p);
	if (!filter_token_is_word(&p->token, "NOT"))
		return parse_comparison(p);
	if (!nest(p, &p->token))
		return NULL;
	take(p);
	struct filter_node *node = node_new(p, FILTER_NOT);
	node->first_child_or_null = parse_not(p);
	p->depth--;
	return node->first_child_or_null == NULL ? NULL : node;
}

static struct filter_node *parse_group(struct parser *p)
{
	if (!nest(p, &p->token))
		return NULL;
	take(p);
	struct filter_node *node = parse_or(p);
	p->depth--;
	if (node == NULL)
		return NULL;
	if (p->token.kind != FILTER_TOKEN_CLOSE) {
		(void)fail_expected(p, "AND, OR or ')'");
		return NULL;
	}
	take(p);
	return node;
}

static struct filter_node *parse_comparison(struct parser *p)
{
	struct filter_node *node = node_new(p, FILTER_COMPARISON);
	struct filter_comparison *c = &node->comparison;
	if (!parse_identifier(p, c) || !parse_operator(p, c))
		return NULL;
	bool has_value =
		!c->is_operator_known || (c->op != SEARCH_IS_NULL && c->op != SEARCH_IS_NOT_NULL);
	if (has_value && !parse_value(p, c))
		return NULL;
	if (p->comparisons == FILTER_COMPARISONS_MAX) {
		(void)fail_at(p, c->offset, "it has too many comparisons");
		return NULL;
	}
	p->comparisons++;
	return node;
}

static bool parse_identifier(struct parser *p, struct filter_comparison *c)
{
	static const char *const key_words[] = {"AND", "OR", "NOT", "IN", "IS",
						"LIKE", "ILIKE", "RLIKE"};
	const struct filter_token *token = &p->token;
	struct filter_value ignored;
	bool is_name = token->kind == FILTER_TOKEN_WORD ||
		       (token->kind == FILTER_TOKEN_TEXT && token->source.ptr[0] == '"');
	if (is_name && !token->has_quotes) {
		is_name = !parse_number(token->source, &ignored);
		for (size_t i = 0; i < ARRAY_COUNT(key_words); i++)
			is_name = is_name && !filter_token_is_word(token, key_words[i]);
	}
	if (!is_name)
		return fail_expected(p, "an identifier such as metrics.rmse");
	if (token->key.len == 0)
		return fail_at(p, token->offset, "the key of an identifier is empty");
	c->offset = token->offset;
	c->name = filter_token_name(token);
	take(p);
	return true;
}

/* Which operators a field takes is known later; here only their grammar counts. */
static bool parse_operator(struct parser *p, struct filter_comparison *c)
{
	static const enum search_operator of_one_token[] = {
		SEARCH_EQ, SEARCH_NE, SEARCH_LT,   SEARCH_LE,	 SEARCH_GT,
		SEARCH_GE, SEARCH_IN, SEARCH_LIKE, SEARCH_ILIKE, SEARCH_RLIKE,
	};
	struct filter_token first = p->token;
	c->operator_offset = first.offset;
	c->operator_source = first.source;
	c->is_operator_known = true;
	if (filter_token_is_word(&first, "IS"))
		return parse_null_operator(p, c);
	if (filter_token_is_word(&first, "NOT")) {
		take(p);
		if (!filter_token_is_word(&p->token, "IN"))
			return fail_expected(p, "IN after NOT");
		c->op = SEARCH_NOT_IN;
		take(p);
		return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(of_one_token); i++) {
		struct slice text = slice_from_cstr(search_operator_text(of_one_token[i]));
		if (!first.has_quotes && slice_eq_ignoring_case(first.source, text)) {
			c->op = of_one_token[i];
			take(p);
			return true;
		}
	}
	if (first.kind != FILTER_TOKEN_OPERATOR)
		return fail_expected(p, "a comparator");
	c->is_operator_known = false;
	take(p);
	return true;
}

static bool parse_null_operator(struct parser *p, struct filter_comparison *c)
{
	c->op = SEARCH_IS_NULL;
	take(p);
	if (filter_token_is_word(&p->token, "NOT")) {
		c->op = SEARCH_IS_NOT_NULL;
		take(p);
	}
	if (!filter_token_is_word(&p->token, "NULL"))
		return fail_expected(p, "NULL");
	take(p);
	return true;
}

static bool parse_value(struct parser *p, struct filter_comparison *c)
{
	struct filter_value *value = &c->value;
	value->offset = p->token.offset;
	value->source = p->token.source;
	value->text = p->token.key;
	bool wants_list = c->is_operator_known && (c->op == SEARCH_IN || c->op == SEARCH_NOT_IN);
	if (p->token.kind == FILTER_TOKEN_OPEN)
		return parse_list(p, value);
	if (wants_list)
		return fail_expected(p, "a list of quoted texts in parentheses");
	switch (p->token.kind) {
	case FILTER_TOKEN_TEXT:
		value->kind = FILTER_VALUE_TEXT;
		break;
	case FILTER_TOKEN_WORD:
		if (!parse_number(p->token.source, value))
			value->kind = FILTER_VALUE_WORD;
		break;
	case FILTER_TOKEN_END:
	case FILTER_TOKEN_BAD:
	case FILTER_TOKEN_OPERATOR:
	case FILTER_TOKEN_OPEN:
	case FILTER_TOKEN_CLOSE:
	case FILTER_TOKEN_COMMA:
	default:
		return fail_expected(p, "a value");
	}
	take(p);
	return true;
}

/* ('a', "b"); a comma before the end is fine, as Python writes tuples of one. */
static bool parse_list(struct parser *p, struct filter_value *value)
{
	size_t begin = p->token.offset;
	size_t capacity = 8;
	value->kind = FILTER_VALUE_LIST;
	value->items = ARENA_NEW(p->arena, struct slice, capacity);
	take(p);
	for (;;) {
		if (p->token.kind != FILTER_TOKEN_TEXT)
			return fail_expected(p, "a quoted text in the list");
		if (value->item_count == capacity) {
			struct slice *bigger = ARENA_NEW(p->arena, struct slice, capacity * 2);
			memcpy(bigger, value->items, capacity * sizeof(*bigger));
			value->items = bigger;
			capacity *= 2;
		}
		value->items[value->item_count++] = p->token.key;
		take(p);
		if (p->token.kind == FILTER_TOKEN_COMMA) {
			take(p);
			if (p->token.kind != FILTER_TOKEN_CLOSE)
				continue;
		}
		if (p->token.kind != FILTER_TOKEN_CLOSE)
			return fail_expected(p, "',' or ')' in the list");
		size_t end = p->token.offset + p->token.source.len;
		value->source = slice_first(slice_from(p->lexer.text, begin), end - begin);
		take(p);
		return true;
	}
}

/* A finite decimal number: [+-]digits[.digits][e[+-]digits], where one of the digits around the dot may lack. */
static bool parse_number(struct slice text, struct filter_value *value)
{
	struct slice digits = text;
	if (digits.len > 0 && digits.ptr[0] == '+')
		digits = slice_from(digits, 1);
	for (size_t i = 0; i < digits.len; i++) {
		/* Keeps out the words NaN and Infinity. */
		if (strchr("0123456789.eE+-", digits.ptr[i]) == NULL)
			return false;
	}
	int64_t integer;
	double real;
	if (slice_parse_i64(digits, &integer)) {
		value->kind = FILTER_VALUE_NUMBER;
		value->is_integer = true;
		value->integer = integer;
		value->real = (double)integer;
		return true;
	}
	if (!slice_parse_double(digits, &real) || !isfinite(real))
		return false;
	value->kind = FILTER_VALUE_NUMBER;
	value->is_integer = false;
	value->real = real;
	return true;
}

static void take(struct parser *p)
{
	p->token = filter_lexer_next(&p->lexer);
}

static bool nest(struct parser *p, const struct filter_token *token)
{
	if (p->depth == FILTER_NESTING_MAX)
		return fail_at(p, token->offset, "NOT and parentheses are nested too deeply");
	p->depth++;
	return true;
}

static struct filter_node *node_new(struct parser *p, enum filter_kind kind)
{
	struct filter_node *node = ARENA_NEW(p->arena, struct filter_node, 1);
	node->kind = kind;
	return node;
}

static void children_add(struct children *children, struct filter_node *child)
{
	if (children->last_or_null == NULL)
		children->first_or_null = child;
	else
		children->last_or_null->next_sibling_or_null = child;
	children->last_or_null = child;
	children->count++;
}

/* One child stands for itself. */
static struct filter_node *children_join(struct parser *p, enum filter_kind kind,
					 const struct children *children)
{
	if (children->count == 1)
		return children->first_or_null;
	struct filter_node *node = node_new(p, kind);
	node->first_child_or_null = children->first_or_null;
	return node;
}

static bool fail_expected(struct parser *p, const char *expected)
{
	const struct filter_token *token = &p->token;
	char quoted[128];
	if (token->kind == FILTER_TOKEN_BAD)
		return fail_at(p, token->offset, token->reason);
	size_t position = filter_position(p->lexer.text, token->offset);
	if (token->kind == FILTER_TOKEN_END)
		return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid clause(s) in filter string: expected %s, found the end "
				 "at position %zu",
				 expected, position);
	return error_set(
		p->err, ERR_INVALID_PARAMETER_VALUE,
		"Invalid clause(s) in filter string: expected %s, found %s at position %zu",
		expected, error_quote(token->source, quoted, sizeof(quoted)), position);
}

static bool fail_at(struct parser *p, size_t offset, const char *reason)
{
	return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid clause(s) in filter string: %s at position %zu", reason,
			 filter_position(p->lexer.text, offset));
}
