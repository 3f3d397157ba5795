/* Runs: their life, their name and its tag, and every driver call failed once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/runs.h"

#include "db/db_faulty.h"
#include "store/experiments.h"
#include "store/inputs.h"
#include "store/key_values.h"
#include "store/metrics.h"
#include "store/params.h"
#include "store/runs_load.h"
#include "store/tags.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct run load(struct tracker_db *t, struct run_pk run_pk)
{
	struct run run;
	CHECK(t, runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	return run;
}

static const char *tag_of(struct tracker_db *t, const struct run *run, const char *key)
{
	const struct key_value *tag = key_values_find(run->tags, slice_from_cstr(key));
	return tag == NULL ? NULL : arena_cstr(&t->arena, tag->value);
}

static void a_new_run_is_running_and_knows_its_place(void **state)
{
	struct tracker_db *t = *state;
	struct run run = load(t, tracker_db_add_run(t, RUN_1, 0));
	assert_true(slice_eq_cstr(run.run_id, RUN_1));
	assert_int_equal(run.experiment_id, 0);
	assert_true(slice_eq_cstr(run.status, "RUNNING"));
	assert_true(slice_eq_cstr(run.artifact_uri, "mlflow-artifacts:/0/" RUN_1 "/artifacts"));
	assert_true(slice_eq_cstr(run.user_id, "ada"));
	assert_int_equal(run.start_time_ms, TRACKER_DB_NOW_MS);
	assert_false(run.has_end_time);
	assert_false(run.is_deleted);
	assert_string_equal(tag_of(t, &run, "mlflow.runName"), "a name");
}

static void the_name_wins_over_its_tag(void **state)
{
	struct tracker_db *t = *state;
	struct key_value tags[] = {
		{SLICE("mlflow.runName"), SLICE("cut")},
		{SLICE("k"), SLICE("first")},
		{SLICE("k"), SLICE("last")},
	};
	const struct run_new new = {
		.run_id = SLICE(RUN_1),
		.experiment_location = SLICE("mlflow-artifacts:/0"),
		.name = SLICE("whole"),
		.tags = {tags, 3},
	};
	struct run_pk run_pk;
	CHECK(t, run_insert_in_txn(t->db, &new, &t->arena, &run_pk, &t->err));
	struct run run = load(t, run_pk);
	assert_true(slice_eq_cstr(run.name, "whole"));
	assert_string_equal(tag_of(t, &run, "mlflow.runName"), "whole");
	assert_string_equal(tag_of(t, &run, "k"), "last");
	assert_true(slice_eq_cstr(run.user_id, ""));
	assert_int_equal(run.tags.count, 2);
}

static void an_update_changes_only_what_it_names(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	const struct run_changes finish = {
		.status_or_absent = SLICE("FINISHED"), .has_end_time = true, .end_time_ms = 77};
	CHECK(t, run_update_in_txn(t->db, run_pk, &finish, &t->arena, &t->err));
	const struct run_changes rename = {.name_or_absent = SLICE("other")};
	CHECK(t, run_update_in_txn(t->db, run_pk, &rename, &t->arena, &t->err));
	struct run run = load(t, run_pk);
	assert_true(slice_eq_cstr(run.status, "FINISHED"));
	assert_true(run.has_end_time);
	assert_int_equal(run.end_time_ms, 77);
	assert_true(slice_eq_cstr(run.name, "other"));
	assert_string_equal(tag_of(t, &run, "mlflow.runName"), "other");
	/* Resumed: the end time stays. */
	const struct run_changes resume = {.status_or_absent = SLICE("RUNNING")};
	CHECK(t, run_update_in_txn(t->db, run_pk, &resume, &t->arena, &t->err));
	run = load(t, run_pk);
	assert_true(slice_eq_cstr(run.status, "RUNNING"));
	assert_int_equal(run.end_time_ms, 77);
}

static void the_end_of_a_run_compacts_its_metrics(void **state)
{
	static const char *const statuses[] = {"FINISHED", "FAILED", "KILLED"};
	struct tracker_db *t = *state;
	const struct metric_point point = {.name = SLICE("loss"), .value = 1, .timestamp_ms = 1};
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		CHECK(t, metrics_append_in_txn(t->db, run_pk, 0, &point, 1, &t->arena, &t->err));
		const struct run_changes other = {.status_or_absent = SLICE("SCHEDULED")};
		CHECK(t, run_update_in_txn(t->db, run_pk, &other, &t->arena, &t->err));
		assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 1);
		const struct run_changes end = {.status_or_absent = slice_from_cstr(statuses[i])};
		CHECK(t, run_update_in_txn(t->db, run_pk, &end, &t->arena, &t->err));
		assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 0);
	}
}

