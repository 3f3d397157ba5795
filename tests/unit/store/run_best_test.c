/* The best runs by a metric. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/run_best.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/metrics.h"
#include "unit/store/search_world_helper.h"

enum { QUERIES = 150 };

static struct world world;

static struct run_best_list best(struct tracker_db *t, struct run_best query)
{
	struct run_best_list list;
	if (!run_best(t->db, &query, &t->arena, &list, &t->err))
		fail_msg("filter %.*s: %s", SLICE_FMT(query.filter), t->err.message);
	return list;
}

static void log_values(struct tracker_db *t, struct run_pk run, const double *values, size_t count)
{
	struct metric_point points[8];
	for (size_t i = 0; i < count; i++)
		points[i] = (struct metric_point){SLICE("m"), values[i], (int64_t)(100 + i),
						  (int64_t)i};
	CHECK(t, metrics_append_in_txn(t->db, run, 0, points, count, &t->arena, &t->err));
}

/* --- by a plain evaluation */

static struct run_best query_now; /* qsort has no context */
static size_t metric_now;

static double value_of(const struct world_run *run)
{
	const struct world_metric *metric = &run->metrics[metric_now];
	if (query_now.value == RUN_BEST_MIN_OF_CURVE)
		return metric->min < metric->value ? metric->min : metric->value;
	if (query_now.value == RUN_BEST_MAX_OF_CURVE)
		return metric->max > metric->value ? metric->max : metric->value;
	return metric->value;
}

static int compare_runs(const void *left, const void *right)
{
	const struct world_run *a = *(const struct world_run *const *)left;
	const struct world_run *b = *(const struct world_run *const *)right;
	double x = value_of(a), y = value_of(b);
	if (x < y)
		return query_now.is_greatest ? 1 : -1;
	if (x > y)
		return query_now.is_greatest ? -1 : 1;
	return a->pk < b->pk ? -1 : 1;
}

static size_t candidates(const struct world_filter *filter_or_null,
			 const struct world_run *out[WORLD_RUNS])
{
	size_t count = 0;
	for (size_t i = 0; i < WORLD_RUNS; i++) {
		const struct world_run *run = &world.runs[i];
		const struct world_metric *metric = &run->metrics[metric_now];
		if (run->experiment_id == query_now.experiment_id && !run->is_deleted &&
		    metric->exists && !metric->is_nan &&
		    (filter_or_null == NULL || world_filter_matches(filter_or_null, run)))
			out[count++] = run;
	}
	qsort(out, count, sizeof(out[0]), compare_runs);
	return count;
}

static void check_query(struct tracker_db *t, const struct world_filter *filter_or_null)
{
	const struct world_run *expected[WORLD_RUNS];
	size_t count = candidates(filter_or_null, expected);
	struct run_best_list list = best(t, query_now);
	assert_int_equal(list.count, count < query_now.runs_max ? count : query_now.runs_max);
	for (size_t i = 0; i < list.count; i++) {
		assert_int_equal(list.items[i].run.pk.value, expected[i]->pk);
		assert_true(list.items[i].value == value_of(expected[i]));
		assert_true(slice_eq_cstr(list.items[i].run.run_id, expected[i]->run_id));
	}
}

static void test_the_best_are_those_of_a_plain_evaluation(void **state)
{
	struct tracker_db *t = *state;
	world_fill(&world, t);
	for (size_t i = 0; i < QUERIES; i++) {
		struct arena_mark mark = arena_mark(&t->arena);
		const struct world_filter *filter_or_null = NULL;
		metric_now = world_random(&world, WORLD_METRICS);
		query_now = (struct run_best){
			.experiment_id = (int64_t)world_random(&world, WORLD_EXPERIMENTS),
			.metric = slice_from_cstr(world_metric_names[metric_now]),
			.value = (enum run_best_value)(i % 3),
			.is_greatest = world_random(&world, 2) == 0,
			.runs_max = 1 + world_random(&world, 50),
		};
		if (world_random(&world, 2) == 0)
			filter_or_null =
				world_filter_random(&world, 2, &t->arena, &query_now.filter);
		check_query(t, filter_or_null);
		arena_rewind(&t->arena, mark);
	}
}

/* --- cases */

static void test_the_value_comes_with_its_step_and_time(void **state)
{
	struct tracker_db *t = *state;
	static const double values[] = {3, 1, 5, 2};
	log_values(t, tracker_db_add_run(t, RUN_1, 0), values, 4);
	struct run_best query = {.metric = SLICE("m"), .runs_max = 1};
	struct run_best_list list = best(t, query);
	assert_true(list.items[0].value == 2);
	assert_int_equal(list.items[0].step, 3);
	assert_true(list.items[0].has_timestamp);
	assert_int_equal(list.items[0].timestamp_ms, 103);
	query.value = RUN_BEST_MIN_OF_CURVE;
	list = best(t, query);
	assert_true(list.items[0].value == 1);
	assert_int_equal(list.items[0].step, 1);
	assert_false(list.items[0].has_timestamp);
	query.value = RUN_BEST_MAX_OF_CURVE;
	list = best(t, query);
	assert_true(list.items[0].value == 5);
	assert_int_equal(list.items[0].step, 2);
}

