/* Tests the grammar of heads, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/head_scan.h"

struct row {
	struct slice bytes;
	enum head_scan_result result; /* HEAD_SCAN_LINE never: lines are passed over */
	size_t taken;                 /* where the outcome shows; for MORE all */
};

#define ALL(text) {text, sizeof(text) - 1}
#define ROW(text, result, taken) {ALL(text), result, taken}

static const struct row rows[] = {
	ROW("GET / HTTP/1.1\r\n\r\n", HEAD_SCAN_END, 18),
	ROW("GET / HTTP/1.1\r\n\r\nrest", HEAD_SCAN_END, 18),
	ROW("\r\nGET / HTTP/1.1\r\n\r\n", HEAD_SCAN_END, 20),
	ROW("GET / HTTP/1.1\r\nA: b\r\nC:\r\nD:e\tf \r\n\r\n", HEAD_SCAN_END, 36),
	ROW("GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", HEAD_SCAN_END, 44),
	ROW("GET / HTTP/1.1\r\nA: \xc3\xbc:\"[]\r\n\r\n", HEAD_SCAN_END, 29),
	ROW("GET / HTTP/1.1\r\n", HEAD_SCAN_MORE, 16),
	ROW("", HEAD_SCAN_MORE, 0),
	ROW("\r\n\r\nGET", HEAD_SCAN_BROKEN, 3),
	ROW("\nGET", HEAD_SCAN_BROKEN, 1),
	ROW("\rGET", HEAD_SCAN_BROKEN, 2),
	ROW(" GET", HEAD_SCAN_BROKEN, 1),
	ROW("\x16\x03\x01", HEAD_SCAN_BROKEN, 1),
	ROW("GET / HTTP/1.1\n", HEAD_SCAN_BROKEN, 15),
	ROW("GET / HTTP/1.1\rX", HEAD_SCAN_BROKEN, 16),
	ROW("GET /\t HTTP/1.1\r\n", HEAD_SCAN_BROKEN, 6),
	ROW("GET /\x7f HTTP/1.1\r\n", HEAD_SCAN_BROKEN, 6),
	ROW("GET /\0 HTTP/1.1\r\n", HEAD_SCAN_BROKEN, 6),
	ROW("GET /\xc3\xbc HTTP/1.1\r\n", HEAD_SCAN_BROKEN, 6),
	ROW("GET / HTTP/1.1\r\n A: b\r\n", HEAD_SCAN_BROKEN, 17),
	ROW("GET / HTTP/1.1\r\nA: b\r\n c\r\n", HEAD_SCAN_BROKEN, 23),
	ROW("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", HEAD_SCAN_BROKEN, 23),
	ROW("GET / HTTP/1.1\r\n: b\r\n", HEAD_SCAN_BROKEN, 17),
	ROW("GET / HTTP/1.1\r\nA : b\r\n", HEAD_SCAN_BROKEN, 18),
	ROW("GET / HTTP/1.1\r\nA\t: b\r\n", HEAD_SCAN_BROKEN, 18),
	ROW("GET / HTTP/1.1\r\nA(: b\r\n", HEAD_SCAN_BROKEN, 18),
	ROW("GET / HTTP/1.1\r\nA\xc3\xbc: b\r\n", HEAD_SCAN_BROKEN, 18),
	ROW("GET / HTTP/1.1\r\nA\0: b\r\n", HEAD_SCAN_BROKEN, 18),
	ROW("GET / HTTP/1.1\r\nABC\r\n", HEAD_SCAN_BROKEN, 20),
	ROW("GET / HTTP/1.1\r\nABC\n", HEAD_SCAN_BROKEN, 20),
	ROW("GET / HTTP/1.1\r\nA: b\nC: d\r\n", HEAD_SCAN_BROKEN, 21),
	ROW("GET / HTTP/1.1\r\nA: b\rC: d\r\n", HEAD_SCAN_BROKEN, 22),
	ROW("GET / HTTP/1.1\r\nA: b\0c\r\n", HEAD_SCAN_BROKEN, 21),
	ROW("GET / HTTP/1.1\r\nA: b\x01\r\n", HEAD_SCAN_BROKEN, 21),
	ROW("GET / HTTP/1.1\r\nA: b\x7f\r\n", HEAD_SCAN_BROKEN, 21),
	ROW("GET / HTTP/1.1\r\nA: b\r\n\n", HEAD_SCAN_BROKEN, 23),
	ROW("GET / HTTP/1.1\r\nA: b\r\n\rX", HEAD_SCAN_BROKEN, 24),
};

