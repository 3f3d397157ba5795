/* Tests arithmetic at the borders of its types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/checked.h"
#include "support/death.h"

static void sizes_add_and_multiply_up_to_their_maximum(void **state)
{
	(void)state;
	size_t out = 7;
	assert_true(checked_add_size(SIZE_MAX - 1, 1, &out));
	assert_true(out == SIZE_MAX);
	out = 7;
	assert_false(checked_add_size(SIZE_MAX, 1, &out));
	assert_false(checked_mul_size(SIZE_MAX / 2 + 1, 2, &out));
	assert_int_equal(out, 7);
	assert_true(checked_mul_size(SIZE_MAX / 2, 2, &out));
	assert_true(out == SIZE_MAX - 1);
}

static void int64_adds_and_subtracts_within_its_range(void **state)
{
	(void)state;
	int64_t out = 7;
	assert_false(checked_add_i64(INT64_MAX, 1, &out));
	assert_false(checked_add_i64(INT64_MIN, -1, &out));
	assert_false(checked_sub_i64(INT64_MIN, 1, &out));
	assert_false(checked_sub_i64(0, INT64_MIN, &out));
	assert_int_equal(out, 7);
	assert_true(checked_add_i64(INT64_MAX - 1, 1, &out));
	assert_true(out == INT64_MAX);
	assert_true(checked_sub_i64(-1, INT64_MAX, &out));
	assert_true(out == INT64_MIN);
}

static void doubles_become_integers_only_when_exact(void **state)
{
	(void)state;
	static const struct {
		double x;
		bool ok;
		int64_t value;
	} rows[] = {
		{0.0, true, 0},
		{-0.0, true, 0},
		{-3.0, true, -3},
		{0.5, false, 0},
		{9007199254740992.0, true, INT64_C(9007199254740992)},
		{9007199254740994.0, false, 0},
		{-9007199254740992.0, true, INT64_C(-9007199254740992)},
		{-9007199254740994.0, false, 0},
		{1e300, false, 0},
		{(double)NAN, false, 0},
		{(double)INFINITY, false, 0},
		{-(double)INFINITY, false, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t out = 7;
		assert_int_equal(checked_i64_from_double(rows[i].x, &out), rows[i].ok);
		assert_int_equal(out, rows[i].ok ? rows[i].value : 7);
	}
}

static void convert_size(void *argument)
{
	(void)i64_from_size(*(size_t *)argument);
}

static void convert_i64(void *argument)
{
	(void)size_from_i64(*(int64_t *)argument);
}

static void sizes_that_must_fit_assert_when_they_do_not(void **state)
{
	(void)state;
	size_t too_large = (size_t)INT64_MAX + 1;
	int64_t negative = -1;
	assert_true(i64_from_size((size_t)INT64_MAX) == INT64_MAX);
	assert_int_equal(size_from_i64(0), 0);
	assert_true(dies_of_assertion(convert_size, &too_large));
	assert_true(dies_of_assertion(convert_i64, &negative));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_add_and_multiply_up_to_their_maximum),
		cmocka_unit_test(int64_adds_and_subtracts_within_its_range),
		cmocka_unit_test(doubles_become_integers_only_when_exact),
		cmocka_unit_test(sizes_that_must_fit_assert_when_they_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
