/* Lines out of pieces. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/lines.h"

enum { LINE_BYTES_MAX = 8 };

/* What came, each line with a '|' behind it; false on the line "stop". */
static bool note(void *ctx, struct slice line)
{
	struct buffer *seen = ctx;
	buffer_append(seen, line);
	buffer_append_byte(seen, '|');
	return !slice_eq_cstr(line, "stop");
}

/* In pieces of so many bytes; true if all were taken. */
static bool take(const char *text, size_t piece_bytes, struct buffer *seen, bool *is_too_long_out)
{
	struct slice rest = slice_from_cstr(text);
	struct lines lines;
	bool ok = true;
	lines_init(&lines, LINE_BYTES_MAX);
	buffer_reset(seen);
	for (; ok && rest.len > 0; rest = slice_from(rest, piece_bytes))
		ok = lines_take(&lines, slice_first(rest, piece_bytes), note, seen,
				is_too_long_out);
	lines_deinit(&lines);
	return ok;
}

static const struct {
	const char *text, *seen;
	bool is_taken, is_too_long;
} rows[] = {
	{"a\nbc\n\nd\n", "a|bc||d|", true, false},
	{"12345678\n1234567\n", "12345678|1234567|", true, false},
	{"a\n12345678", "a|", true, false},
	{"a\n123456789\nb\n", "a|", false, true},
	{"a\nstop\nb\n", "a|stop|", false, false},
};

static void test_lines_are_the_same_however_they_come(void **state)
{
	(void)state;
	struct buffer seen;
	buffer_init(&seen, 1000);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
			bool is_too_long = false;
			assert_int_equal(take(rows[i].text, piece, &seen, &is_too_long),
					 rows[i].is_taken);
			assert_int_equal(is_too_long, rows[i].is_too_long);
			assert_true(slice_eq_cstr(buffer_slice(&seen), rows[i].seen));
		}
	}
	buffer_deinit(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_the_same_however_they_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
