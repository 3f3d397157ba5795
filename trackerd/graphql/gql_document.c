/* Owns the parser of GraphQL documents: recursive descent, one token of look-ahead. */
#include "graphql/gql_document.h"

#include "graphql/gql_lexer.h"

struct parser {
	struct gql_lexer lexer;
	struct gql_token token; /* the one to look at */
	unsigned depth;
	struct arena *arena;
	struct error *err;
};

static bool parse_value(struct parser *p, bool may_be_variable, struct gql_value *out);
static bool parse_selections(struct parser *p, struct gql_selection **out);

/* ---- tokens ------------------------------------------------------------------------------------- */

static bool fail(struct parser *p, const char *expected)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < p->token.offset; i++) {
		bool ends_line = p->lexer.text.ptr[i] == '\n';
		line += ends_line ? 1 : 0;
		column = ends_line ? 1 : column + 1;
	}
	if (p->token.kind == GQL_TOKEN_BAD)
		return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
				 "Syntax Error: %.*s (line %zu, column %zu).",
				 SLICE_FMT(p->token.text), line, column);
	char quoted[100];
	const char *found = p->token.kind == GQL_TOKEN_END
				    ? "<EOF>"
				    : error_quote(p->token.text, quoted, sizeof(quoted));
	return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
			 "Syntax Error: Expected %s, found %s (line %zu, column %zu).", expected,
			 found, line, column);
}

static void advance(struct parser *p)
{
	p->token = gql_lexer_next(&p->lexer);
}

static bool is_punctuator(const struct parser *p, const char *text)
{
	return p->token.kind == GQL_TOKEN_PUNCTUATOR && slice_eq_cstr(p->token.text, text);
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token.kind == GQL_TOKEN_NAME && slice_eq_cstr(p->token.text, word);
}

static bool skip_punctuator(struct parser *p, const char *text)
{
	if (!is_punctuator(p, text))
		return false;
	advance(p);
	return true;
}

static bool expect_punctuator(struct parser *p, const char *text)
{
	return skip_punctuator(p, text) || fail(p, text);
}

static bool expect_name(struct parser *p, struct slice *out)
{
	if (p->token.kind != GQL_TOKEN_NAME)
		return fail(p, "a name");
	*out = p->token.text;
	advance(p);
	return true;
}

static bool enter(struct parser *p)
{
	if (++p->depth > GQL_DEPTH_MAX)
		return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
				 "Syntax Error: nested deeper than %d levels.", GQL_DEPTH_MAX);
	return true;
}

/* ---- values ------------------------------------------------------------------------------------- */

/* Items up to `closing`; of an object or a list of arguments they have names. */
static bool parse_items(struct parser *p, const char *closing, bool have_names,
			bool may_be_variable, struct gql_value **first_out)
{
	struct gql_value **link = first_out;
	while (!skip_punctuator(p, closing)) {
		struct gql_value *item = ARENA_NEW(p->arena, struct gql_value, 1);
		if (have_names && (!expect_name(p, &item->name) || !expect_punctuator(p, ":")))
			return false;
		if (!parse_value(p, may_be_variable, item))
			return false;
		*link = item;
		link = &item->next_or_null;
	}
	return true;
}

static bool parse_word(struct parser *p, struct gql_value *out)
{
	out->kind = GQL_VALUE_ENUM;
	if (is_word(p, "null"))
		out->kind = GQL_VALUE_NULL;
	else if (is_word(p, "true") || is_word(p, "false"))
		out->kind = GQL_VALUE_BOOL;
	return expect_name(p, &out->text);
}

static bool parse_nested(struct parser *p, const char *closing, bool may_be_variable,
			 struct gql_value *out)
{
	advance(p);
	if (!enter(p) || !parse_items(p, closing, out->kind == GQL_VALUE_OBJECT, may_be_variable,
				      &out->first_child_or_null))
		return false;
	p->depth--;
	return true;
}

static bool parse_value(struct parser *p, bool may_be_variable, struct gql_value *out)
{
	switch (p->token.kind) {
	case GQL_TOKEN_NAME:
		return parse_word(p, out);
	case GQL_TOKEN_NUMBER:
	case GQL_TOKEN_STRING:
		out->kind = p->token.kind == GQL_TOKEN_NUMBER ? GQL_VALUE_NUMBER : GQL_VALUE_STRING;
		out->text = p->token.text;
		advance(p);
		return true;
	case GQL_TOKEN_PUNCTUATOR:
		if (is_punctuator(p, "[")) {
			out->kind = GQL_VALUE_LIST;
			return parse_nested(p, "]", may_be_variable, out);
		}
		if (is_punctuator(p, "{")) {
			out->kind = GQL_VALUE_OBJECT;
			return parse_nested(p, "}", may_be_variable, out);
		}
		if (may_be_variable && skip_punctuator(p, "$")) {
			out->kind = GQL_VALUE_VARIABLE;
			return expect_name(p, &out->text);
		}
		return fail(p, "a value");
	case GQL_TOKEN_END:
	case GQL_TOKEN_BAD:
		break;
	}
	return fail(p, "a value");
}

static bool parse_arguments(struct parser *p, bool may_be_variable, struct gql_value **out)
{
	return !skip_punctuator(p, "(") || parse_items(p, ")", true, may_be_variable, out);
}

static bool parse_directives(struct parser *p, bool may_be_variable, struct gql_directive **out)
{
	struct gql_directive **link = out;
	while (skip_punctuator(p, "@")) {
		struct gql_directive *directive = ARENA_NEW(p->arena, struct gql_directive, 1);
		if (!expect_name(p, &directive->name) ||
		    !parse_arguments(p, may_be_variable, &directive->arguments_or_null))
			return false;
		*link = directive;
		link = &directive->next_or_null;
	}
	return true;
}

