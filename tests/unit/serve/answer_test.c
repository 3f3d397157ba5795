/* What workers answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/answer.h"

static const struct {
	const char *line;
	uint64_t id;
	const char *predictions_or_null, *error_or_null;
	bool has_nonfinite;
} taken[] = {
	{"{\"id\":7,\"predictions\":[1.50]}", 7, "[1.50]", NULL},
	{" {\"predictions\" : { \"a\" : [ ] } , \"id\" : 18446744073709551615 } ", UINT64_MAX,
	 "{ \"a\" : [ ] }", NULL},
	{"{\"id\":1,\"predictions\":null,\"took\":[{}]}", 1, "null", NULL},
	{"{\"id\":1,\"error\":\"no \\\"such\\\" zone\"}", 1, NULL, "\"no \\\"such\\\" zone\""},
	{"{\"id\":0}\r", 0, NULL, NULL},
	{"{\"id\":1,\"predictions\":[NaN]}", 1, "[NaN]", NULL, true},
	{"{\"id\":1,\"predictions\":1e999}", 1, "1e999", NULL},
};

static const struct {
	const char *line, *said;
} refused[] = {
	{"", "is no JSON object"},
	{"loading", "is no JSON object; it began with: loading"},
	{"[{\"id\":1}]", "is no JSON object"},
	{"{\"id\":1", "is not JSON"},
	{"{\"id\":1,\"predictions\":[nan]}", "is not JSON"},
	{"{\"id\":1}{\"id\":2}", "is not JSON"},
	{"{\"predictions\":[1]}", "has no id"},
	{"{\"id\":\"1\"}", "has no id, or one that is no number"},
	{"{\"id\":-1}", "has no id, or one that is no number"},
	{"{\"id\":1,\"error\":[1]}", "an error that is no text"},
};

static void check_part(struct slice found, const char *wanted_or_null)
{
	assert_int_equal(slice_is_present(found), wanted_or_null != NULL);
	if (wanted_or_null != NULL)
		assert_true(slice_eq_cstr(found, wanted_or_null));
}

static void test_answers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(taken); i++) {
		struct answer answer;
		struct error err;
		if (!answer_read(slice_from_cstr(taken[i].line), &answer, &err))
			fail_msg("%s: %s", taken[i].line, err.message);
		assert_true(answer.id == taken[i].id);
		assert_int_equal(answer.has_nonfinite, taken[i].has_nonfinite);
		check_part(answer.predictions, taken[i].predictions_or_null);
		check_part(answer.error, taken[i].error_or_null);
	}
}

static void test_what_is_no_answer_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct answer answer;
		struct error err;
		if (answer_read(slice_from_cstr(refused[i].line), &answer, &err))
			fail_msg("%s was taken", refused[i].line);
		if (strstr(err.message, refused[i].said) == NULL)
			fail_msg("%s: %s", refused[i].line, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_read),
		cmocka_unit_test(test_what_is_no_answer_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
