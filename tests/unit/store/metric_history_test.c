/* Tests of reading histories page by page. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "store/metric_codec.h"
#include "store/metric_history.h"
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

static void append_regular(int64_t first, size_t count)
{
	struct metric_point *points = calloc(count, sizeof(*points));
	assert_non_null(points);
	for (size_t i = 0; i < count; i++) {
		int64_t step = first + (int64_t)i;
		points[i] = (struct metric_point){metric_model_name(0), (double)step, step, step};
	}
	metric_model_append(&model, 0, points, count);
	free(points);
}

static void test_a_full_last_page_says_that_there_is_no_more(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 10);
	struct metric_series_key key = metric_model_key(&model, 0, 0);
	static const struct {
		size_t count_max, count;
		bool more;
	} rows[] = {{1, 1, true},
		    {9, 9, true},
		    {10, 10, false},
		    {11, 10, false},
		    {SIZE_MAX, 10, false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct metric_samples page;
		bool more;
		CHECK(t, metric_history_read(t->db, key, NULL, rows[i].count_max, &t->arena, &page,
					     &more, &t->err));
		assert_int_equal(page.count, rows[i].count);
		assert_int_equal(more, rows[i].more);
	}
}

static void test_a_page_behind_the_last_point_is_empty(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 10);
	const struct metric_sample places[] = {
		{9, 9, 9.0}, {9, 9, (double)INFINITY}, {INT64_MAX, INT64_MAX, (double)INFINITY}};
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		struct metric_samples page;
		bool more;
		CHECK(t, metric_history_read(t->db, metric_model_key(&model, 0, 0), &places[i], 5,
					     &t->arena, &page, &more, &t->err));
		assert_int_equal(page.count, 0);
		assert_false(more);
	}
}

static void test_a_curve_that_was_never_logged_is_empty(void **state)
{
	struct tracker_db *t = *state;
	struct metric_samples page;
	bool more;
	const struct metric_series_key key = {{77}, {77}};
	CHECK(t, metric_history_read(t->db, key, NULL, 5, &t->arena, &page, &more, &t->err));
	assert_int_equal(page.count, 0);
	assert_false(more);
}

/* The first chunk is made unreadable: only who needs it may fail. */
static void test_a_page_does_not_read_the_chunks_before_and_behind_it(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 3 * METRIC_CHUNK_SAMPLES_MAX);
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
	CHECK(t, db_exec(t->db,
			 SQL("UPDATE metric_chunks SET data = x'00' WHERE last_step < 4096 OR "
			     "last_step > 8192"),
			 &t->err));
	struct metric_series_key key = metric_model_key(&model, 0, 0);
	struct metric_samples page;
	bool more;
	const struct metric_sample last_of_first = {METRIC_CHUNK_SAMPLES_MAX - 1,
						    METRIC_CHUNK_SAMPLES_MAX - 1,
						    METRIC_CHUNK_SAMPLES_MAX - 1};
	CHECK(t, metric_history_read(t->db, key, &last_of_first, METRIC_CHUNK_SAMPLES_MAX - 1,
				     &t->arena, &page, &more, &t->err));
	assert_int_equal(page.count, METRIC_CHUNK_SAMPLES_MAX - 1);
	assert_int_equal(page.items[0].step, METRIC_CHUNK_SAMPLES_MAX);
	assert_true(more);
	assert_false(metric_history_read(t->db, key, NULL, 1, &t->arena, &page, &more, &t->err));
	assert_int_equal(t->err.code, ERR_DATA_LOSS);
}

static void test_a_tail_among_many_chunks_is_merged_in_any_page_size(void **state)
{
	struct tracker_db *t = *state;
	append_regular(1000, 5 * METRIC_CHUNK_SAMPLES_MAX);
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
	append_regular(
		0, 10); /* a short tail in front of chunks: its array must not serve for a chunk */
	for (unsigned i = 0; i < 5; i++)
		metric_model_check_history(&model, 0, 0, false);
	append_regular(5000, 3000); /* repeats */
	for (unsigned i = 0; i < 5; i++)
		metric_model_check_history(&model, 0, 0, false);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_full_last_page_says_that_there_is_no_more),
		TEST(test_a_page_behind_the_last_point_is_empty),
		TEST(test_a_curve_that_was_never_logged_is_empty),
		TEST(test_a_page_does_not_read_the_chunks_before_and_behind_it),
		TEST(test_a_tail_among_many_chunks_is_merged_in_any_page_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
