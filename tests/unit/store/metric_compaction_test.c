/* Tests of compaction: bounded steps that survive between them, late points, repeats, damage, failures. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "db/db_faulty.h"
#include "store/metric_chunks.h"
#include "store/metric_summary.h"
#include "store/metric_tail.h"
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

static void compact(struct tracker_db *t)
{
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[0], &t->err));
}

/* One step outside the test's transaction; says whether there is more to do. */
static bool step(struct tracker_db *t, bool is_idle)
{
	bool more;
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	CHECK(t, metrics_housekeeping(t->db, is_idle, &more, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
	return more;
}

/* `count` regular points of one curve from `first_step` on, in batches of `batch`. */
static void append_regular(int64_t first_step, size_t count, size_t batch)
{
	struct metric_point *points = calloc(batch, sizeof(*points));
	assert_non_null(points);
	for (size_t done = 0; done < count; done += batch) {
		for (size_t i = 0; i < batch; i++) {
			int64_t step_now = first_step + (int64_t)(done + i);
			points[i] = (struct metric_point){metric_model_name(0),
							  (double)(step_now % 1000), 10 * step_now,
							  step_now};
		}
		metric_model_append(&model, 0, points, batch);
	}
	free(points);
}

/* Points from anywhere between steps 0 and `step_end`, every other one known already. */
static void append_scattered(size_t count, int64_t step_end)
{
	struct metric_point *points = calloc(count, sizeof(*points));
	assert_non_null(points);
	for (size_t i = 0; i < count; i++) {
		int64_t at = (int64_t)metric_model_random(&model, (uint64_t)step_end);
		points[i] = (struct metric_point){metric_model_name(0), (double)(at % 1000),
						  10 * at + (int64_t)(i % 2), at};
	}
	metric_model_append(&model, 0, points, count);
	free(points);
}

static int64_t chunk_count(struct tracker_db *t)
{
	return tracker_db_number(t, SQL("SELECT count(*) FROM metric_chunks"));
}

static void test_points_in_order_fill_chunks_and_leave_few_small_ones(void **state)
{
	struct tracker_db *t = *state;
	for (int64_t first = 0; first < 20000; first += 50) {
		append_regular(first, 50, 50);
		compact(t);
	}
	assert_true(chunk_count(t) >= 20000 / METRIC_CHUNK_SAMPLES_MAX);
	assert_true(chunk_count(t) <= 20000 / METRIC_CHUNK_SAMPLES_MAX + 8);
	metric_model_check_all(&model, true);
}

static void test_points_of_one_time_fill_chunks_by_step(void **state)
{
	struct tracker_db *t = *state;
	struct metric_point *points = calloc(1000, sizeof(*points));
	assert_non_null(points);
	for (int64_t first = 0; first < 20000; first += 1000) {
		for (int64_t i = 0; i < 1000; i++)
			points[i] = (struct metric_point){metric_model_name(0), 1.0, 77, first + i};
		metric_model_append(&model, 0, points, 1000);
		compact(t);
	}
	free(points);
	assert_true(chunk_count(t) <= 20000 / METRIC_CHUNK_SAMPLES_MAX + 4);
	metric_model_check_all(&model, true);
}

static void test_a_backfill_goes_into_the_chunks_it_belongs_to(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 20000, 1000);
	append_regular(40000, 20000, 1000);
	compact(t);
	for (int64_t first = 20000; first < 40000; first += 500) {
		append_regular(first, 500, 500);
		compact(t);
	}
	metric_model_check_all(&model, true);
	/* No chunk overlaps another. */
	struct metric_chunk_list list;
	CHECK(t, metric_chunks_list(t->db, metric_model_key(&model, 0, 0), INT64_MIN, INT64_MIN,
				    &t->arena, &list, &t->err));
	for (size_t i = 1; i < list.count; i++)
		assert_true(metric_sample_compare(&list.items[i - 1].last, &list.items[i].first) <
			    0);
}

static void test_scattered_points_and_repeats_leave_no_tall_piles(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 40000, 1000);
	compact(t);
	for (unsigned i = 0; i < 40; i++) {
		append_scattered(300, 40000);
		compact(t);
		if (i % 8 == 0)
			metric_model_check_all(&model, true);
	}
	metric_model_check_all(&model, true);
	struct metric_chunk_list list;
	CHECK(t, metric_chunks_list(t->db, metric_model_key(&model, 0, 0), INT64_MIN, INT64_MIN,
				    &t->arena, &list, &t->err));
	size_t highest = 0;
	for (size_t i = 0; i < list.count; i++) {
		size_t pile = 0;
		for (size_t j = 0; j < list.count; j++)
			pile += metric_sample_compare(&list.items[j].first, &list.items[i].first) <=
							0 &&
						metric_sample_compare(&list.items[i].first,
								      &list.items[j].last) <= 0
					? 1
					: 0;
		highest = pile > highest ? pile : highest;
	}
	assert_true(highest > 2); /* else this tests nothing */
	assert_true(highest <= 12);
}