static enum head_scan_result scan(struct head_scan *s, struct slice bytes, size_t *taken)
{
	*taken = 0;
	for (;;) {
		size_t step = 0;
		enum head_scan_result result = head_scan_next(s, slice_from(bytes, *taken), &step);
		*taken += step;
		if (result != HEAD_SCAN_LINE)
			return result;
	}
}

static void test_each_row_ends_where_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct head_scan s;
		size_t taken = 0;
		head_scan_init(&s);
		enum head_scan_result result = scan(&s, rows[i].bytes, &taken);
		if (result != rows[i].result || taken != rows[i].taken)
			fail_msg("row %zu: result %d after %zu bytes", i, (int)result, taken);
		if (result == HEAD_SCAN_BROKEN)
			assert_non_null(head_scan_problem(&s));
	}
}

static void test_the_outcome_does_not_depend_on_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
			struct head_scan s;
			size_t first = 0, second = 0;
			head_scan_init(&s);
			enum head_scan_result result = scan(&s, slice_first(rows[i].bytes, cut), &first);
			if (result == HEAD_SCAN_MORE)
				result = scan(&s, slice_from(rows[i].bytes, cut), &second);
			if (result != rows[i].result || first + second != rows[i].taken)
				fail_msg("row %zu cut at %zu", i, cut);
		}
	}
}

static void test_a_broken_head_stays_broken(void **state)
{
	(void)state;
	struct head_scan s;
	size_t taken = 0;
	head_scan_init(&s);
	assert_int_equal(scan(&s, SLICE("\n"), &taken), HEAD_SCAN_BROKEN);
	assert_int_equal(scan(&s, SLICE("GET / HTTP/1.1\r\n\r\n"), &taken), HEAD_SCAN_BROKEN);
	assert_int_equal(taken, 0);
}

static void test_the_request_line_is_told_and_headers_are_counted(void **state)
{
	(void)state;
	struct head_scan s;
	size_t taken = 0;
	struct slice bytes = SLICE("GET / HTTP/1.1\r\nA: b\r\nCD: e\r\n\r\n");
	head_scan_init(&s);
	assert_false(head_scan_has_begun(&s));
	assert_int_equal(head_scan_next(&s, bytes, &taken), HEAD_SCAN_LINE);
	assert_int_equal(taken, 16);
	assert_true(head_scan_has_begun(&s));
	assert_int_equal(head_scan_next(&s, slice_from(bytes, taken), &taken), HEAD_SCAN_END);
	assert_int_equal(s.field_count, 2);
}

static void test_an_empty_line_alone_does_not_begin_a_head(void **state)
{
	(void)state;
	struct head_scan s;
	size_t taken = 0;
	head_scan_init(&s);
	assert_int_equal(head_scan_next(&s, SLICE("\r\n"), &taken), HEAD_SCAN_MORE);
	assert_false(head_scan_has_begun(&s));
}

static void test_trailers_may_be_empty_or_headers(void **state)
{
	(void)state;
	struct head_scan s;
	size_t taken = 0;
	head_scan_init_trailers(&s);
	assert_int_equal(head_scan_next(&s, SLICE("\r\nGET"), &taken), HEAD_SCAN_END);
	assert_int_equal(taken, 2);
	head_scan_init_trailers(&s);
	assert_int_equal(head_scan_next(&s, SLICE("A: b\r\n\r\n"), &taken), HEAD_SCAN_END);
	head_scan_init_trailers(&s);
	assert_int_equal(head_scan_next(&s, SLICE("A b\r\n\r\n"), &taken), HEAD_SCAN_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_ends_where_it_says),
		cmocka_unit_test(test_the_outcome_does_not_depend_on_cuts),
		cmocka_unit_test(test_a_broken_head_stays_broken),
		cmocka_unit_test(test_the_request_line_is_told_and_headers_are_counted),
		cmocka_unit_test(test_an_empty_line_alone_does_not_begin_a_head),
		cmocka_unit_test(test_trailers_may_be_empty_or_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
