/* Tests the order, bounds and hand-over of queues between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "base/clock.h"
#include "base/queue.h"
#include "support/death.h"

struct item {
	struct queue_node node;
	int number;
};

static int number_of(struct queue_node *node)
{
	return CONTAINER_OF(node, struct item, node)->number;
}

static void items_come_out_in_order(void **state)
{
	(void)state;
	struct queue q;
	struct item items[5];
	queue_init(&q, 5, 1000);
	for (int i = 0; i < 5; i++) {
		items[i].number = i;
		assert_true(queue_put(&q, &items[i].node, 10));
	}
	assert_int_equal(queue_count(&q), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(number_of(queue_take(&q)), i);
	assert_int_equal(queue_count(&q), 0);
	assert_true(queue_put(&q, &items[0].node, 10));
	assert_int_equal(number_of(queue_take(&q)), 0);
	queue_deinit(&q);
}

static void both_bounds_are_kept_at_the_limit_and_one_beyond(void **state)
{
	(void)state;
	struct queue q;
	struct item items[4];
	queue_init(&q, 3, 100);
	assert_true(queue_put(&q, &items[0].node, 60));
	assert_false(queue_put(&q, &items[1].node, 41));
	assert_true(queue_put(&q, &items[1].node, 40));
	assert_true(queue_put(&q, &items[2].node, 0));
	assert_false(queue_put(&q, &items[3].node, 0)); /* count */
	assert_true(queue_put_admitted(&q, &items[3].node, SIZE_MAX / 4));
	while (queue_count(&q) > 0)
		assert_non_null(queue_take(&q));
	assert_true(queue_put(&q, &items[0].node, 101)); /* heavier than all, but alone */
	assert_false(queue_put(&q, &items[1].node, 0));
	assert_non_null(queue_take(&q));
	queue_deinit(&q);
}

static void many_are_taken_within_both_bounds(void **state)
{
	(void)state;
	static const struct {
		size_t count_max, bytes_max, taken;
	} rows[] = {
		{1, 1000, 1}, {3, 1000, 3}, {99, 1000, 5}, {99, 20, 2},
		{99, 29, 2},  {99, 30, 3},  {99, 0, 1},    {99, SIZE_MAX, 5},
	};
	for (size_t row = 0; row < ARRAY_COUNT(rows); row++) {
		struct queue q;
		struct item items[5];
		queue_init(&q, 5, 1000);
		for (int i = 0; i < 5; i++) {
			items[i].number = i;
			assert_true(queue_put(&q, &items[i].node, 10));
		}
		size_t taken = 0;
		struct queue_node *node =
			queue_take_many(&q, rows[row].count_max, rows[row].bytes_max, 0);
		for (; node != NULL; node = node->next_or_null)
			assert_int_equal(number_of(node), taken++);
		assert_int_equal(taken, rows[row].taken);
		assert_int_equal(queue_count(&q), 5 - taken);
		if (taken < 5)
			assert_int_equal(number_of(queue_take(&q)), taken);
		while (queue_count(&q) > 0)
			assert_non_null(queue_take(&q));
		queue_deinit(&q);
	}
}

static void waiting_ends_after_its_time(void **state)
{
	(void)state;
	struct queue q;
	queue_init(&q, 1, 1);
	assert_null(queue_take_many(&q, 1, 1, 0));
	int64_t before = clock_monotonic_ms(clock_system());
	assert_null(queue_take_many(&q, 1, 1, 30));
	assert_true(clock_monotonic_ms(clock_system()) - before >= 29);
	before = clock_monotonic_ms(clock_system());
	assert_null(queue_take_many(&q, 1, 1, 1010));
	assert_true(clock_monotonic_ms(clock_system()) - before >= 1009);
	assert_false(queue_is_finished(&q));
	queue_deinit(&q);
}

