/* Tests the framing of chunked bodies, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/chunked.h"

struct row {
	struct slice bytes;
	enum chunked_result result; /* END, BROKEN, or MORE */
	const char *data;           /* what was decoded up to there */
	size_t left;                /* bytes behind the end */
};

#define ROW(text, result, data, left) {{text, sizeof(text) - 1}, result, data, left}

static const struct row rows[] = {
	ROW("0\r\n\r\n", CHUNKED_END, "", 0),
	ROW("5\r\nhello\r\n0\r\n\r\n", CHUNKED_END, "hello", 0),
	ROW("5\r\nhello\r\n0\r\n\r\nGET", CHUNKED_END, "hello", 3),
	ROW("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", CHUNKED_END, "abcde", 0),
	ROW("a\r\n0123456789\r\n0\r\n\r\n", CHUNKED_END, "0123456789", 0),
	ROW("A\r\n0123456789\r\n0\r\n\r\n", CHUNKED_END, "0123456789", 0),
	ROW("0005\r\nhello\r\n000\r\n\r\n", CHUNKED_END, "hello", 0),
	ROW("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", CHUNKED_END, "hello", 0),
	ROW("2\r\n\r\n\r\n0\r\n\r\n", CHUNKED_END, "\r\n", 0),
	ROW("0\r\nA: b\r\nC: d\r\n\r\n", CHUNKED_END, "", 0),
	ROW("0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\nGET", CHUNKED_END, "", 3),
	ROW("5\r\nhel", CHUNKED_MORE, "hel", 0),
	ROW("0\r\n", CHUNKED_MORE, "", 0),
	ROW("\r\n", CHUNKED_BROKEN, "", 0),
	ROW(";x\r\n", CHUNKED_BROKEN, "", 0),
	ROW("g\r\n", CHUNKED_BROKEN, "", 0),
	ROW("-1\r\n", CHUNKED_BROKEN, "", 0),
	ROW("+1\r\n", CHUNKED_BROKEN, "", 0),
	ROW("0x5\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW(" 5\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5 \r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5 ;x\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5\r\rhello", CHUNKED_BROKEN, "", 0),
	ROW("5\rXhello", CHUNKED_BROKEN, "", 0),
	ROW("5;a\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5;a\x01\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5;a\x7f\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("5\r\nhellox\r\n", CHUNKED_BROKEN, "hello", 0),
	ROW("5\r\nhello\n0\r\n\r\n", CHUNKED_BROKEN, "hello", 0),
	ROW("5\r\nhello\rx", CHUNKED_BROKEN, "hello", 0),
	ROW("7fffffffffffffff\r\nab", CHUNKED_MORE, "ab", 0),
	ROW("8000000000000000\r\nab", CHUNKED_BROKEN, "", 0),
	ROW("ffffffffffffffff\r\nab", CHUNKED_BROKEN, "", 0),
	ROW("10000000000000005\r\nhello", CHUNKED_BROKEN, "", 0),
	ROW("0\r\n\n", CHUNKED_BROKEN, "", 0),
	ROW("0\r\nA: b\n\r\n", CHUNKED_BROKEN, "", 0),
	ROW("0\r\nA : b\r\n\r\n", CHUNKED_BROKEN, "", 0),
	ROW("0\r\n A: b\r\n\r\n", CHUNKED_BROKEN, "", 0),
	ROW("0\r\nAB\r\n\r\n", CHUNKED_BROKEN, "", 0),
};

/* Feeds `bytes` in two parts; what is left behind the end goes to *left. */
static enum chunked_result decode(struct slice bytes, size_t cut, struct buffer *data, size_t *left)
{
	struct chunked c;
	struct slice parts[2] = {slice_first(bytes, cut), slice_from(bytes, cut)};
	enum chunked_result result = CHUNKED_MORE;
	chunked_init(&c);
	*left = 0;
	for (int i = 0; i < 2; i++) {
		struct slice piece;
		while ((result = chunked_next(&c, &parts[i], &piece)) == CHUNKED_DATA) {
			assert_true(piece.len > 0);
			buffer_append(data, piece);
		}
		if (result == CHUNKED_BROKEN)
			assert_non_null(c.problem_or_null);
		*left += parts[i].len;
	}
	return result;
}

static void test_each_row_decodes_the_same_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
			struct buffer data;
			size_t left = 0;
			buffer_init(&data, 100);
			enum chunked_result result = decode(rows[i].bytes, cut, &data, &left);
			bool same = result == rows[i].result &&
				    slice_eq_cstr(slice_make(data.len > 0 ? data.ptr_or_null : "", data.len),
						  rows[i].data) &&
				    (result == CHUNKED_BROKEN || left == rows[i].left);
			buffer_deinit(&data);
			if (!same)
				fail_msg("row %zu cut at %zu: result %d", i, cut, (int)result);
		}
	}
}

/* "1;xxx…" of `line_bytes`, then the rest of a body. */
static enum chunked_result with_size_line(size_t line_bytes)
{
	struct buffer b, data;
	size_t left = 0;
	buffer_init(&b, 10000);
	buffer_init(&data, 100);
	buffer_append(&b, SLICE("1;"));
	while (b.len < line_bytes)
		buffer_append_byte(&b, 'x');
	buffer_append(&b, SLICE("\r\na\r\n0\r\n\r\n"));
	enum chunked_result result = decode(buffer_slice(&b), 0, &data, &left);
	buffer_deinit(&b);
	buffer_deinit(&data);
	return result;
}

static void test_extensions_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(with_size_line(CHUNK_LINE_BYTES_MAX), CHUNKED_END);
	assert_int_equal(with_size_line(CHUNK_LINE_BYTES_MAX + 1), CHUNKED_BROKEN);
}

static enum chunked_result with_size_digits(size_t digits)
{
	struct buffer b, data;
	size_t left = 0;
	buffer_init(&b, 10000);
	buffer_init(&data, 100);
	while (b.len < digits)
		buffer_append_byte(&b, '0');
	buffer_append(&b, SLICE("\r\n\r\n"));
	enum chunked_result result = decode(buffer_slice(&b), 0, &data, &left);
	buffer_deinit(&b);
	buffer_deinit(&data);
	return result;
}

static void test_leading_zeros_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(with_size_digits(CHUNK_LINE_BYTES_MAX), CHUNKED_END);
	assert_int_equal(with_size_digits(CHUNK_LINE_BYTES_MAX + 1), CHUNKED_BROKEN);
}

static enum chunked_result with_trailers(size_t bytes, size_t cut)
{
	struct buffer b, data;
	size_t left = 0;
	buffer_init(&b, 10000);
	buffer_init(&data, 100);
	buffer_append(&b, SLICE("0\r\nA:"));
	while (b.len < 3 + bytes - 4)
		buffer_append_byte(&b, 'x');
	buffer_append(&b, SLICE("\r\n\r\n"));
	enum chunked_result result = decode(buffer_slice(&b), cut, &data, &left);
	buffer_deinit(&b);
	buffer_deinit(&data);
	return result;
}

static void test_trailers_are_bounded(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < CHUNK_TRAILER_BYTES_MAX; cut += 97) {
		assert_int_equal(with_trailers(CHUNK_TRAILER_BYTES_MAX, cut), CHUNKED_END);
		assert_int_equal(with_trailers(CHUNK_TRAILER_BYTES_MAX + 1, cut), CHUNKED_BROKEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_decodes_the_same_at_every_cut),
		cmocka_unit_test(test_extensions_are_bounded),
		cmocka_unit_test(test_leading_zeros_are_bounded),
		cmocka_unit_test(test_trailers_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