static void test_a_replay_of_everything_changes_nothing(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 30000, 1000);
	compact(t);
	int64_t chunks = chunk_count(t);
	append_regular(0, 30000, 500);
	compact(t);
	metric_model_check_all(&model, true);
	assert_true(chunk_count(t) <= chunks + 4);
}

/* A run with so many names that a pass takes many steps. */
enum { MANY_NAMES = 1000, MANY_BATCHES = 3 };

static void append_many_names(struct tracker_db *t, int64_t at_step)
{
	struct metric_point *points = ARENA_NEW(&t->arena, struct metric_point, MANY_NAMES);
	for (unsigned i = 0; i < MANY_NAMES; i++)
		points[i] = (struct metric_point){arena_printf(&t->arena, "weight/%u", i),
						  (double)i, 100 + at_step, at_step};
	CHECK(t, metrics_append_in_txn(t->db, model.runs[1], 0, points, MANY_NAMES, &t->arena,
				       &t->err));
}

static void check_many_names(struct tracker_db *t, size_t point_count, bool is_compacted)
{
	struct arena_mark mark = arena_mark(&t->arena);
	struct metric_summary_list list;
	CHECK(t, metric_summary_read(t->db, model.runs[1], &t->arena, &list, &t->err));
	assert_int_equal(list.count, MANY_NAMES);
	for (size_t i = 0; i < list.count; i++) {
		struct metric_samples tail;
		struct metric_chunk_list chunks;
		struct metric_series_key key = {model.runs[1], list.items[i].series.name_pk};
		CHECK(t, metric_tail_collect(t->db, key.run_pk, &key.name_pk, 1, &t->arena, &tail,
					     &t->err));
		CHECK(t, metric_chunks_list(t->db, key, INT64_MIN, INT64_MIN, &t->arena, &chunks,
					    &t->err));
		size_t found = tail.count;
		for (size_t c = 0; c < chunks.count; c++)
			found += (size_t)chunks.items[c].point_count;
		assert_int_equal(found, point_count); /* each point is in one place, not in two */
		if (is_compacted)
			assert_int_equal(list.items[i].series.point_count, point_count);
	}
	arena_rewind(&t->arena, mark);
}

static void test_a_pass_over_many_names_is_cut_into_steps(void **state)
{
	struct tracker_db *t = *state;
	for (int64_t i = 0; i < MANY_BATCHES; i++)
		append_many_names(t, i);
	append_many_names(t, 1); /* repeats */
	unsigned steps = 0;
	int64_t in_chunks = 0;
	while (step(t, true)) {
		steps++;
		int64_t now =
			tracker_db_number(t, SQL("SELECT sum(point_count) FROM metric_chunks"));
		assert_true(now > in_chunks && now - in_chunks <= 128 * MANY_BATCHES);
		in_chunks = now;
		if (steps == 2) {
			/* A batch in the middle of a pass. */
			check_many_names(t, MANY_BATCHES, false);
			append_many_names(t, MANY_BATCHES);
		}
		check_many_names(t, MANY_BATCHES + (steps >= 2 ? 1 : 0), false);
	}
	assert_true(steps >= MANY_NAMES / 128);
	check_many_names(t, MANY_BATCHES + 1, true);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 0);
}

static void test_the_end_of_a_large_run_leaves_the_rest_to_housekeeping(void **state)
{
	struct tracker_db *t = *state;
	for (int64_t i = 0; i < 3; i++) {
		struct metric_point *points = ARENA_NEW(&t->arena, struct metric_point, MANY_NAMES);
		for (unsigned n = 0; n < MANY_NAMES; n++)
			points[n] = (struct metric_point){
				arena_printf(&t->arena, "%u/%u", (unsigned)i, n), 1.0, 1, 1};
		CHECK(t, metrics_append_in_txn(t->db, model.runs[1], 0, points, MANY_NAMES,
					       &t->arena, &t->err));
	}
	CHECK(t, metrics_compact_run_in_txn(t->db, model.runs[1], &t->err));
	assert_int_equal(chunk_count(t), 16 * 128);
	assert_int_equal(tracker_db_number(t, SQL("SELECT is_due FROM metric_tail_runs")), 1);
	while (step(t, false))
		;
	assert_int_equal(chunk_count(t), 3 * MANY_NAMES);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail_runs")), 0);
}

