/* Followers by topic. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "api/live_index.h"

enum { FOLLOWS = 5000 }; /* more than there are buckets */

static struct live_index live_index;
static struct live_follow follows[FOLLOWS];
static char names[FOLLOWS][16];

static size_t count_of(enum live_subject subject, const char *id)
{
	size_t count = 0;
	for (struct live_follow *f =
		     live_index_first(&live_index, subject, slice_from_cstr(id));
	     f != NULL; f = live_index_next(f))
		count++;
	return count;
}

static int add_all(void **state)
{
	(void)state;
	live_index = (struct live_index){0};
	for (int i = 0; i < FOLLOWS; i++) {
		/* Each name by two subjects, and ten followers of one topic. */
		(void)snprintf(names[i], sizeof(names[i]), "%d", i < 10 ? 0 : i / 2);
		follows[i] = (struct live_follow){
			.topic = {i % 2 == 0 || i < 10 ? LIVE_MODEL : LIVE_RUN,
				  slice_from_cstr(names[i])}};
		live_index_add(&live_index, &follows[i]);
	}
	return 0;
}

static void test_exactly_the_followers_of_a_topic_are_found(void **state)
{
	(void)state;
	assert_int_equal(count_of(LIVE_MODEL, "0"), 10);
	assert_int_equal(count_of(LIVE_RUN, "0"), 0);
	for (int i = 5; i < FOLLOWS / 2; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(count_of(LIVE_MODEL, id), 1);
		assert_int_equal(count_of(LIVE_RUN, id), 1);
	}
	assert_int_equal(count_of(LIVE_MODEL, "none"), 0);
	assert_int_equal(count_of(LIVE_EXPERIMENT, "7"), 0);
}

static void test_who_was_removed_is_not_found(void **state)
{
	(void)state;
	for (int i = 0; i < FOLLOWS; i += 3)
		live_index_remove(&follows[i]);
	live_index_remove(&follows[0]); /* again: nothing happens */
	assert_int_equal(count_of(LIVE_MODEL, "0"), 6);
	for (int i = 0; i < FOLLOWS; i++)
		live_index_remove(&follows[i]);
	assert_int_equal(count_of(LIVE_MODEL, "0"), 0);
	for (int i = 0; i < LIVE_INDEX_BUCKETS; i++)
		assert_null(live_index.buckets[i]);
}

static void test_those_that_were_passed_may_be_removed(void **state)
{
	(void)state;
	size_t count = 0;
	struct live_follow *f = live_index_first(&live_index, LIVE_MODEL, SLICE("0"));
	while (f != NULL) {
		struct live_follow *next = live_index_next(f);
		live_index_remove(f);
		f = next;
		count++;
	}
	assert_int_equal(count, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exactly_the_followers_of_a_topic_are_found, add_all),
		cmocka_unit_test_setup(test_who_was_removed_is_not_found, add_all),
		cmocka_unit_test_setup(test_those_that_were_passed_may_be_removed, add_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
