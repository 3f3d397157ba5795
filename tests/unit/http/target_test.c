/* Tests percent-decoding and the walk through query strings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/target.h"

struct decode_row {
	struct slice encoded;
	bool plus_is_space;
	const char *decoded_or_null; /* NULL: refused */
};

#define ROW(text, plus, decoded) {{text, sizeof(text) - 1}, plus, decoded}

static const struct decode_row decode_rows[] = {
	ROW("", false, ""),
	ROW("abc", false, "abc"),
	ROW("a%20b", false, "a b"),
	ROW("a+b", false, "a+b"),
	ROW("a+b", true, "a b"),
	ROW("a%2Bb", true, "a+b"),
	ROW("%2f%2F", false, "//"),
	ROW("%C3%BC", false, "\xc3\xbc"),
	ROW("%f0%9f%98%80", false, "\xf0\x9f\x98\x80"),
	ROW("%2525", false, "%25"),
	ROW("%", false, NULL),
	ROW("%2", false, NULL),
	ROW("a%2", false, NULL),
	ROW("%2g", false, NULL),
	ROW("%g2", false, NULL),
	ROW("%%20", false, NULL),
	ROW("% 2", false, NULL),
	ROW("%+2", false, NULL),
	ROW("%00", false, NULL),
	ROW("a\0b", false, NULL),
	ROW("%ff", false, NULL),
	ROW("%C3", false, NULL),
	ROW("%c0%af", false, NULL),     /* overlong '/' */
	ROW("%ed%a0%80", false, NULL),  /* surrogate */
	ROW("\xff", false, NULL),
};

static void test_each_row_decodes_or_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(decode_rows); i++) {
		const struct decode_row *row = &decode_rows[i];
		struct arena arena;
		struct error err = {0};
		struct slice out = SLICE("untouched");
		arena_init(&arena, 100000);
		bool ok = target_decode(row->encoded, row->plus_is_space, &arena, &out, &err);
		if (ok != (row->decoded_or_null != NULL) ||
		    !slice_eq_cstr(out, ok ? row->decoded_or_null : "untouched"))
			fail_msg("row %zu: '%.*s'", i, SLICE_FMT(out));
		assert_int_equal(err.code, ok ? ERR_NONE : ERR_INVALID_PARAMETER_VALUE);
		arena_deinit(&arena);
	}
}

struct query_row {
	const char *query;
	const char *story; /* "name=value;…", "!" when refused */
};

static const struct query_row query_rows[] = {
	{"", ""},
	{"a=b", "a=b;"},
	{"a=b&c=d", "a=b;c=d;"},
	{"a", "a=;"},
	{"a=", "a=;"},
	{"=b", "=b;"},
	{"=", "=;"},
	{"&&a=b&", "a=b;"},
	{"a=b=c", "a=b=c;"},
	{"a=1&a=2", "a=1;a=2;"},
	{"a%26b=c%3Dd+e", "a&b=c=d e;"},
	{"a=b;c", "a=b;c;"},
	{"a=b&c=%", "a=b;!"},
	{"%zz=b", "!"},
};

static void test_a_query_is_walked_pair_by_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(query_rows); i++) {
		struct arena arena;
		struct error err = {0};
		struct slice rest = slice_from_cstr(query_rows[i].query), name, value;
		char story[100] = "";
		size_t len = 0;
		bool found = true;
		arena_init(&arena, 100000);
		while (found) {
			if (!target_query_next(&rest, &arena, &name, &value, &found, &err)) {
				story[len++] = '!';
				break;
			}
			if (found)
				len += (size_t)snprintf(story + len, sizeof(story) - len, "%.*s=%.*s;",
							SLICE_FMT(name), SLICE_FMT(value));
		}
		story[len] = '\0';
		assert_string_equal(story, query_rows[i].story);
		arena_deinit(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_decodes_or_is_refused),
		cmocka_unit_test(test_a_query_is_walked_pair_by_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
