/* Points of models: kept once, with their datasets, beside those of their runs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "store/logged_model_metrics.h"

#include "store/logged_models.h"
#include "store/logged_models_load.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void add_model(struct tracker_db *t)
{
	const struct logged_model_new new = {.model_id = SLICE("m-1"),
					     .experiment_location = SLICE("s3://b"),
					     .name = SLICE("n")};
	struct logged_model_pk pk;
	CHECK(t, logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
}

static struct model_point point(struct slice name, double value, int64_t time_ms, int64_t step)
{
	return (struct model_point){
		.point = {.name = name, .value = value, .timestamp_ms = time_ms, .step = step},
		.model_id = SLICE("m-1"),
	};
}

static struct logged_model_metric_list logged(struct tracker_db *t)
{
	struct logged_model model;
	CHECK(t, logged_model_load(t->db, SLICE("m-1"), false, &t->arena, &model, &t->err));
	return model.metrics;
}

static void points_come_by_name_time_and_step(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run = tracker_db_add_run(t, RUN_1, 0);
	add_model(t);
	const struct model_point points[] = {
		point(SLICE("z"), 1, 0, 0), point(SLICE("a"), (double)NAN, 2, 1),
		point(SLICE("a"), (double)INFINITY, 1, 2), point(SLICE("a"), 4, 1, 1)};
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, points, 4, &t->err));
	struct logged_model_metric_list list = logged(t);
	assert_int_equal(list.count, 4);
	assert_true(list.items[0].point.value == 4.0);
	assert_true(isinf(list.items[1].point.value));
	assert_true(isnan(list.items[2].point.value));
	assert_true(slice_eq_cstr(list.items[3].point.key, "z"));
	assert_true(slice_eq_cstr(list.items[0].run_id, RUN_1));
}

static void the_same_place_is_written_once(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run = tracker_db_add_run(t, RUN_1, 0);
	add_model(t);
	struct model_point first = point(SLICE("a"), 1, 1, 1), again = point(SLICE("a"), 2, 1, 1);
	struct model_point elsewhere = again;
	elsewhere.dataset_name = SLICE("taxi");
	elsewhere.dataset_digest = SLICE("d1");
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &first, 1, &t->err));
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &again, 1, &t->err));
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &elsewhere, 1, &t->err));
	struct logged_model_metric_list list = logged(t);
	assert_int_equal(list.count, 2);
	assert_true(list.items[0].point.value == 2.0);
	assert_true(slice_eq_cstr(list.items[1].dataset_name, "taxi"));
}

static void runs_do_not_share_points(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk one = tracker_db_add_run(t, RUN_1, 0), two = tracker_db_add_run(t, RUN_2, 0);
	struct model_point same = point(SLICE("a"), 1, 1, 1);
	add_model(t);
	CHECK(t, logged_model_metrics_log_in_txn(t->db, two, &same, 1, &t->err));
	CHECK(t, logged_model_metrics_log_in_txn(t->db, one, &same, 1, &t->err));
	struct logged_model_metric_list list = logged(t);
	assert_int_equal(list.count, 2);
	assert_true(slice_eq_cstr(list.items[0].run_id, RUN_1));
}

static void points_without_a_model_are_passed_over(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run = tracker_db_add_run(t, RUN_1, 0);
	struct model_point none = point(SLICE("a"), 1, 1, 1), empty = none;
	none.model_id = (struct slice){NULL, 0};
	empty.model_id = SLICE("");
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &none, 1, &t->err));
	CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &empty, 1, &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM logged_model_metrics")), 0);
}

static void an_unknown_model_is_refused(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run = tracker_db_add_run(t, RUN_1, 0);
	struct model_point lost = point(SLICE("a"), 1, 1, 1);
	bool ok = logged_model_metrics_log_in_txn(t->db, run, &lost, 1, &t->err);
	tracker_db_check_error(t, ok, ERR_RESOURCE_DOES_NOT_EXIST,
			       "Logged model with ID 'm-1' not found.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(points_come_by_name_time_and_step),
		TEST(the_same_place_is_written_once),
		TEST(runs_do_not_share_points),
		TEST(points_without_a_model_are_passed_over),
		TEST(an_unknown_model_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
