/* Tests of sampling curves at common steps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/metric_interval.h"
#include "store/metrics.h"
#include "unit/store/metric_model_helper.h"

static struct metric_model model;

static int setup(void **state)
{
	if (tracker_db_setup(state) != 0)
		return -1;
	metric_model_init(&model, *state);
	return 0;
}

static int teardown(void **state)
{
	metric_model_deinit(&model);
	return tracker_db_teardown(state);
}

static void append_steps(unsigned run, int64_t first, int64_t last)
{
	for (int64_t step = first; step <= last; step++) {
		const struct metric_point point = {metric_model_name(0), (double)step, step, step};
		metric_model_append(&model, run, &point, 1);
	}
}

/* Run 0 has steps 0 to 10, run 1 has 3 to 20. */
static const struct {
	int64_t start_step, end_step;
	size_t count_max;
	int64_t expected[2][16]; /* ended by -1 */
} rows[] = {
	{INT64_MIN,
	 INT64_MAX,
	 30,
	 {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1},
	  {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}}},
	{INT64_MIN, INT64_MAX, 5, {{0, 4, 8, 10, -1}, {3, 4, 8, 12, 16, 20, -1}}},
	{INT64_MIN, INT64_MAX, 1, {{0, 10, -1}, {3, 20, -1}}},
	{5, 8, 2, {{5, 7, 8, -1}, {5, 7, 8, -1}}},
	{15, 18, 10, {{-1}, {15, 16, 17, 18, -1}}},
	{100, 200, 10, {{-1}, {-1}}},
};

static void test_steps_are_spaced_evenly_and_runs_keep_their_ends(void **state)
{
	struct tracker_db *t = *state;
	append_steps(0, 0, 10);
	append_steps(1, 3, 20);
	const struct metric_series_key keys[] = {metric_model_key(&model, 0, 0),
						 metric_model_key(&model, 1, 0)};
	for (size_t row = 0; row < ARRAY_COUNT(rows); row++) {
		const struct metric_interval interval = {rows[row].start_step, rows[row].end_step,
							 rows[row].count_max};
		struct metric_samples samples[2];
		CHECK(t,
		      metric_interval_read(t->db, keys, 2, &interval, &t->arena, samples, &t->err));
		for (unsigned run = 0; run < 2; run++) {
			size_t count = 0;
			while (count < 16 && rows[row].expected[run][count] >= 0) {
				assert_true(count < samples[run].count);
				assert_int_equal(samples[run].items[count].step,
						 rows[row].expected[run][count]);
				count++;
			}
			if (count < 16)
				assert_int_equal(samples[run].count, count);
		}
	}
}

static void test_many_points_of_one_step_do_not_break_the_bound(void **state)
{
	struct tracker_db *t = *state;
	struct metric_point points[500];
	for (size_t i = 0; i < ARRAY_COUNT(points); i++)
		points[i] = (struct metric_point){metric_model_name(0), (double)i, (int64_t)i, 7};
	metric_model_append(&model, 0, points, ARRAY_COUNT(points));
	const struct metric_series_key key = metric_model_key(&model, 0, 0);
	const struct metric_interval interval = {INT64_MIN, INT64_MAX, 10};
	struct metric_samples samples;
	CHECK(t, metric_interval_read(t->db, &key, 1, &interval, &t->arena, &samples, &t->err));
	assert_int_equal(samples.count, 13);
	assert_int_equal(samples.items[0].timestamp_ms, 0);
	assert_int_equal(samples.items[12].timestamp_ms, 499);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_steps_are_spaced_evenly_and_runs_keep_their_ends),
		TEST(test_many_points_of_one_step_do_not_break_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
