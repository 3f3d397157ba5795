/* What a deployment may become. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/deployment_state.h"

#include "base/assert.h"

/* One row for each state: may it become deploying, active, rolled_back, failed, stale, forgotten? */
static const struct {
	enum deployment_state from;
	const char *name;
	const char *next;
} rows[] = {
	{DEPLOYMENT_UNKNOWN, "unknown", "yyyy--"},
	{DEPLOYMENT_DEPLOYING, "deploying", "yyyyyy"},
	{DEPLOYMENT_ACTIVE, "active", "yyyyyy"},
	{DEPLOYMENT_ROLLED_BACK, "rolled_back", "yyyyyy"},
	{DEPLOYMENT_FAILED, "failed", "yyyyyy"},
	{DEPLOYMENT_STALE, "stale", "yyyy-y"},
	{DEPLOYMENT_FORGOTTEN, "forgotten", "yyyy--"},
};

static void test_each_state_becomes_what_the_table_says(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_COUNT(rows), DEPLOYMENT_STATES);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_false(deployment_state_may_become(rows[i].from, DEPLOYMENT_UNKNOWN));
		for (unsigned next = 0; rows[i].next[next] != '\0'; next++)
			assert_int_equal(
				deployment_state_may_become(
					rows[i].from,
					(enum deployment_state)(DEPLOYMENT_DEPLOYING + next)),
				rows[i].next[next] == 'y');
	}
}

static void test_names_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_string_equal(deployment_state_name(rows[i].from), rows[i].name);
		assert_int_equal(deployment_state_from_name(slice_from_cstr(rows[i].name)),
				 rows[i].from);
	}
	assert_int_equal(deployment_state_from_name(SLICE("Active")), DEPLOYMENT_UNKNOWN);
	assert_int_equal(deployment_state_from_name(SLICE("")), DEPLOYMENT_UNKNOWN);
	assert_int_equal(deployment_state_from_name((struct slice){0}), DEPLOYMENT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_state_becomes_what_the_table_says),
		cmocka_unit_test(test_names_are_read_as_they_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
