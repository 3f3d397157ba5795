/* The queue of requests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/requests.h"

static struct request *make(uint64_t id, size_t bytes)
{
	struct request *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->id = id;
	buffer_init(&r->line, 1000);
	for (size_t i = 0; i < bytes; i++)
		buffer_append_byte(&r->line, 'x');
	return r;
}

static void take(struct requests *q, uint64_t wanted_id)
{
	struct request *r = requests_take(q);
	assert_non_null(r);
	assert_true(r->id == wanted_id);
	request_free(r);
}

static void test_first_come_first_served_but_for_those_that_left(void **state)
{
	(void)state;
	struct requests q = {.count_max = 5, .bytes_max = 1000};
	struct request *made[5];
	for (uint64_t i = 0; i < 5; i++)
		requests_append(&q, made[i] = make(i, 1));
	static const uint64_t leaving[] = {0, 2, 4};
	for (size_t i = 0; i < ARRAY_COUNT(leaving); i++) {
		requests_remove(&q, made[leaving[i]]);
		request_free(made[leaving[i]]);
	}
	take(&q, 1);
	requests_append(&q, make(9, 1));
	take(&q, 3);
	take(&q, 9);
	assert_null(requests_take(&q));
	assert_int_equal(q.count, 0);
	assert_int_equal(q.bytes, 0);
}

static void test_it_is_full_by_count_or_by_bytes(void **state)
{
	(void)state;
	struct requests q = {.count_max = 2, .bytes_max = 10};
	requests_append(&q, make(1, 9));
	assert_false(requests_are_full(&q));
	requests_append(&q, make(2, 0));
	assert_true(requests_are_full(&q));
	take(&q, 1);
	take(&q, 2);
	requests_append(&q, make(3, 10));
	assert_true(requests_are_full(&q));
	take(&q, 3);
	assert_false(requests_are_full(&q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come_first_served_but_for_those_that_left),
		cmocka_unit_test(test_it_is_full_by_count_or_by_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