static void test_a_tail_is_due_one_row_beyond_its_limit(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, METRIC_TAIL_ROWS_DUE, 1);
	assert_false(step(t, false));
	assert_int_equal(chunk_count(t), 0);
	append_regular(METRIC_TAIL_ROWS_DUE, 1, 1);
	assert_false(step(t, false));
	assert_int_equal(chunk_count(t), 1);
	metric_model_check_all(&model, true);
}

static void test_a_tail_is_due_one_point_beyond_its_limit(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, METRIC_TAIL_POINTS_DUE, METRIC_TAIL_POINTS_DUE / 8);
	assert_false(step(t, false));
	assert_int_equal(chunk_count(t), 0);
	append_regular(METRIC_TAIL_POINTS_DUE, 1, 1);
	(void)step(t, false);
	assert_true(chunk_count(t) > 0);
	metric_model_check_all(&model, false);
}

static void test_a_tail_longer_than_a_pass_is_taken_in_several(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, METRIC_PASS_ROWS_MAX + METRIC_TAIL_ROWS_DUE + 1, 1);
	assert_true(step(t, false)); /* what is left is due, too */
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")),
			 METRIC_TAIL_ROWS_DUE + 1);
	metric_model_check_all(&model, false);
	assert_false(step(t, false));
	metric_model_check_all(&model, true);
}

static void test_a_batch_larger_than_a_row_becomes_several_rows(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, METRIC_TAIL_SAMPLES_MAX, METRIC_TAIL_SAMPLES_MAX);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 1);
	append_regular(50000, 2 * METRIC_TAIL_SAMPLES_MAX + 1, 2 * METRIC_TAIL_SAMPLES_MAX + 1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 4);
	metric_model_check_all(&model, false);
}

static void test_idle_time_compacts_any_tail_and_then_rests(void **state)
{
	struct tracker_db *t = *state;
	assert_false(step(t, true));
	append_regular(0, 1, 1);
	assert_false(step(t, false));
	assert_int_equal(chunk_count(t), 0);
	assert_false(step(t, true));
	assert_int_equal(chunk_count(t), 1);
}

static void test_a_damaged_tail_is_left_alone_and_others_are_compacted(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 200, 1);
	append_many_names(t, 1);
	CHECK(t, db_exec(t->db,
			 SQL("UPDATE metric_tail SET data = x'01020304' WHERE run_pk = 1 AND seq = "
			     "100"),
			 &t->err));
	while (step(t, true))
		;
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail WHERE run_pk = 1")),
		200);
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail WHERE run_pk <> 1")), 0);
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM metric_chunks WHERE run_pk = 1")),
		0);
	compact(t); /* the run can still be ended */
	struct metric_samples tail;
	struct metric_series_key key = metric_model_key(&model, 0, 0);
	assert_false(
		metric_tail_collect(t->db, key.run_pk, &key.name_pk, 1, &t->arena, &tail, &t->err));
	assert_int_equal(t->err.code, ERR_DATA_LOSS);
}

static void test_a_failure_at_any_point_loses_nothing(void **state)
{
	struct tracker_db *t = *state;
	append_regular(0, 9000, 1000);
	compact(t);
	append_scattered(300, 9000);
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	bool is_done = false;
	for (unsigned countdown = 1; !is_done; countdown++) {
		bool more;
		db_faulty_set(t->db, countdown, ERR_STORAGE_FULL);
		is_done = metrics_housekeeping(t->db, true, &more, &t->err);
		db_faulty_set(t->db, 0, ERR_NONE);
		assert_false(db_in_transaction(t->db));
		if (!is_done)
			assert_int_equal(t->err.code, ERR_STORAGE_FULL);
		error_clear(&t->err);
	}
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
	metric_model_check_all(&model, true);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_points_in_order_fill_chunks_and_leave_few_small_ones),
		TEST(test_points_of_one_time_fill_chunks_by_step),
		TEST(test_a_backfill_goes_into_the_chunks_it_belongs_to),
		TEST(test_scattered_points_and_repeats_leave_no_tall_piles),
		TEST(test_a_replay_of_everything_changes_nothing),
		TEST(test_a_pass_over_many_names_is_cut_into_steps),
		TEST(test_the_end_of_a_large_run_leaves_the_rest_to_housekeeping),
		TEST(test_a_tail_is_due_one_row_beyond_its_limit),
		TEST(test_a_tail_is_due_one_point_beyond_its_limit),
		TEST(test_a_tail_longer_than_a_pass_is_taken_in_several),
		TEST(test_a_batch_larger_than_a_row_becomes_several_rows),
		TEST(test_idle_time_compacts_any_tail_and_then_rests),
		TEST(test_a_damaged_tail_is_left_alone_and_others_are_compacted),
		TEST(test_a_failure_at_any_point_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
