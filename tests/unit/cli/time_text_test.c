/* Times as people write them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "cli/time_text.h"

static const int64_t now_ms = INT64_C(1772366400000); /* 2026-03-01T12:00:00Z */

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"2026-03-01T12:00:00Z", INT64_C(1772366400000)},
		{"2026-03-01T12:00Z", INT64_C(1772366400000)},
		{"2026-03-01 12:00Z", INT64_C(1772366400000)},
		{"2026-03-01T13:00+01:00", INT64_C(1772366400000)},
		{"2026-03-01T12:00:00.250Z", INT64_C(1772366400250)},
		/* Without a zone: the local one, here two hours before UTC. */
		{"2026-03-01T14:00", INT64_C(1772366400000)},
		{"2026-03-01", INT64_C(1772316000000)},
		{"90s", INT64_C(1772366310000)},
		{"30m", INT64_C(1772364600000)},
		{"2h", INT64_C(1772359200000)},
		{"7d", INT64_C(1771761600000)},
		{"1w", INT64_C(1771761600000)},
		{"0s", INT64_C(1772366400000)},
	};
	(void)state;
	(void)setenv("TZ", "XXX-2", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t ms = -1;
		if (!time_text_parse(slice_from_cstr(rows[i].text), now_ms, &ms) ||
		    ms != rows[i].ms)
			fail_msg("%s is %lld", rows[i].text, (long long)ms);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"now",
		"5",
		"h",
		"-1h",
		"1y",
		"2026",
		"2026-13-01",
		"2026-02-30",
		"2026-03-01T",
		"2026-03-01T1",
		"2026-03-01T25:00",
		"2026-03-01x12:00",
		"2026-03-01T12:00Zx",
		"2026-03-01T12:00:60Z",
		"99999999999999999d",
		"1772366401s",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t ms = -1;
		if (time_text_parse(slice_from_cstr(rows[i]), now_ms, &ms) || ms != -1)
			fail_msg("\"%s\" is %lld", rows[i], (long long)ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
