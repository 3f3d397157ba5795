/* What numbers that JSON does not have become. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/plain_json.h"

static const struct {
	const char *text, *plain;
} rows[] = {
	{"NaN", "null"},
	{"Infinity", "1e999"},
	{"-Infinity", "-1e999"},
	{" [ NaN , 1.50,-Infinity ]", " [ null , 1.50,-1e999 ]"},
	{"{\"NaN\":NaN,\"b\":\"Infinity\",\"c\":[{\"d\":Infinity}]}",
	 "{\"NaN\":null,\"b\":\"Infinity\",\"c\":[{\"d\":1e999}]}"},
	{"[NaN,NaN,NaN]", "[null,null,null]"},
	{"{\"a\":[1,-2e5,true,null,\"\\\"\"]}", "{\"a\":[1,-2e5,true,null,\"\\\"\"]}"},
	{"1e400", "1e400"},
};

static void test_all_else_stays_as_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct buffer out;
		buffer_init(&out, 1000);
		plain_json_append(slice_from_cstr(rows[i].text), &out);
		if (!slice_eq_cstr(buffer_slice(&out), rows[i].plain))
			fail_msg("%s: %.*s", rows[i].text, SLICE_FMT(buffer_slice(&out)));
		buffer_deinit(&out);
	}
}

static void test_a_buffer_that_is_full_says_so(void **state)
{
	(void)state;
	struct buffer out;
	struct error err;
	buffer_init(&out, strlen("[null,1e999]"));
	plain_json_append(SLICE("[NaN,Infinity]"), &out);
	assert_true(buffer_check(&out, "it", &err));
	buffer_deinit(&out);
	buffer_init(&out, strlen("[null,1e999]") - 1);
	plain_json_append(SLICE("[NaN,Infinity]"), &out);
	assert_false(buffer_check(&out, "it", &err));
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_else_stays_as_it_is),
		cmocka_unit_test(test_a_buffer_that_is_full_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
