/* CSV, and the records that it becomes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "serve/inputs.h"
#include "serve/inputs_csv.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

static const struct {
	const char *body, *records;
} taken[] = {
	{"a,b\n1,x\n2.50,y\n", "{\"a\":1,\"b\":\"x\"},{\"a\":2.50,\"b\":\"y\"}"},
	{"a", ""},
	{"a,b\r\n", ""},
	/* Numbers, in all the ways that pandas takes. */
	{"a\n-1\n+2\n007\n.5\n5.\n1e5\n1E-05\n 8 \n\"9\"\n-0\n000\n",
	 "{\"a\":-1},{\"a\":2},{\"a\":7},{\"a\":0.5},{\"a\":5},{\"a\":1e5},{\"a\":1e-05},{\"a\":8},"
	 "{\"a\":9},{\"a\":-0},{\"a\":0}"},
	{"a\ninf\n-Infinity\n+INF\n", "{\"a\":1e999},{\"a\":-1e999},{\"a\":1e999}"},
	{"a\n18446744073709551616\n0.1234567890123456789\n",
	 "{\"a\":18446744073709551616},{\"a\":0.1234567890123456789}"},
	/* One value that is none makes texts of all. */
	{"a\n007\nx\n", "{\"a\":\"007\"},{\"a\":\"x\"}"},
	{"a\n1\ntrue\n", "{\"a\":\"1\"},{\"a\":\"true\"}"},
	{"a\n1e\n", "{\"a\":\"1e\"}"},
	{"a\n1e+\n", "{\"a\":\"1e+\"}"},
	{"a\n.\n", "{\"a\":\".\"}"},
	{"a\n-\n", "{\"a\":\"-\"}"},
	{"a\n--1\n", "{\"a\":\"--1\"}"},
	{"a\n1.2.3\n", "{\"a\":\"1.2.3\"}"},
	{"a\n1_0\n", "{\"a\":\"1_0\"}"},
	{"a\n0x1\n", "{\"a\":\"0x1\"}"},
	{"a\n2021-03-01 00:00:00\n", "{\"a\":\"2021-03-01 00:00:00\"}"},
	{"a\n x \n", "{\"a\":\" x \"}"},
	/* Booleans. */
	{"a\nTrue\nfalse\nTRUE\n", "{\"a\":true},{\"a\":false},{\"a\":true}"},
	{"a\ntRue\n", "{\"a\":true}"},
	/* What is missing. */
	{"a,b,c,d\n1,x,True,\n,NA,,NaN\n", "{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":null},{\"a\":"
					   "null,\"b\":null,\"c\":null,\"d\":null}"},
	{"a\nnull\nN/A\n-1.#IND\n\"\"\n<NA>\nNone\n",
	 "{\"a\":null},{\"a\":null},{\"a\":null},{\"a\":null},{\"a\":null},{\"a\":null}"},
	{"a\nna\n", "{\"a\":\"na\"}"},
	/* Quotes, and what JSON escapes. */
	{"\"a,\"\"b\"\"\"\n\"say \"\"no\"\", twice\"\n",
	 "{\"a,\\\"b\\\"\":\"say \\\"no\\\", twice\"}"},
	{"a\n\"x\ny\"\n", "{\"a\":\"x\\ny\"}"},
	{"a\n\\t\tü\n", "{\"a\":\"\\\\t\\tü\"}"},
	/* Names. */
	{",1\n0,2\n", "{\"Unnamed: 0\":0,\"1\":2}"},
	{"\xEF\xBB\xBF"
	 "a\n1",
	 "{\"a\":1}"},
	{"true,a b\n1,2\n", "{\"true\":1,\"a b\":2}"},
};

static const struct {
	const char *body, *said;
} refused[] = {
	{"", "no first line"},
	{"\n \n", "no first line"},
	{"a\n\xff\n", "not CSV in UTF-8"},
	{"a,b\n1\n", "ends before line 3 has 1 fields; there are 2 columns"},
	{"a,b\n1,2\n1,2,3\n", "ends before line 4 has 3 fields; there are 2 columns"},
	{"a\n\"x\n", "a field in quotes does not end, in line 3"},
	{"a\nx\"y\n", "a quote within a field that is not in quotes, in line 2"},
	{"\"a\"b\n", "text behind a field in quotes, in line 1"},
};

