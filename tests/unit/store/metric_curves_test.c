/* Tests of curves in buckets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "store/metric_codec.h"
#include "store/metric_curves.h"
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

/* Value 1 at every step but for `spike`. */
static void append_flat(unsigned run, int64_t count, int64_t spike)
{
	struct metric_point *points = calloc((size_t)count, sizeof(*points));
	assert_non_null(points);
	for (int64_t i = 0; i < count; i++)
		points[i] = (struct metric_point){metric_model_name(0), i == spike ? 100.0 : 1.0,
						  1000 * i, i};
	metric_model_append(&model, run, points, (size_t)count);
	free(points);
}

static struct metric_curve read_one(struct tracker_db *t, size_t bucket_count, int64_t start,
				    int64_t end, bool by_time)
{
	const struct metric_series_key key = metric_model_key(&model, 0, 0);
	const struct metric_curves_query query = {&key, 1, by_time, start, end, bucket_count};
	struct metric_curve curve;
	CHECK(t, metric_curves_read(t->db, &query, &t->arena, &curve, &t->err));
	return curve;
}

static void test_a_spike_of_one_point_shows_at_any_width(void **state)
{
	struct tracker_db *t = *state;
	const int64_t count = 3 * METRIC_CHUNK_SAMPLES_MAX + 5, spike = 5000;
	append_flat(0, count, spike);
	for (unsigned compacted = 0; compacted < 2; compacted++) {
		for (size_t bucket_count = 1; bucket_count <= 4096; bucket_count *= 4) {
			struct metric_curve curve =
				read_one(t, bucket_count, INT64_MIN, INT64_MAX, false);
			unsigned spikes = 0;
			for (size_t b = 0; b < curve.bucket_count; b++) {
				const struct metric_bucket *bucket = &curve.buckets[b];
				bool has_spike =
					bucket->first.step <= spike && spike <= bucket->last.step;
				assert_int_equal(bucket->max > 50.0, has_spike);
				spikes += has_spike ? 1 : 0;
			}
			assert_int_equal(spikes, 1);
			assert_int_equal(curve.bucket_count, bucket_count);
		}
		CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
	}
}

static void test_buckets_are_of_even_width(void **state)
{
	struct tracker_db *t = *state;
	append_flat(0, 10000, -1);
	struct metric_curve curve = read_one(t, 300, INT64_MIN, INT64_MAX, false);
	assert_int_equal(curve.bucket_count, 300);
	for (size_t b = 0; b < curve.bucket_count; b++)
		assert_in_range(curve.buckets[b].point_count, 10000 / 300, 10000 / 300 + 1);
}

static void test_as_many_points_as_buckets_come_as_they_are(void **state)
{
	struct tracker_db *t = *state;
	append_flat(0, 100, -1);
	assert_true(read_one(t, 100, INT64_MIN, INT64_MAX, false).is_exact);
	assert_int_equal(read_one(t, 100, INT64_MIN, INT64_MAX, false).bucket_count, 100);
	assert_false(read_one(t, 99, INT64_MIN, INT64_MAX, false).is_exact);
}

static void test_a_range_is_inclusive_and_cut_anew(void **state)
{
	struct tracker_db *t = *state;
	append_flat(0, 10000, -1);
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
	struct metric_curve curve = read_one(t, 50, 4000, 4199, false);
	assert_int_equal(curve.point_count, 200);
	assert_int_equal(curve.bucket_count, 50);
	assert_int_equal(curve.buckets[0].first.step, 4000);
	assert_int_equal(curve.buckets[49].last.step, 4199);
	curve = read_one(t, 50, 4000000, 4049000, true);
	assert_int_equal(curve.point_count, 50);
	assert_true(curve.is_exact);
	assert_int_equal(read_one(t, 50, 20000, 30000, false).point_count, 0);
	assert_int_equal(read_one(t, 50, -5, -1, false).point_count, 0);
}

static void test_runs_share_their_buckets(void **state)
{
	struct tracker_db *t = *state;
	append_flat(0, 1000, -1);
	append_flat(1, 500, -1);
	const struct metric_series_key keys[] = {metric_model_key(&model, 0, 0),
						 metric_model_key(&model, 1, 0)};
	const struct metric_curves_query query = {keys, 2, false, INT64_MIN, INT64_MAX, 100};
	struct metric_curve curves[2];
	CHECK(t, metric_curves_read(t->db, &query, &t->arena, curves, &t->err));
	assert_int_equal(curves[0].bucket_count, 100);
	assert_int_equal(curves[1].bucket_count, 50);
	for (size_t b = 0; b < 50; b++)
		assert_int_equal(curves[0].buckets[b].first.step, curves[1].buckets[b].first.step);
}

/* The chunks in the middle of a bucket are made unreadable; their rows are enough. */
static void test_a_chunk_inside_one_bucket_is_not_decoded(void **state)
{
	struct tracker_db *t = *state;
	append_flat(0, 10 * METRIC_CHUNK_SAMPLES_MAX, 9000);
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
	CHECK(t, db_exec(t->db, SQL("UPDATE metric_chunks SET data = x'00'"), &t->err));
	for (unsigned by_time = 0; by_time < 2; by_time++) {
		struct metric_curve curve = read_one(t, 5, INT64_MIN, INT64_MAX, by_time == 1);
		assert_int_equal(curve.bucket_count, 5);
		assert_int_equal(curve.point_count, 10 * METRIC_CHUNK_SAMPLES_MAX);
		assert_true(curve.buckets[1].max > 50.0 && curve.buckets[0].max < 50.0);
		assert_int_equal(curve.buckets[4].last.step, 10 * METRIC_CHUNK_SAMPLES_MAX - 1);
	}
}

static void test_a_curve_of_nans_has_no_extremes(void **state)
{
	struct tracker_db *t = *state;
	const struct metric_point points[] = {{metric_model_name(0), (double)NAN, 1, 1},
					      {metric_model_name(0), (double)NAN, 2, 2},
					      {metric_model_name(0), (double)NAN, 3, 3}};
	metric_model_append(&model, 0, points, ARRAY_COUNT(points));
	struct metric_curve curve = read_one(t, 1, INT64_MIN, INT64_MAX, false);
	assert_int_equal(curve.bucket_count, 1);
	assert_true(isnan(curve.buckets[0].min) && isnan(curve.buckets[0].max));
	assert_int_equal(curve.buckets[0].nan_count, 3);
}

static void test_the_whole_range_of_int64_fits_into_buckets(void **state)
{
	struct tracker_db *t = *state;
	const int64_t steps[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
	struct metric_point points[ARRAY_COUNT(steps)];
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
		points[i] = (struct metric_point){metric_model_name(0), 1.0, 5, steps[i]};
	metric_model_append(&model, 0, points, ARRAY_COUNT(points));
	struct metric_curve curve = read_one(t, 4, INT64_MIN, INT64_MAX, false);
	assert_int_equal(curve.point_count, 5);
	assert_int_equal(curve.buckets[0].first.step, INT64_MIN);
	assert_int_equal(curve.buckets[curve.bucket_count - 1].last.step, INT64_MAX);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_spike_of_one_point_shows_at_any_width),
		TEST(test_buckets_are_of_even_width),
		TEST(test_as_many_points_as_buckets_come_as_they_are),
		TEST(test_a_range_is_inclusive_and_cut_anew),
		TEST(test_runs_share_their_buckets),
		TEST(test_a_chunk_inside_one_bucket_is_not_decoded),
		TEST(test_a_curve_of_nans_has_no_extremes),
		TEST(test_the_whole_range_of_int64_fits_into_buckets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
