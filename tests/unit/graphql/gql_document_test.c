/* The GraphQL grammar: what is read, and what is refused at which place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "graphql/gql_document.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static bool parses(const char *text, struct arena *arena, struct gql_document *out,
		   struct error *err)
{
	arena_init(arena, ARENA_BYTES);
	return gql_parse(slice_from_cstr(text), arena, out, err);
}

static void an_operation_is_read_with_all_its_parts(void **state)
{
	(void)state;
	struct arena arena;
	struct gql_document document;
	struct error err;
	assert_true(
		parses("# a comment\nquery Q($a: [Int!]! = [1, -2.5e3], $b: T @x) @d(k: 1) {\n"
		       "  key: field(s: \"a\\n\\u00e9\", b: \"\"\"raw \\\"\"\" \\n\"\"\", v: $a,"
		       " o: {n: null, t: true, e: RED}) @skip(if: $b) { __typename }\n"
		       "  ...F @y ... on T { x } ... { z }\n}\nfragment F on T { f }",
		       &arena, &document, &err));
	const struct gql_operation *q = document.operations;
	assert_int_equal(q->kind, GQL_QUERY);
	assert_true(slice_eq_cstr(q->name, "Q"));
	assert_true(q->variables_or_null->is_required);
	assert_int_equal(q->variables_or_null->default_or_null->kind, GQL_VALUE_LIST);
	assert_false(q->variables_or_null->next_or_null->is_required);
	const struct gql_selection *field = q->selections;
	assert_true(slice_eq_cstr(field->response_key, "key"));
	assert_true(slice_eq_cstr(field->name, "field"));
	const struct gql_value *argument = field->arguments_or_null;
	assert_true(slice_eq_cstr(argument->text, "a\n\xc3\xa9"));
	argument = argument->next_or_null;
	assert_true(slice_eq_cstr(argument->text, "raw \"\"\" \\n"));
	argument = argument->next_or_null;
	assert_int_equal(argument->kind, GQL_VALUE_VARIABLE);
	argument = argument->next_or_null->first_child_or_null;
	assert_int_equal(argument->kind, GQL_VALUE_NULL);
	assert_int_equal(argument->next_or_null->kind, GQL_VALUE_BOOL);
	assert_int_equal(argument->next_or_null->next_or_null->kind, GQL_VALUE_ENUM);
	assert_true(slice_eq_cstr(field->directives_or_null->name, "skip"));
	const struct gql_selection *spread = field->next_or_null;
	assert_int_equal(spread->kind, GQL_SELECTION_SPREAD);
	assert_int_equal(spread->next_or_null->kind, GQL_SELECTION_INLINE);
	assert_true(slice_eq_cstr(spread->next_or_null->name, "T"));
	assert_false(slice_is_present(spread->next_or_null->next_or_null->name));
	assert_true(slice_eq_cstr(document.fragments_or_null->type, "T"));
	arena_deinit(&arena);
}

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "Syntax Error: Expected query, mutation or fragment, found <EOF> (line 1, "
		     "column 1)."},
		{"{", "Syntax Error: Expected a name, found <EOF> (line 1, column 2)."},
		{"{}", "Syntax Error: Expected a name, found } (line 1, column 2)."},
		{"{ a\n b: }", "Syntax Error: Expected a name, found } (line 2, column 5)."},
		{"{ a(", "Syntax Error: Expected a name, found <EOF> (line 1, column 5)."},
		{"{ a(x 1) }", "Syntax Error: Expected :, found 1 (line 1, column 7)."},
		{"{ a(x: ) }", "Syntax Error: Expected a value, found ) (line 1, column 8)."},
		{"{ a(x: 01) }", "Syntax Error: Invalid number (line 1, column 8)."},
		{"{ a(x: 1.) }", "Syntax Error: Invalid number (line 1, column 8)."},
		{"{ a(x: -) }", "Syntax Error: Invalid number (line 1, column 8)."},
		{"{ a(x: 1e) }", "Syntax Error: Invalid number (line 1, column 8)."},
		{"{ a(x: 1x) }", "Syntax Error: Invalid number (line 1, column 8)."},
		{"{ a(x: \"b", "Syntax Error: Unterminated string (line 1, column 8)."},
		{"{ a(x: \"b\\", "Syntax Error: Unterminated string (line 1, column 8)."},
		{"{ a(x: \"\"\"b\"\"", "Syntax Error: Unterminated string (line 1, column 8)."},
		{"{ a(x: \"\"\"", "Syntax Error: Unterminated string (line 1, column 8)."},
		{"{ a(x: \"\\q\") }", "Syntax Error: Invalid string (line 1, column 8)."},
		{"{ a(x: \"\n\") }", "Syntax Error: Invalid string (line 1, column 8)."},
		{"{ a ? }", "Syntax Error: Invalid character (line 1, column 5)."},
		{"type T { a: Int }", "Syntax Error: Expected query, mutation or fragment, found "
				      "type (line 1, column 1)."},
		{"subscription { a }", "Syntax Error: Expected query, mutation or fragment, found "
				       "subscription (line 1, column 1)."},
		{"fragment on on T { a }",
		 "Syntax Error: Expected the fragment's name, found on (line 1, column 10)."},
		{"query($a: T = $b) { a }",
		 "Syntax Error: Expected a value, found $ (line 1, column 15)."},
		{"fragment F on T { a }", "The document has fragments only, no operation."},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct arena arena;
		struct gql_document document;
		struct error err;
		assert_false(parses(rows[i].text, &arena, &document, &err));
		assert_string_equal(err.message, rows[i].message);
		arena_deinit(&arena);
	}
}

/* "{a{a{a … }}}", or lists in lists. */
static bool nested_parses(unsigned depth, const char *head, const char *open, const char *close,
			  const char *tail)
{
	static char text[1024];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", head);
	for (unsigned i = 0; i < depth; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", open);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "a");
	for (unsigned i = 0; i < depth; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", close);
	(void)snprintf(text + len, sizeof(text) - len, "%s", tail);
	struct arena arena;
	struct gql_document document;
	struct error err;
	bool ok = parses(text, &arena, &document, &err);
	arena_deinit(&arena);
	return ok;
}

static void nesting_has_a_bound(void **state)
{
	(void)state;
	assert_true(nested_parses(GQL_DEPTH_MAX - 1, "{", "a{", "}", "}"));
	assert_false(nested_parses(GQL_DEPTH_MAX, "{", "a{", "}", "}"));
	assert_true(nested_parses(GQL_DEPTH_MAX - 1, "{a(x:", "[", "]", ")}"));
	assert_false(nested_parses(GQL_DEPTH_MAX, "{a(x:", "[", "]", ")}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_is_read_with_all_its_parts),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(nesting_has_a_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
