/* Tests that assertions are on in every build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/assert.h"
#include "support/death.h"

static void assert_true_of(void *argument)
{
	ASSERT(*(int *)argument == 1);
}

static void a_false_condition_aborts_and_a_true_one_does_not(void **state)
{
	(void)state;
	int one = 1, two = 2;
	assert_false(dies_of_assertion(assert_true_of, &one));
	assert_true(dies_of_assertion(assert_true_of, &two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_false_condition_aborts_and_a_true_one_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
