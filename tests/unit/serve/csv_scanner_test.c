/* Which texts are CSV, and the fields they have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buffer.h"
#include "serve/csv_scanner.h"

/* Each field in brackets, | at the end of a record, ! and the line at an error. Doubled quotes stay; "d" is behind a
 * field that has them. */
static const struct {
	const char *text, *seen;
} rows[] = {
	{"", ""},
	{"a", "[a]|"},
	{"a,b\n", "[a][b]|"},
	{"a,b\r\n1,2\r\n", "[a][b]|[1][2]|"},
	{"a\r1\r", "[a]|[1]|"},
	{"a\n\n\r\n \t\n1\n\n", "[a]|[1]|"},
	{"\n\n", ""},
	{" ", ""},
	{"a\n  ", "[a]|"},
	{" a , b \n", "[ a ][ b ]|"},
	{"  ,\n", "[  ][]|"},
	{",", "[][]|"},
	{",,\n,", "[][][]|[][]|"},
	{"\xEF\xBB\xBF"
	 "a\n",
	 "[a]|"},
	{"\xEF\xBB"
	 "a\n",
	 "[\xEF\xBB"
	 "a]|"},
	{"\"a\"", "[a]|"},
	{"\"\"", "[]|"},
	{"\"\"\n\"\"\n", "[]|[]|"},
	{"\"a,b\",\"c\r\nd\"\n", "[a,b][c\r\nd]|"},
	{"\"say \"\"no\"\"\",x", "[say \"\"no\"\"]d[x]|"},
	{"\"\"\"\"", "[\"\"]d|"},
	{"a,\"", "[a]!1"},
	{"a\n\"b\n\n", "[a]|!4"},
	{"\"\"\"", "!1"},
	{"\"a\"b", "!1"},
	{"\"a\" ,b", "!1"},
	{"a\r\nb\"c\"\n", "[a]|!2"},
	{" \"a\"", "!1"},
};

static void scan(struct slice text, struct buffer *seen)
{
	struct csv_scanner s;
	enum csv_token token;
	buffer_reset(seen);
	csv_scanner_init(&s, text);
	while ((token = csv_scan_next(&s)) > CSV_END) {
		if (token == CSV_RECORD_END)
			buffer_append_byte(seen, '|');
		else
			buffer_printf(seen, "[%.*s]%s", SLICE_FMT(s.field),
				      s.has_doubled_quotes ? "d" : "");
	}
	if (token == CSV_ERROR)
		buffer_printf(seen, "!%zu", s.line);
	assert_int_equal(csv_scan_next(&s), token); /* the end and an error stay */
	assert_int_equal(token == CSV_ERROR, s.error_text_or_null != NULL);
}

static void test_texts_have_their_fields(void **state)
{
	(void)state;
	struct buffer seen;
	buffer_init(&seen, 1000);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		/* In memory of its own, so that a byte too far is seen. */
		size_t len = strlen(rows[i].text);
		char *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy, rows[i].text, len);
		scan(slice_make(copy, len), &seen);
		free(copy);
		if (!slice_eq_cstr(buffer_slice(&seen), rows[i].seen))
			fail_msg("row %zu: %.*s", i, SLICE_FMT(buffer_slice(&seen)));
	}
	buffer_deinit(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_have_their_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