static void a_closed_queue_gives_what_is_left_and_takes_nothing(void **state)
{
	(void)state;
	struct queue q;
	struct item items[2];
	queue_init(&q, 5, 100);
	assert_true(queue_put(&q, &items[0].node, 1));
	queue_close(&q);
	assert_false(queue_put(&q, &items[1].node, 1));
	assert_false(queue_put_admitted(&q, &items[1].node, 1));
	assert_false(queue_is_finished(&q));
	assert_ptr_equal(queue_take(&q), &items[0].node);
	assert_true(queue_is_finished(&q));
	assert_null(queue_take(&q));
	assert_null(queue_take_many(&q, 9, 9, -1));
	queue_deinit(&q);
}

static void deinit(void *argument)
{
	queue_deinit(argument);
}

static void a_queue_that_is_not_empty_must_not_end(void **state)
{
	(void)state;
	struct queue q;
	struct item item;
	queue_init(&q, 5, 100);
	assert_true(queue_put(&q, &item.node, 1));
	assert_true(dies_of_assertion(deinit, &q));
	assert_non_null(queue_take(&q));
	queue_deinit(&q);
}

enum { PUTTERS = 3, TAKERS = 3, ITEMS_PER_PUTTER = 3000 };

struct shared {
	struct queue q;
	struct item items[PUTTERS][ITEMS_PER_PUTTER];
	atomic_int seen[PUTTERS * ITEMS_PER_PUTTER];
	atomic_int putters_started;
};

static struct shared shared;

static void *put_all(void *argument)
{
	int putter = atomic_fetch_add(&shared.putters_started, 1);
	for (int i = 0; i < ITEMS_PER_PUTTER; i++) {
		struct item *item = &shared.items[putter][i];
		item->number = putter * ITEMS_PER_PUTTER + i;
		while (!queue_put(&shared.q, &item->node, 1))
			(void)sched_yield();
	}
	return argument;
}

/* Takers alternate between single items and lists; each item of a putter comes in order. */
static void *take_all(void *argument)
{
	int last[PUTTERS] = {-1, -1, -1};
	for (bool many = false;; many = !many) {
		struct queue_node *node = many ? queue_take_many(&shared.q, 7, 100, 1)
					       : queue_take(&shared.q);
		if (node == NULL && queue_is_finished(&shared.q))
			return argument;
		while (node != NULL) {
			struct queue_node *next = many ? node->next_or_null : NULL;
			int number = number_of(node);
			ASSERT(number > last[number / ITEMS_PER_PUTTER]);
			last[number / ITEMS_PER_PUTTER] = number;
			atomic_fetch_add(&shared.seen[number], 1);
			node = next;
		}
	}
}

static void every_item_reaches_exactly_one_taker(void **state)
{
	(void)state;
	pthread_t putters[PUTTERS], takers[TAKERS];
	queue_init(&shared.q, 50, 40);
	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&takers[i], NULL, take_all, NULL), 0);
	for (int i = 0; i < PUTTERS; i++)
		assert_int_equal(pthread_create(&putters[i], NULL, put_all, NULL), 0);
	for (int i = 0; i < PUTTERS; i++)
		assert_int_equal(pthread_join(putters[i], NULL), 0);
	queue_close(&shared.q);
	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_join(takers[i], NULL), 0);
	for (int i = 0; i < PUTTERS * ITEMS_PER_PUTTER; i++)
		assert_int_equal(atomic_load(&shared.seen[i]), 1);
	queue_deinit(&shared.q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_order),
		cmocka_unit_test(both_bounds_are_kept_at_the_limit_and_one_beyond),
		cmocka_unit_test(many_are_taken_within_both_bounds),
		cmocka_unit_test(waiting_ends_after_its_time),
		cmocka_unit_test(a_closed_queue_gives_what_is_left_and_takes_nothing),
		cmocka_unit_test(a_queue_that_is_not_empty_must_not_end),
		cmocka_unit_test(every_item_reaches_exactly_one_taker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
