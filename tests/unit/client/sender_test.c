#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/sender.h"

static void test_pauses_double_up_to_the_maximum_with_jitter(void **state)
{
	(void)state;
	static const int64_t full_ms[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
	for (unsigned failures = 0; failures < 9; failures++) {
		int64_t least = INT64_MAX;
		int64_t most = 0;
		for (int i = 0; i < 200; i++) {
			int64_t pause = sender_pause_ms(failures);
			least = pause < least ? pause : least;
			most = pause > most ? pause : most;
		}
		assert_true(least >= full_ms[failures] / 2 && most <= full_ms[failures]);
		assert_true(most > least);
	}
	assert_true(sender_pause_ms(4000000000u) <= SENDER_PAUSE_MS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_double_up_to_the_maximum_with_jitter)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
