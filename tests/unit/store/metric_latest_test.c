/* Tests of the latest metrics of runs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "store/metrics.h"
#include "store/pk_list.h"
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

#define NAN_ ((double)NAN)

/* Points in the order of arrival, one batch each; the index of the one that is latest. */
static const struct {
	struct metric_sample samples[3];
	size_t latest;
} rows[] = {
	{{{1, 1, 1.0}, {2, 2, 2.0}, {3, 3, 3.0}}, 2},	 /* the greatest step */
	{{{1, 3, 1.0}, {2, 2, 2.0}, {3, 1, 3.0}}, 0},	 /* … whatever the time */
	{{{2, 1, 1.0}, {3, 1, 0.0}, {1, 1, 9.0}}, 1},	 /* then the greatest time */
	{{{1, 1, 5.0}, {1, 1, 7.0}, {1, 1, 6.0}}, 1},	 /* then the greatest value */
	{{{1, 1, -1.0}, {1, 1, NAN_}, {1, 1, -2.0}}, 1}, /* NaN ranks like 0 */
	{{{1, 1, NAN_}, {1, 1, 1.0}, {1, 1, -1.0}}, 1},
	{{{1, -3, 1.0}, {1, -2, 2.0}, {1, -4, 3.0}}, 1},
};

static void test_the_latest_metric_has_the_greatest_step_time_and_value(void **state)
{
	struct tracker_db *t = *state;
	for (size_t row = 0; row < ARRAY_COUNT(rows); row++) {
		char run_id[33];
		(void)snprintf(run_id, sizeof(run_id), "%032x", 0x100u + (unsigned)row);
		struct run_pk run_pk = tracker_db_add_run(t, run_id, 0);
		for (size_t i = 0; i < ARRAY_COUNT(rows[row].samples); i++) {
			const struct metric_sample *s = &rows[row].samples[i];
			const struct metric_point point = {SLICE("m"), s->value, s->timestamp_ms,
							   s->step};
			CHECK(t, metrics_append_in_txn(t->db, run_pk, 0, &point, 1, &t->arena,
						       &t->err));
		}
		struct metric_list list;
		CHECK(t, metrics_latest(t->db, &run_pk, 1, &t->arena, &list, &t->err));
		assert_int_equal(list.count, 1);
		const struct metric_sample *latest = &rows[row].samples[rows[row].latest];
		const struct metric_sample found = {list.items[0].timestamp_ms, list.items[0].step,
						    list.items[0].value};
		assert_int_equal(metric_sample_compare(&found, latest), 0);
	}
}

static void test_lists_are_sorted_by_key_and_runs_without_metrics_are_empty(void **state)
{
	struct tracker_db *t = *state;
	const struct metric_point points[] = {
		{SLICE("z"), 1.0, 1, 1}, {SLICE("a"), 2.0, 1, 1}, {SLICE("m/x"), 3.0, 1, 1}};
	metric_model_append(&model, 0, points, 0);
	CHECK(t, metrics_append_in_txn(t->db, model.runs[1], 0, points, ARRAY_COUNT(points),
				       &t->arena, &t->err));
	const struct run_pk asked[] = {model.runs[1], model.runs[0]};
	struct metric_list lists[2];
	CHECK(t, metrics_latest(t->db, asked, 2, &t->arena, lists, &t->err));
	assert_int_equal(lists[0].count, 3);
	assert_true(slice_eq_cstr(lists[0].items[0].key, "a"));
	assert_true(slice_eq_cstr(lists[0].items[1].key, "m/x"));
	assert_true(slice_eq_cstr(lists[0].items[2].key, "z"));
	assert_int_equal(lists[1].count, 0);
}

static void test_more_runs_than_a_statement_takes_are_all_loaded(void **state)
{
	struct tracker_db *t = *state;
	enum { RUNS = 2 * PK_LIST_COUNT_MAX + 1 };
	struct run_pk *run_pks = ARENA_NEW(&t->arena, struct run_pk, RUNS);
	struct metric_list *lists = ARENA_NEW(&t->arena, struct metric_list, RUNS);
	for (unsigned i = 0; i < RUNS; i++) {
		char run_id[33];
		(void)snprintf(run_id, sizeof(run_id), "%032x", 0x10000u + i);
		run_pks[RUNS - 1 - i] = tracker_db_add_run(t, run_id, 0);
		const struct metric_point point = {SLICE("m"), (double)(RUNS - 1 - i), 1, 1};
		CHECK(t, metrics_append_in_txn(t->db, run_pks[RUNS - 1 - i], 0, &point, 1,
					       &t->arena, &t->err));
	}
	CHECK(t, metrics_latest(t->db, run_pks, RUNS, &t->arena, lists, &t->err));
	for (unsigned i = 0; i < RUNS; i++) {
		assert_int_equal(lists[i].count, 1);
		assert_int_equal((int64_t)lists[i].items[0].value, i);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_latest_metric_has_the_greatest_step_time_and_value),
		TEST(test_lists_are_sorted_by_key_and_runs_without_metrics_are_empty),
		TEST(test_more_runs_than_a_statement_takes_are_all_loaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
