/* Tests the conditions of a GET: ranges and lists of entity tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/byte_range.h"

static void test_ranges_of_ten_bytes(void **state)
{
	static const struct {
		const char *header; /* NULL: absent */
		enum byte_range_result result;
		int64_t offset, length;
	} rows[] = {
		{NULL, BYTE_RANGE_WHOLE, 0, 0},
		{"", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=0-9", BYTE_RANGE_PART, 0, 10},
		{"bytes=0-0", BYTE_RANGE_PART, 0, 1},
		{"bytes=9-9", BYTE_RANGE_PART, 9, 1},
		{"bytes=3-", BYTE_RANGE_PART, 3, 7},
		{"bytes=3-100", BYTE_RANGE_PART, 3, 7},
		{"bytes=-1", BYTE_RANGE_PART, 9, 1},
		{"bytes=-10", BYTE_RANGE_PART, 0, 10},
		{"bytes=-11", BYTE_RANGE_PART, 0, 10},
		{"Bytes= 1-2 ", BYTE_RANGE_PART, 1, 2},
		{"bytes=-0", BYTE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=10-", BYTE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=10-11", BYTE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=9223372036854775807-", BYTE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=0-9223372036854775807", BYTE_RANGE_PART, 0, 10},
		{"bytes=0-9223372036854775808", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=5-4", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=0-1,3-4", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=+1-2", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=--2", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=-", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=a-b", BYTE_RANGE_WHOLE, 0, 0},
		{"bytes=5", BYTE_RANGE_WHOLE, 0, 0},
		{"chars=0-1", BYTE_RANGE_WHOLE, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t offset = -1, length = -1;
		struct slice header = slice_from_cstr(rows[i].header);
		enum byte_range_result result = byte_range_parse(header, 10, &offset, &length);
		if (result != rows[i].result)
			fail_msg("'%s' gave %d", rows[i].header, (int)result);
		if (result == BYTE_RANGE_PART) {
			assert_int_equal(offset, rows[i].offset);
			assert_int_equal(length, rows[i].length);
		}
	}
}

static void test_nothing_of_an_empty_file_can_be_had(void **state)
{
	int64_t offset, length;
	(void)state;
	assert_int_equal(byte_range_parse(SLICE("bytes=0-"), 0, &offset, &length), BYTE_RANGE_UNSATISFIABLE);
	assert_int_equal(byte_range_parse(SLICE("bytes=-5"), 0, &offset, &length), BYTE_RANGE_UNSATISFIABLE);
	assert_int_equal(byte_range_parse((struct slice){0}, 0, &offset, &length), BYTE_RANGE_WHOLE);
}

static void test_entity_tags_in_lists(void **state)
{
	(void)state;
	struct slice etag = SLICE("\"abc\"");
	assert_true(byte_range_etag_matches(SLICE("\"abc\""), etag));
	assert_true(byte_range_etag_matches(SLICE(" \"x\" , W/\"abc\" "), etag));
	assert_true(byte_range_etag_matches(SLICE(" * "), etag));
	assert_false(byte_range_etag_matches(SLICE("abc"), etag));
	assert_false(byte_range_etag_matches(SLICE("\"abcd\", \"ab\""), etag));
	assert_false(byte_range_etag_matches(SLICE(""), etag));
	assert_false(byte_range_etag_matches((struct slice){0}, etag));
	assert_true(byte_range_etag_matches(SLICE("W/\"abc\""), SLICE("W/\"abc\"")));
	assert_true(byte_range_etag_matches(SLICE("\"abc\""), SLICE("W/\"abc\"")));
	assert_true(byte_range_etag_is_same(SLICE("\"x\", \"abc\""), etag));
	assert_true(byte_range_etag_is_same(SLICE("*"), etag));
	assert_false(byte_range_etag_is_same(SLICE("W/\"abc\""), etag));
	assert_false(byte_range_etag_is_same((struct slice){0}, etag));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_of_ten_bytes),
		cmocka_unit_test(test_nothing_of_an_empty_file_can_be_had),
		cmocka_unit_test(test_entity_tags_in_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