static void test_nan_never_wins_and_infinity_may(void **state)
{
	struct tracker_db *t = *state;
	static const double not_a_number[] = {(double)NAN}, minus_infinity[] = {-(double)INFINITY};
	log_values(t, tracker_db_add_run(t, RUN_1, 0), not_a_number, 1);
	struct run_best query = {.metric = SLICE("m"), .runs_max = 10};
	for (int greatest = 0; greatest < 2; greatest++) {
		for (int value = RUN_BEST_LAST; value <= RUN_BEST_MAX_OF_CURVE; value++) {
			query.is_greatest = greatest;
			query.value = (enum run_best_value)value;
			assert_int_equal(best(t, query).count, 0);
		}
	}
	log_values(t, tracker_db_add_run(t, RUN_2, 0), minus_infinity, 1);
	query = (struct run_best){.metric = SLICE("m"), .runs_max = 10};
	struct run_best_list list = best(t, query);
	assert_int_equal(list.count, 1);
	assert_true(isinf(list.items[0].value));
}

static void test_unknown_experiments_and_metrics_have_no_best(void **state)
{
	struct tracker_db *t = *state;
	static const double values[] = {1};
	log_values(t, tracker_db_add_run(t, RUN_1, 0), values, 1);
	struct run_best query = {.metric = SLICE("other"), .runs_max = 1};
	assert_int_equal(best(t, query).count, 0);
	query = (struct run_best){.experiment_id = 77, .metric = SLICE("m"), .runs_max = 1};
	assert_int_equal(best(t, query).count, 0);
}

static void test_a_bad_filter_is_refused(void **state)
{
	struct tracker_db *t = *state;
	const struct run_best query = {
		.metric = SLICE("m"), .runs_max = 1, .filter = SLICE("oops")};
	struct run_best_list list;
	assert_false(run_best(t->db, &query, &t->arena, &list, &t->err));
	assert_int_equal(t->err.code, ERR_INVALID_PARAMETER_VALUE);
}

static const char *plan_of(struct tracker_db *t, const struct run_best *query)
{
	struct sql_builder b, statement;
	struct slice plan = {"", 0};
	sql_builder_init(&b, &t->arena);
	sql_builder_init(&statement, &t->arena);
	CHECK(t, run_best_statement(query, &t->arena, &statement, &t->err));
	sql_text(&b, SQL("EXPLAIN QUERY PLAN "));
	sql_append(&b, &statement);
	struct db_statement *st = db_prepare_built(t->db, &b, &t->err);
	CHECK(t, st != NULL);
	while (db_step(st, &t->err) == DB_ROW) {
		plan = arena_concat(&t->arena, plan, db_column_text(st, 3));
		plan = arena_concat(&t->arena, plan, SLICE("\n"));
	}
	return arena_cstr(&t->arena, plan);
}

static void test_the_best_by_latest_value_is_read_from_its_index(void **state)
{
	struct tracker_db *t = *state;
	struct run_best query = {.metric = SLICE("m"), .runs_max = 1};
	const char *plan = plan_of(t, &query);
	assert_non_null(strstr(
		plan, "metric_series_by_value (experiment_id=? AND name_pk=? AND last_value>?)"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	assert_null(strstr(plan, "SCAN"));
	/* Downwards, only runs of the same value are sorted, by age. */
	query.is_greatest = true;
	plan = plan_of(t, &query);
	assert_non_null(strstr(
		plan, "metric_series_by_value (experiment_id=? AND name_pk=? AND last_value>?)"));
	assert_null(strstr(plan, "FOR ORDER BY"));
	assert_non_null(strstr(plan, "OF ORDER BY"));
	/* A filter is asked on the way. */
	query = (struct run_best){
		.metric = SLICE("m"), .runs_max = 1, .filter = SLICE("params.p = 'x'")};
	plan = plan_of(t, &query);
	assert_non_null(strstr(plan, "metric_series_by_value"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	/* The whole curve's least value is looked up for each run of the experiment that has the metric. */
	query = (struct run_best){
		.metric = SLICE("m"), .runs_max = 1, .value = RUN_BEST_MIN_OF_CURVE};
	plan = plan_of(t, &query);
	assert_non_null(strstr(plan, "runs_by_experiment (experiment_id=? AND is_deleted=?)"));
	assert_non_null(strstr(plan, "SEARCH m USING PRIMARY KEY (run_pk=? AND name_pk=?)"));
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, tracker_db_setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_best_are_those_of_a_plain_evaluation),
		TEST(test_the_value_comes_with_its_step_and_time),
		TEST(test_nan_never_wins_and_infinity_may),
		TEST(test_unknown_experiments_and_metrics_have_no_best),
		TEST(test_a_bad_filter_is_refused),
		TEST(test_the_best_by_latest_value_is_read_from_its_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
