/* The ids of live events. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/live_position.h"

static const struct {
	const char *text;
	struct live_position position;
} rows[] = {
	{"5f3a9c01-991.57.12", {0x5f3a9c01, {991, 57, 12}}},
	{"00000000-0.-.-", {0, {0, LIVE_SEQ_UNKNOWN, LIVE_SEQ_UNKNOWN}}},
	{"ffffffff--.0.-", {UINT32_MAX, {LIVE_SEQ_UNKNOWN, 0, LIVE_SEQ_UNKNOWN}}},
	{"00000001-9223372036854775807.9223372036854775807.9223372036854775807",
	 {1, {INT64_MAX, INT64_MAX, INT64_MAX}}},
};

static void test_positions_are_read_back_as_they_were_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[LIVE_POSITION_TEXT_BYTES];
		struct live_position position;
		live_position_format(&rows[i].position, text);
		assert_string_equal(text, rows[i].text);
		assert_true(live_position_parse(slice_from_cstr(text), &position));
		assert_int_equal(position.ring_id, rows[i].position.ring_id);
		for (int k = 0; k < LIVE_SOURCES; k++)
			assert_int_equal(position.seq[k], rows[i].position.seq[k]);
	}
}

static void test_what_is_no_position_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"5",
		"5f3a9c01",
		"5f3a9c01-",
		"5f3a9c01-1",
		"5f3a9c01-1.2",
		"5f3a9c01-1.2.",
		"5f3a9c01-1.2.3.4",
		"5f3a9c01-1.2.3 ",
		"5f3a9c01-1.-2.3",
		"5f3a9c01-1.2.9223372036854775808",
		"5f3a9c0g-1.2.3",
		"5f3a9c01.1.2.3",
		"5f3a9c011-1.2.3",
		"57",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct live_position position = {.ring_id = 7};
		assert_false(live_position_parse(slice_from_cstr(texts[i]), &position));
		assert_int_equal(position.ring_id, 7);
	}
}

static void test_an_unknown_position_says_nothing(void **state)
{
	(void)state;
	struct live_position position = live_position_unknown();
	for (int i = 0; i < LIVE_SOURCES; i++)
		assert_int_equal(position.seq[i], LIVE_SEQ_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_positions_are_read_back_as_they_were_written),
		cmocka_unit_test(test_what_is_no_position_is_refused),
		cmocka_unit_test(test_an_unknown_position_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
