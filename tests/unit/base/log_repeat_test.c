/* Tests which repeated log events are held back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/log_repeat.h"

static void a_name_passes_up_to_the_limit_of_a_window(void **state)
{
	(void)state;
	struct log_repeat repeat = {0};
	unsigned held_back = 77;
	for (int i = 0; i < LOG_REPEAT_MAX; i++) {
		assert_true(log_repeat_admit(&repeat, "disk_failed", 1000 + i, &held_back));
		assert_int_equal(held_back, 0);
	}
	assert_false(log_repeat_admit(&repeat, "disk_failed", 1999, &held_back));
	assert_true(log_repeat_admit(&repeat, "other", 1999, &held_back));
	/* The window began at 1000: one millisecond before its end, and at its end. */
	assert_false(log_repeat_admit(&repeat, "disk_failed", 999 + LOG_REPEAT_WINDOW_MS, &held_back));
	assert_true(log_repeat_admit(&repeat, "disk_failed", 1000 + LOG_REPEAT_WINDOW_MS, &held_back));
	assert_int_equal(held_back, 2);
	assert_true(log_repeat_admit(&repeat, "disk_failed", 1001 + LOG_REPEAT_WINDOW_MS, &held_back));
	assert_int_equal(held_back, 0);
}

static void equal_names_at_two_addresses_are_one(void **state)
{
	(void)state;
	struct log_repeat repeat = {0};
	unsigned held_back;
	char copy[] = "disk_failed";
	for (int i = 0; i < LOG_REPEAT_MAX; i++)
		assert_true(log_repeat_admit(&repeat, "disk_failed", 0, &held_back));
	assert_false(log_repeat_admit(&repeat, copy, 0, &held_back));
}

static void the_oldest_name_makes_room_for_a_new_one(void **state)
{
	(void)state;
	struct log_repeat repeat = {0};
	static char names[LOG_REPEAT_NAMES_MAX + 1][24];
	unsigned held_back;
	for (int i = 0; i <= LOG_REPEAT_NAMES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "event_%d", i);
		for (int n = 0; n < LOG_REPEAT_MAX; n++)
			assert_true(log_repeat_admit(&repeat, names[i], 100 + i, &held_back));
	}
	/* Name 0 was forgotten for the last one, so that it passes again; name 2 is still held. */
	assert_false(log_repeat_admit(&repeat, names[2], 200, &held_back));
	assert_true(log_repeat_admit(&repeat, names[0], 200, &held_back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_passes_up_to_the_limit_of_a_window),
		cmocka_unit_test(equal_names_at_two_addresses_are_one),
		cmocka_unit_test(the_oldest_name_makes_room_for_a_new_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
