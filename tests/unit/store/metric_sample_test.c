/* Tests of sorting, subtracting and summing up runs of samples. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/metric_sample.h"

#define NAN_ ((double)NAN)
#define INF  ((double)INFINITY)

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

/* The order (timestamp, step, value), NaN directly behind 0. */
static const struct metric_sample ascending[] = {
	{INT64_MIN, 9, 9.0}, {-1, 9, 9.0}, {0, INT64_MIN, 9.0}, {0, 0, -INF},
	{0, 0, -1.0},	     {0, 0, 0.0},  {0, 0, NAN_},	{0, 0, 5e-324},
	{0, 0, INF},	     {0, 1, -INF}, {1, 0, 0.0},		{INT64_MAX, 0, 0.0},
};

static void test_samples_are_ordered_by_timestamp_step_and_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(ascending); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(ascending); j++) {
			int order = metric_sample_compare(&ascending[i], &ascending[j]);
			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void test_the_order_by_step_looks_at_the_step_first(void **state)
{
	(void)state;
	const struct metric_sample late = {9, 1, 0.0}, early = {1, 2, 0.0}, same_step = {2, 2, 0.0};
	assert_true(metric_sample_compare_by_step(&late, &early) < 0);
	assert_true(metric_sample_compare_by_step(&early, &same_step) < 0);
	assert_true(metric_sample_compare_by_step(&early, &early) == 0);
}

static void test_minus_zero_becomes_zero_and_nan_one_nan(void **state)
{
	(void)state;
	assert_false(signbit(metric_value_normal(-0.0)));
	assert_true(isnan(metric_value_normal(-NAN_)));
	double normal = metric_value_normal(-NAN_), quiet = NAN_;
	assert_memory_equal(&normal, &quiet, sizeof(normal));
	assert_true(isinf(metric_value_normal(-INF)));
}

static int compare(const void *a, const void *b)
{
	return metric_sample_compare(a, b);
}

static void test_sorting_gives_what_qsort_gives_without_repeats(void **state)
{
	(void)state;
	srandom(1);
	for (size_t count = 0; count < 200; count++) {
		struct metric_sample items[200], expected[200];
		for (size_t i = 0; i < count; i++)
			items[i] = (struct metric_sample){random() % 8, random() % 4,
							  (double)(random() % 3)};
		memcpy(expected, items, sizeof(items));
		qsort(expected, count, sizeof(expected[0]), compare);
		struct metric_samples samples = {items, count};
		metric_samples_sort(&samples, metric_sample_compare, &arena);
		size_t at = 0;
		for (size_t i = 0; i < count; i++) {
			if (i > 0 && compare(&expected[i - 1], &expected[i]) == 0)
				continue;
			assert_true(at < samples.count);
			assert_int_equal(compare(&samples.items[at++], &expected[i]), 0);
		}
		assert_int_equal(at, samples.count);
	}
}

static void test_sorting_what_descends_works(void **state)
{
	(void)state;
	struct metric_sample items[1000];
	for (size_t i = 0; i < ARRAY_COUNT(items); i++)
		items[i] = (struct metric_sample){1000 - (int64_t)i, 0, 0.0};
	struct metric_samples samples = {items, ARRAY_COUNT(items)};
	metric_samples_sort(&samples, metric_sample_compare, &arena);
	for (size_t i = 0; i < ARRAY_COUNT(items); i++)
		assert_int_equal(items[i].timestamp_ms, i + 1);
}

static void test_subtracting_leaves_what_others_lack(void **state)
{
	(void)state;
	for (unsigned mine = 0; mine < 64; mine++) {
		for (unsigned theirs = 0; theirs < 64; theirs++) {
			struct metric_sample a[6], b[6];
			struct metric_samples samples = {a, 0}, others = {b, 0};
			for (unsigned i = 0; i < 6; i++) {
				if ((mine & 1U << i) != 0)
					a[samples.count++] = ascending[i + 3];
				if ((theirs & 1U << i) != 0)
					b[others.count++] = ascending[i + 3];
			}
			metric_samples_subtract(&samples, &others);
			size_t at = 0;
			for (unsigned i = 0; i < 6; i++)
				if ((mine & ~theirs & 1U << i) != 0)
					assert_int_equal(compare(&a[at++], &ascending[i + 3]), 0);
			assert_int_equal(at, samples.count);
		}
	}
}

static void test_seeking_finds_the_first_at_or_behind_a_place(void **state)
{
	(void)state;
	struct metric_sample items[ARRAY_COUNT(ascending)];
	memcpy(items, ascending, sizeof(items));
	struct metric_samples samples = {items, ARRAY_COUNT(items)};
	for (size_t i = 0; i < samples.count; i++) {
		assert_int_equal(metric_samples_seek(&samples, &items[i], false), i);
		assert_int_equal(metric_samples_seek(&samples, &items[i], true), i + 1);
	}
	const struct metric_sample between = {0, 0, 0.5};
	assert_int_equal(metric_samples_seek(&samples, &between, false), 8);
	assert_int_equal(metric_samples_seek(&samples, &between, true), 8);
}

static void test_an_outline_tells_ends_extremes_and_nans(void **state)
{
	(void)state;
	struct metric_sample items[] = {
		{1, 9, 4.0}, {2, 3, NAN_}, {3, 5, -1.0}, {4, 4, -1.0}, {5, 7, 4.0}};
	struct metric_samples samples = {items, ARRAY_COUNT(items)};
	struct metric_outline outline;
	metric_samples_outline(&samples, &outline);
	assert_int_equal(outline.count, 5);
	assert_int_equal(outline.nan_count, 1);
	assert_int_equal(outline.first.timestamp_ms, 1);
	assert_int_equal(outline.last.timestamp_ms, 5);
	assert_int_equal(outline.latest.step, 9);
	assert_int_equal(outline.step_least, 3);
	assert_int_equal(outline.step_greatest, 9);
	assert_int_equal(outline.min_step, 4);
	assert_int_equal(outline.max_step, 7);
	assert_true(outline.min < -0.5 && outline.max > 3.5);
	assert_false(outline.is_step_ordered);
}

static void test_an_outline_of_nans_has_no_extremes(void **state)
{
	(void)state;
	struct metric_sample items[] = {{1, 1, NAN_}, {2, 2, NAN_}};
	struct metric_samples samples = {items, ARRAY_COUNT(items)};
	struct metric_outline outline;
	metric_samples_outline(&samples, &outline);
	assert_int_equal(outline.nan_count, 2);
	assert_true(isnan(outline.min) && isnan(outline.max));
	assert_true(outline.is_step_ordered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_are_ordered_by_timestamp_step_and_value),
		cmocka_unit_test(test_the_order_by_step_looks_at_the_step_first),
		cmocka_unit_test(test_minus_zero_becomes_zero_and_nan_one_nan),
		cmocka_unit_test(test_sorting_gives_what_qsort_gives_without_repeats),
		cmocka_unit_test(test_sorting_what_descends_works),
		cmocka_unit_test(test_subtracting_leaves_what_others_lack),
		cmocka_unit_test(test_seeking_finds_the_first_at_or_behind_a_place),
		cmocka_unit_test(test_an_outline_tells_ends_extremes_and_nans),
		cmocka_unit_test(test_an_outline_of_nans_has_no_extremes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
