/* Tests the reading and printing of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/clock.h"

static void times_are_printed_as_utc(void **state)
{
	(void)state;
	static const struct {
		int64_t wall_ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{999, "1970-01-01T00:00:00.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1772366400123, "2026-03-01T12:00:00.123Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{253402300800000, "?"},
		{-1, "?"},
		{INT64_MIN, "?"},
		{INT64_MAX, "?"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[25];
		clock_format_ms(rows[i].wall_ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void the_system_clock_moves_forward_and_knows_the_date(void **state)
{
	(void)state;
	const struct clock *clock = clock_system();
	int64_t before = clock_monotonic_ns(clock);
	int64_t after = clock_monotonic_ns(clock);
	assert_true(after >= before);
	assert_true(clock_monotonic_ms(clock) >= before / 1000000);
	int64_t seconds = clock_wall_ms(clock) / 1000, now = (int64_t)time(NULL);
	assert_true(seconds - now <= 1 && now - seconds <= 1);
}

struct fixed_clock {
	struct clock clock;
	int64_t ns;
};

static int64_t fixed_ns(const struct clock *clock)
{
	return ((const struct fixed_clock *)clock)->ns;
}

static void a_clock_of_the_caller_is_asked(void **state)
{
	(void)state;
	struct fixed_clock fixed = {{fixed_ns, fixed_ns}, 5999999};
	assert_int_equal(clock_wall_ms(&fixed.clock), 5999999);
	assert_int_equal(clock_monotonic_ns(&fixed.clock), 5999999);
	assert_int_equal(clock_monotonic_ms(&fixed.clock), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_printed_as_utc),
		cmocka_unit_test(the_system_clock_moves_forward_and_knows_the_date),
		cmocka_unit_test(a_clock_of_the_caller_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