/* ---- selections --------------------------------------------------------------------------------- */

static bool parse_field(struct parser *p, struct gql_selection *out)
{
	out->kind = GQL_SELECTION_FIELD;
	if (!expect_name(p, &out->response_key))
		return false;
	out->name = out->response_key;
	if (skip_punctuator(p, ":") && !expect_name(p, &out->name))
		return false;
	return parse_arguments(p, true, &out->arguments_or_null) &&
	       parse_directives(p, true, &out->directives_or_null) &&
	       (!is_punctuator(p, "{") || parse_selections(p, &out->selections_or_null));
}

/* Behind "...". */
static bool parse_fragment_use(struct parser *p, struct gql_selection *out)
{
	if (p->token.kind == GQL_TOKEN_NAME && !is_word(p, "on")) {
		out->kind = GQL_SELECTION_SPREAD;
		return expect_name(p, &out->name) &&
		       parse_directives(p, true, &out->directives_or_null);
	}
	out->kind = GQL_SELECTION_INLINE;
	if (is_word(p, "on")) {
		advance(p);
		if (!expect_name(p, &out->name))
			return false;
	}
	return parse_directives(p, true, &out->directives_or_null) &&
	       parse_selections(p, &out->selections_or_null);
}

/* { … }, with at least one selection. */
static bool parse_selections(struct parser *p, struct gql_selection **out)
{
	struct gql_selection **link = out;
	if (!expect_punctuator(p, "{") || !enter(p))
		return false;
	do {
		struct gql_selection *selection = ARENA_NEW(p->arena, struct gql_selection, 1);
		if (!(skip_punctuator(p, "...") ? parse_fragment_use(p, selection)
						: parse_field(p, selection)))
			return false;
		*link = selection;
		link = &selection->next_or_null;
	} while (!skip_punctuator(p, "}"));
	p->depth--;
	return true;
}

/* ---- definitions -------------------------------------------------------------------------------- */

/* The type of a variable; only whether it may be null matters here, values are checked where they are used. */
static bool parse_type(struct parser *p, bool *is_required_out)
{
	unsigned lists = 0;
	struct slice name;
	while (skip_punctuator(p, "["))
		lists++;
	if (!expect_name(p, &name))
		return false;
	*is_required_out = skip_punctuator(p, "!");
	while (lists-- > 0) {
		if (!expect_punctuator(p, "]"))
			return false;
		*is_required_out = skip_punctuator(p, "!");
	}
	return true;
}

static bool parse_variables(struct parser *p, struct gql_variable **out)
{
	struct gql_variable **link = out;
	struct gql_directive *ignored = NULL;
	if (!skip_punctuator(p, "("))
		return true;
	while (!skip_punctuator(p, ")")) {
		struct gql_variable *variable = ARENA_NEW(p->arena, struct gql_variable, 1);
		if (!expect_punctuator(p, "$") || !expect_name(p, &variable->name) ||
		    !expect_punctuator(p, ":") || !parse_type(p, &variable->is_required))
			return false;
		if (skip_punctuator(p, "=")) {
			variable->default_or_null = ARENA_NEW(p->arena, struct gql_value, 1);
			if (!parse_value(p, false, variable->default_or_null))
				return false;
		}
		if (!parse_directives(p, false, &ignored))
			return false;
		*link = variable;
		link = &variable->next_or_null;
	}
	return true;
}

static bool parse_operation(struct parser *p, struct gql_operation *out)
{
	struct gql_directive *ignored = NULL;
	if (is_punctuator(p, "{"))
		return parse_selections(p, &out->selections);
	if (is_word(p, "mutation"))
		out->kind = GQL_MUTATION;
	else if (!is_word(p, "query"))
		return fail(p, "query, mutation or fragment");
	advance(p);
	if (p->token.kind == GQL_TOKEN_NAME && !expect_name(p, &out->name))
		return false;
	return parse_variables(p, &out->variables_or_null) && parse_directives(p, true, &ignored) &&
	       parse_selections(p, &out->selections);
}

static bool parse_fragment(struct parser *p, struct gql_fragment *out)
{
	struct gql_directive *ignored = NULL;
	advance(p);
	if (is_word(p, "on"))
		return fail(p, "the fragment's name");
	if (!expect_name(p, &out->name))
		return false;
	if (!is_word(p, "on"))
		return fail(p, "on");
	advance(p);
	return expect_name(p, &out->type) && parse_directives(p, true, &ignored) &&
	       parse_selections(p, &out->selections);
}

bool gql_parse(struct slice text, struct arena *arena, struct gql_document *out, struct error *err)
{
	struct parser p = {.lexer = {text, 0, arena}, .arena = arena, .err = err};
	struct gql_operation **operation = &out->operations;
	struct gql_fragment **fragment = &out->fragments_or_null;
	*out = (struct gql_document){0};
	advance(&p);
	do {
		if (is_word(&p, "fragment")) {
			*fragment = ARENA_NEW(arena, struct gql_fragment, 1);
			if (!parse_fragment(&p, *fragment))
				return false;
			fragment = &(*fragment)->next_or_null;
		} else {
			*operation = ARENA_NEW(arena, struct gql_operation, 1);
			if (!parse_operation(&p, *operation))
				return false;
			operation = &(*operation)->next_or_null;
		}
	} while (p.token.kind != GQL_TOKEN_END);
	if (out->operations == NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The document has fragments only, no operation.");
	return true;
}