static bool make_line(struct slice body, size_t line_bytes_max, struct buffer *out,
		      struct error *err)
{
	buffer_init(out, line_bytes_max);
	/* In memory of its own, so that a byte too far is seen. */
	char *copy = malloc(body.len + 1);
	assert_non_null(copy);
	memcpy(copy, body.ptr, body.len);
	bool ok = inputs_from_csv(slice_make(copy, body.len), 7, out, err);
	free(copy);
	return ok;
}

static void test_csv_becomes_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(taken); i++) {
		struct buffer line;
		struct error err;
		char wanted[512];
		(void)snprintf(wanted, sizeof(wanted), "{\"id\":7,\"records\":[%s]}\n",
			       taken[i].records);
		if (!make_line(slice_from_cstr(taken[i].body), LINE_BYTES_MAX, &line, &err))
			fail_msg("%s: %s", taken[i].body, err.message);
		buffer_append_byte(&line, '\0');
		assert_string_equal(line.ptr_or_null, wanted);
		buffer_deinit(&line);
	}
}

static void check_refusal(struct slice body, const char *said)
{
	struct buffer line;
	struct error err;
	assert_false(make_line(body, LINE_BYTES_MAX, &line, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	if (strstr(err.message, said) == NULL)
		fail_msg("%.*s: %s", SLICE_FMT(body), err.message);
	buffer_deinit(&line);
}

static void test_what_is_no_csv_is_refused_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		check_refusal(slice_from_cstr(refused[i].body), refused[i].said);
	check_refusal(SLICE("a\nx\0y\n"), "without zero bytes");
}

/* What is longer than a number of JSON may be is a text. */
static void test_a_number_has_so_many_digits_and_no_more(void **state)
{
	(void)state;
	static const char digits[] =
		"12345678901234567890123456789012345678901234567890123456789012345";
	for (size_t count = 62; count <= 63; count++) {
		struct buffer line;
		struct error err;
		char body[128], wanted[128];
		(void)snprintf(body, sizeof(body), "a\n%.*s\n", (int)count, digits);
		(void)snprintf(wanted, sizeof(wanted),
			       count == 62 ? "{\"id\":7,\"records\":[{\"a\":%.*s}]}\n"
					   : "{\"id\":7,\"records\":[{\"a\":\"%.*s\"}]}\n",
			       (int)count, digits);
		assert_true(make_line(slice_from_cstr(body), LINE_BYTES_MAX, &line, &err));
		assert_true(slice_eq_cstr(buffer_slice(&line), wanted));
		buffer_deinit(&line);
	}
}

static void test_a_line_may_have_so_many_bytes_and_no_more(void **state)
{
	(void)state;
	size_t bytes = strlen("{\"id\":7,\"records\":[{\"abcdefgh\":1},{\"abcdefgh\":2}]}\n");
	struct buffer line;
	struct error err;
	assert_true(make_line(SLICE("abcdefgh\n1\n2\n"), bytes, &line, &err));
	assert_int_equal(line.len, bytes);
	buffer_deinit(&line);
	assert_false(make_line(SLICE("abcdefgh\n1\n2\n"), bytes - 1, &line, &err));
	assert_int_equal(err.code, ERR_REQUEST_TOO_LARGE);
	buffer_deinit(&line);
}

static void test_there_may_be_so_many_columns_and_no_more(void **state)
{
	(void)state;
	for (size_t count = INPUTS_COLUMNS_MAX; count <= INPUTS_COLUMNS_MAX + 1; count++) {
		struct buffer body, line;
		struct error err;
		buffer_init(&body, INPUTS_COLUMNS_MAX + 1);
		for (size_t i = 1; i < count; i++)
			buffer_append_byte(&body, ',');
		bool ok = make_line(buffer_slice(&body), LINE_BYTES_MAX, &line, &err);
		assert_int_equal(ok, count == INPUTS_COLUMNS_MAX);
		if (!ok)
			assert_non_null(strstr(err.message, "More than 65536 columns"));
		buffer_deinit(&body);
		buffer_deinit(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_becomes_records),
		cmocka_unit_test(test_what_is_no_csv_is_refused_with_a_sentence),
		cmocka_unit_test(test_a_number_has_so_many_digits_and_no_more),
		cmocka_unit_test(test_a_line_may_have_so_many_bytes_and_no_more),
		cmocka_unit_test(test_there_may_be_so_many_columns_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
