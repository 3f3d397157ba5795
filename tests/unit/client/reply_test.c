#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/reply.h"

static void test_values_are_found_by_path(void **state)
{
	(void)state;
	static const struct {
		const char *body, *path, *text_or_null;
	} rows[] = {
		{"{\"a\":\"x\"}", "a", "x"},
		{"{\"a\":17}", "a", "17"},
		{"{\"z\":[{\"a\":1}],\"run\":{\"data\":{},\"info\":{\"run_id\":\"r\"}}}",
		 "run.info.run_id", "r"},
		{"{\"message\":\"a \\\"b\\\" \\u00e4\"}", "message", "a \"b\" \xc3\xa4"},
		{"{\"a\":{\"b\":1}}", "a", NULL},
		{"{\"a\":null}", "a", NULL},
		{"{\"a\":{\"b\":1}}", "a.c", NULL},
		{"{\"b\":1}", "a", NULL},
		{"[1]", "a", NULL},
		{"", "a", NULL},
		{"<html>", "message", NULL},
		{"{\"a\":\"b", "a", NULL},
		{"{\"long\":\"0123456789012345678901234567890123456789\"}", "long",
		 "0123456789012345678901234567890"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[32] = "before";
		bool is_found =
			reply_text(slice_from_cstr(rows[i].body), rows[i].path, text, sizeof text);
		if (is_found != (rows[i].text_or_null != NULL))
			fail_msg("row %zu", i);
		assert_string_equal(text, is_found ? rows[i].text_or_null : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values_are_found_by_path)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
