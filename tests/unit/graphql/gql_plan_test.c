/* What a document comes to, and the bounds that keep its answer small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "graphql/gql_plan.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static struct arena arena;

static bool plans(const char *text, const char *variables, struct gql_plan **out, struct error *err)
{
	struct gql_document document;
	struct gql_request request = {.document = &document};
	return json_read(slice_from_cstr(variables), &arena, &request.variables, err) &&
	       gql_parse(slice_from_cstr(text), &arena, &document, err) &&
	       gql_plan_make(&request, &arena, out, err);
}

static int set_up(void **state)
{
	(void)state;
	json_reader_setup();
	arena_init(&arena, ARENA_BYTES);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

#define RUN(selection) "{ mlflowGetRun(input: {}) { run { " selection " } } }"

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *variables, *message;
	} rows[] = {
		{"{ nope }", "{}", "Cannot query field 'nope' on type 'Query'."},
		{"mutation { mlflowGetRun { run { __typename } } }", "{}",
		 "Cannot query field 'mlflowGetRun' on type 'Mutation'."},
		{RUN("info { run_id }"), "{}",
		 "Cannot query field 'run_id' on type 'MlflowRunInfo'."},
		{RUN("info"), "{}", "Field 'info' must have a selection of subfields."},
		{RUN("info { runId { x } }"), "{}",
		 "Field 'runId' must not have a selection since its type has no subfields."},
		{RUN("info(input: 1) { runId }"), "{}",
		 "Unknown argument 'input' on a field of type 'MlflowRunExtension'."},
		{"{ mlflowGetRun(x: 1) { run { __typename } } }", "{}",
		 "Unknown argument 'x' on a field of type 'Query'."},
		{RUN("...G"), "{}", "Unknown fragment 'G'."},
		{RUN("a: info { runId } a: data { __typename }"), "{}",
		 "Two different fields have the key 'a'; give one an alias."},
		{RUN("info @skip { runId }"), "{}", "Directive 'skip' needs the argument 'if'."},
		{RUN("info @skip(if: 1) { runId }"), "{}",
		 "The argument 'if' of directive 'skip' is not a boolean."},
		{RUN("info @skip(if: $x) { runId }"), "{}",
		 "There is no variable 'x' in the operation."},
		{"query($x: Int!) { __typename }", "{}", "No value for the required variable 'x'."},
		{"query($x: Int!) { __typename }", "{\"x\": null}",
		 "No value for the required variable 'x'."},
		{"query A { __typename } query B { __typename }", "{}",
		 "Must provide operation name if query contains multiple operations."},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct gql_plan *plan;
		struct error err;
		assert_false(plans(rows[i].text, rows[i].variables, &plan, &err));
		assert_string_equal(err.message, rows[i].message);
	}
}

static void variables_and_defaults_end_up_in_the_input(void **state)
{
	(void)state;
	static const struct {
		const char *text, *variables, *input;
	} rows[] = {
		{"query($a: X!) { mlflowGetRun(input: $a) { run { __typename } } }",
		 "{\"a\": {\"runId\": \"x\", \"n\": 12345678901234567890}}",
		 "{\"runId\":\"x\",\"n\":12345678901234567890}"},
		{"query($a: X = [RED]) { mlflowGetRun(input: {l: $a, b: true, t: \"q\\\"\"}) { run "
		 "{ __typename } } }",
		 "{}", "{\"l\":[\"RED\"],\"b\":true,\"t\":\"q\\\"\"}"},
		{"query($a: X) { mlflowGetRun(input: {l: $a}) { run { __typename } } }", "{}",
		 "{\"l\":null}"},
		{"{ mlflowGetRun { run { __typename } } }", "{}", "{}"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct gql_plan *plan;
		struct error err;
		assert_true(plans(rows[i].text, rows[i].variables, &plan, &err));
		assert_true(slice_eq_cstr(plan->input, rows[i].input));
	}
}

static void equal_keys_become_one_field(void **state)
{
	(void)state;
	struct gql_plan *plan;
	struct error err;
	assert_true(plans(
		RUN("info { runId } ...F info { status runId }") " fragment F on MlflowRunExtension"
								 " { info { endTime } }",
		"{}", &plan, &err));
	const struct gql_plan *info = plan->children_or_null->children_or_null;
	assert_null(info->next_or_null);
	static const char *const expected[] = {"runId", "endTime", "status"};
	const struct gql_plan *field = info->children_or_null;
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++, field = field->next_or_null)
		assert_true(slice_eq_cstr(field->response_key, expected[i]));
	assert_null(field);
}

/* `count` aliases a0, a1 … of one field. */
static bool aliases_plan(unsigned count, const char *field)
{
	static char text[64 * 1024];
	size_t len = (size_t)snprintf(text, sizeof(text), "{ ");
	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "a%u: %s ", i, field);
	(void)snprintf(text + len, sizeof(text) - len, "}");
	struct gql_plan *plan;
	struct error err;
	return plans(text, "{}", &plan, &err);
}

static bool repeats_plan(unsigned count)
{
	static char text[64 * 1024];
	size_t len = (size_t)snprintf(text, sizeof(text), "{ ");
	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "__typename ");
	(void)snprintf(text + len, sizeof(text) - len, "}");
	struct gql_plan *plan;
	struct error err;
	return plans(text, "{}", &plan, &err);
}

static void answers_are_bounded(void **state)
{
	(void)state;
	assert_true(aliases_plan(GQL_ALIASES_MAX, "__typename"));
	assert_false(aliases_plan(GQL_ALIASES_MAX + 1, "__typename"));
	assert_true(repeats_plan(GQL_FIELDS_MAX));
	assert_false(repeats_plan(GQL_FIELDS_MAX + 1));
}

static void a_fragment_in_itself_is_refused(void **state)
{
	(void)state;
	struct gql_plan *plan;
	struct error err;
	assert_false(plans("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
			   "{}", &plan, &err));
	assert_false(plans("{ ...A } fragment A on Query { ...A ...A ...A }", "{}", &plan, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mistakes_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(variables_and_defaults_end_up_in_the_input, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(equal_keys_become_one_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fragment_in_itself_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