static void deleting_and_restoring_may_be_repeated(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, run_delete_in_txn(t->db, run_pk, 5, &t->err));
	CHECK(t, run_delete_in_txn(t->db, run_pk, 6, &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT deleted_time_ms FROM runs")), 5);
	assert_true(load(t, run_pk).is_deleted);
	CHECK(t, run_restore_in_txn(t->db, run_pk, &t->err));
	CHECK(t, run_restore_in_txn(t->db, run_pk, &t->err));
	assert_false(load(t, run_pk).is_deleted);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(deleted_time_ms) FROM runs")), 0);
}

static void missing_and_deleted_runs_are_refused(void **state)
{
	struct tracker_db *t = *state;
	struct run_ref ref = {.experiment_id = -7};
	tracker_db_check_error(t, run_find(t->db, SLICE("abc"), &ref, &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=abc not found");
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, run_delete_in_txn(t->db, run_pk, 5, &t->err));
	tracker_db_check_error(
		t, run_find_active(t->db, SLICE(RUN_1), &ref, &t->err), ERR_INVALID_PARAMETER_VALUE,
		"The run " RUN_1 " must be in the 'active' state. Current state is deleted.");
	assert_int_equal(ref.experiment_id, -7);
	CHECK(t, run_find(t->db, SLICE(RUN_1), &ref, &t->err));
	assert_int_equal(ref.pk.value, run_pk.value);
	assert_true(ref.is_deleted);
	bool found = true;
	CHECK(t, run_find_if_any(t->db, SLICE("abc"), &ref, &found, &t->err));
	assert_false(found);
}

/* One of everything a client does with a run. */
static bool do_everything(struct tracker_db *t)
{
	const struct experiment_new experiment = {.name = SLICE("e"),
						  .artifact_root = SLICE("r:/")};
	struct key_value tag = {SLICE("k"), SLICE("v")};
	struct key_value params[] = {{SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}};
	const struct metric_point point = {.name = SLICE("m"), .value = 1, .timestamp_ms = 1};
	struct dataset_input input = {.name = SLICE("d"),
				      .digest = SLICE("x"),
				      .source_type = SLICE("local"),
				      .source = SLICE("s"),
				      .tags = {&tag, 1}};
	const struct run_changes changes = {.status_or_absent = SLICE("FINISHED"),
					    .name_or_absent = SLICE("n")};
	int64_t experiment_id;
	struct run_pk run_pk;
	struct run_ref ref;
	struct run run;
	if (!experiment_insert_in_txn(t->db, &experiment, &t->arena, &experiment_id, &t->err))
		return false;
	const struct run_new new = {.run_id = SLICE(RUN_1),
				    .experiment_id = experiment_id,
				    .experiment_location = SLICE("r:/1"),
				    .name = SLICE("run"),
				    .tags = {&tag, 1}};
	return run_insert_in_txn(t->db, &new, &t->arena, &run_pk, &t->err) &&
	       run_find_active(t->db, SLICE(RUN_1), &ref, &t->err) &&
	       params_log_in_txn(t->db, run_pk, new.run_id, (struct key_value_list){params, 2},
				 &t->arena, &t->err) &&
	       param_log_in_txn(t->db, run_pk, new.run_id, &params[0], &t->arena, &t->err) &&
	       metrics_append_in_txn(t->db, run_pk, experiment_id, &point, 1, &t->arena, &t->err) &&
	       inputs_log_in_txn(t->db, run_pk, experiment_id,
				 (struct dataset_input_list){&input, 1}, &t->arena, &t->err) &&
	       run_update_in_txn(t->db, run_pk, &changes, &t->arena, &t->err) &&
	       runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err) &&
	       experiment_delete_in_txn(t->db, experiment_id, 1, &t->err) &&
	       experiment_restore_in_txn(t->db, experiment_id, 1, &t->err);
}

static void every_failing_call_is_reported_and_leaves_nothing(void **state)
{
	struct tracker_db *t = *state;
	bool fired = true;
	unsigned countdown = 0;
	while (fired) {
		countdown++;
		error_clear(&t->err);
		db_faulty_set(t->db, countdown, ERR_STORAGE_FULL);
		bool ok = do_everything(t);
		fired = db_faulty_fired(t->db);
		db_faulty_set(t->db, 0, ERR_NONE);
		assert_int_equal(ok, !fired);
		if (fired) {
			assert_int_equal(t->err.code, ERR_STORAGE_FULL);
			tracker_db_rollback(t);
			assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM runs")), 0);
			assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM names")),
					 0);
		}
	}
	assert_true(countdown > 40);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM runs")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_run_is_running_and_knows_its_place),
		TEST(the_name_wins_over_its_tag),
		TEST(an_update_changes_only_what_it_names),
		TEST(the_end_of_a_run_compacts_its_metrics),
		TEST(deleting_and_restoring_may_be_repeated),
		TEST(missing_and_deleted_runs_are_refused),
		TEST(every_failing_call_is_reported_and_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
