/* What follows from an attempt to deliver. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/webhook_retry.h"

#include "limits.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define NOW_MS	((int64_t)1700000000000)

static struct webhook_verdict decide(enum outgoing_outcome outcome, int status, int64_t attempt)
{
	const struct outgoing outgoing = {.outcome = outcome, .status = status};
	return webhook_retry_decide(&outgoing, attempt, NOW_MS, NOW_MS, 0);
}

static void statuses_decide(void **state)
{
	// clang-format off
	static const struct { int status; const char *state; } rows[] = {
		{200, "DELIVERED"}, {204, "DELIVERED"}, {299, "DELIVERED"},
		{300, "FAILED"}, {301, "FAILED"}, {302, "FAILED"}, {307, "FAILED"}, {308, "FAILED"},
		{400, "FAILED"}, {401, "FAILED"}, {404, "FAILED"}, {410, "FAILED"}, {428, "FAILED"},
		{429, "PENDING"}, {430, "FAILED"}, {499, "FAILED"},
		{500, "PENDING"}, {502, "PENDING"}, {503, "PENDING"}, {504, "PENDING"}, {599, "PENDING"},
		{600, "FAILED"}, {999, "FAILED"},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct webhook_verdict v = decide(OUTGOING_ANSWERED, rows[i].status, 1);
		if (!slice_eq_cstr(v.state, rows[i].state))
			fail_msg("%d", rows[i].status);
	}
}

static void no_answer_is_tried_again_but_a_refused_address_is_not(void **state)
{
	(void)state;
	assert_true(slice_eq_cstr(decide(OUTGOING_FAILED, 0, 1).state, "PENDING"));
	assert_true(slice_eq_cstr(decide(OUTGOING_REFUSED, 0, 1).state, "FAILED"));
}

static void waits_double_up_to_an_hour_and_half_of_each_is_random(void **state)
{
	const struct outgoing outgoing = {.outcome = OUTGOING_FAILED};
	int64_t longest = WEBHOOK_WAIT_FIRST_MS;
	(void)state;
	for (int64_t attempt = 1; attempt < 100; attempt++) {
		int64_t shortest_ms =
			webhook_retry_decide(&outgoing, attempt, NOW_MS, NOW_MS, 0).next_attempt_ms;
		int64_t longest_ms = webhook_retry_decide(&outgoing, attempt, NOW_MS, NOW_MS,
							  (uint32_t)(longest / 2))
					     .next_attempt_ms;
		assert_int_equal(shortest_ms - NOW_MS, longest / 2);
		assert_int_equal(longest_ms - NOW_MS, longest);
		longest = longest * 2 < WEBHOOK_WAIT_MAX_MS ? longest * 2 : WEBHOOK_WAIT_MAX_MS;
	}
	assert_int_equal(longest, WEBHOOK_WAIT_MAX_MS);
}

static void what_the_receiver_asks_for_is_the_least(void **state)
{
	struct outgoing outgoing = {
		.outcome = OUTGOING_ANSWERED, .status = 503, .retry_after_ms = 2 * HOUR_MS};
	(void)state;
	assert_int_equal(webhook_retry_decide(&outgoing, 1, NOW_MS, NOW_MS, 0).next_attempt_ms,
			 NOW_MS + 2 * HOUR_MS);
	outgoing.retry_after_ms = 1;
	assert_int_equal(webhook_retry_decide(&outgoing, 1, NOW_MS, NOW_MS, 0).next_attempt_ms,
			 NOW_MS + WEBHOOK_WAIT_FIRST_MS / 2);
}

static void after_a_day_it_is_given_up(void **state)
{
	const struct outgoing outgoing = {.outcome = OUTGOING_FAILED};
	int64_t last_ms = NOW_MS + WEBHOOK_RETRY_HOURS * HOUR_MS - WEBHOOK_WAIT_FIRST_MS / 2;
	(void)state;
	assert_true(slice_eq_cstr(webhook_retry_decide(&outgoing, 1, NOW_MS, last_ms, 0).state,
				  "PENDING"));
	assert_true(slice_eq_cstr(webhook_retry_decide(&outgoing, 1, NOW_MS, last_ms + 1, 0).state,
				  "FAILED"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_decide),
		cmocka_unit_test(no_answer_is_tried_again_but_a_refused_address_is_not),
		cmocka_unit_test(waits_double_up_to_an_hour_and_half_of_each_is_random),
		cmocka_unit_test(what_the_receiver_asks_for_is_the_least),
		cmocka_unit_test(after_a_day_it_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
