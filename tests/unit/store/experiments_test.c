/* Experiments: names, places, life and the sentences that refuse. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/experiments.h"

#include <stdio.h>
#include <string.h>

#include "store/migrations.h"
#include "store/pk_list.h"
#include "store/runs.h"
#include "store/tags.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static int64_t add(struct tracker_db *t, const char *name)
{
	const struct experiment_new new = {
		.name = slice_from_cstr(name),
		.artifact_root = SLICE("mlflow-artifacts:/"),
		.now_ms = TRACKER_DB_NOW_MS,
	};
	int64_t experiment_id = -1;
	CHECK(t, experiment_insert_in_txn(t->db, &new, &t->arena, &experiment_id, &t->err));
	return experiment_id;
}

static struct experiment load(struct tracker_db *t, int64_t experiment_id)
{
	struct experiment experiment;
	CHECK(t, experiment_load(t->db, experiment_id, &t->arena, &experiment, &t->err));
	return experiment;
}

static void the_default_experiment_is_made_once(void **state)
{
	struct tracker_db *t = *state;
	struct experiment experiment = load(t, 0);
	assert_true(slice_eq_cstr(experiment.name, "Default"));
	assert_true(slice_eq_cstr(experiment.artifact_location, "mlflow-artifacts:/0"));
	CHECK(t, experiment_rename_in_txn(t->db, 0, SLICE("renamed"), 5, &t->err));
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	CHECK(t, experiment_seed_default(t->db, SLICE("other:/"), 9, &t->arena, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
	assert_true(slice_eq_cstr(load(t, 0).name, "renamed"));
}

static void numbers_follow_each_other_and_name_the_place(void **state)
{
	struct tracker_db *t = *state;
	assert_int_equal(add(t, "first"), 1);
	assert_int_equal(add(t, "second"), 2);
	struct experiment experiment = load(t, 2);
	assert_true(slice_eq_cstr(experiment.artifact_location, "mlflow-artifacts:/2"));
	assert_int_equal(experiment.creation_time_ms, TRACKER_DB_NOW_MS);
	assert_int_equal(experiment.last_update_time_ms, TRACKER_DB_NOW_MS);
	assert_false(experiment.is_deleted);
}

static void a_given_place_and_tags_are_kept(void **state)
{
	struct tracker_db *t = *state;
	struct key_value tags[] = {
		{SLICE("z"), SLICE("1")},
		{SLICE("a"), SLICE("old")},
		{SLICE("a"), SLICE("")},
	};
	const struct experiment_new new = {
		.name = SLICE("e"),
		.artifact_location = SLICE("s3://bucket/e"),
		.artifact_root = SLICE("mlflow-artifacts:/"),
		.tags = {tags, 3},
	};
	int64_t experiment_id;
	CHECK(t, experiment_insert_in_txn(t->db, &new, &t->arena, &experiment_id, &t->err));
	struct experiment experiment = load(t, experiment_id);
	assert_true(slice_eq_cstr(experiment.artifact_location, "s3://bucket/e"));
	assert_int_equal(experiment.tags.count, 2);
	assert_true(slice_eq_cstr(experiment.tags.items[0].key, "a"));
	assert_true(slice_eq_cstr(experiment.tags.items[0].value, ""));
	assert_true(slice_is_present(experiment.tags.items[0].value));
	assert_true(slice_eq_cstr(experiment.tags.items[1].key, "z"));
}

static void a_name_stays_taken_after_deletion(void **state)
{
	struct tracker_db *t = *state;
	int64_t first_id = add(t, "e");
	int64_t other_id = add(t, "other");
	CHECK(t, experiment_delete_in_txn(t->db, first_id, 7, &t->err));
	const struct experiment_new new = {.name = SLICE("e"), .artifact_root = SLICE("r:/")};
	int64_t experiment_id = -1;
	bool ok = experiment_insert_in_txn(t->db, &new, &t->arena, &experiment_id, &t->err);
	tracker_db_check_error(
		t, ok, ERR_RESOURCE_ALREADY_EXISTS,
		"Experiment(name=e) already exists. Names of deleted experiments stay taken.");
	assert_int_equal(experiment_id, -1);
	ok = experiment_rename_in_txn(t->db, other_id, SLICE("e"), 8, &t->err);
	tracker_db_check_error(
		t, ok, ERR_RESOURCE_ALREADY_EXISTS,
		"Experiment(name=e) already exists. Names of deleted experiments stay taken.");
}

static void a_missing_experiment_is_named(void **state)
{
	struct tracker_db *t = *state;
	struct experiment experiment;
	const char *message = "No Experiment with id=99 exists";
	enum error_code missing = ERR_RESOURCE_DOES_NOT_EXIST;
	tracker_db_check_error(t, experiment_load(t->db, 99, &t->arena, &experiment, &t->err),
			       missing, message);
	tracker_db_check_error(t, experiment_check_active(t->db, 99, &t->arena, NULL, &t->err),
			       missing, message);
	tracker_db_check_error(t, experiment_rename_in_txn(t->db, 99, SLICE("x"), 1, &t->err),
			       missing, message);
	tracker_db_check_error(t, experiment_delete_in_txn(t->db, 99, 1, &t->err), missing,
			       message);
	tracker_db_check_error(t, experiment_restore_in_txn(t->db, 99, 1, &t->err), missing,
			       message);
	tracker_db_check_error(
		t, experiment_load_by_name(t->db, SLICE("nobody"), &t->arena, &experiment, &t->err),
		missing, "Could not find experiment with name 'nobody'");
}

static void deletion_and_restoring_take_the_runs_along(void **state)
{
	struct tracker_db *t = *state;
	int64_t experiment_id = add(t, "e");
	struct run_pk run = tracker_db_add_run(t, RUN_1, experiment_id);
	struct run_pk deleted_before = tracker_db_add_run(t, RUN_2, experiment_id);
	CHECK(t, run_delete_in_txn(t->db, deleted_before, 5, &t->err));
	(void)run;
	CHECK(t, experiment_delete_in_txn(t->db, experiment_id, 7, &t->err));
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM runs WHERE is_deleted = 1")), 2);
	assert_int_equal(tracker_db_number(t, SQL("SELECT min(deleted_time_ms) FROM runs")), 5);
	assert_int_equal(load(t, experiment_id).last_update_time_ms, 7);
	assert_true(load(t, experiment_id).is_deleted);
	bool ok = experiment_check_active(t->db, experiment_id, &t->arena, NULL, &t->err);
	tracker_db_check_error(
		t, ok, ERR_INVALID_PARAMETER_VALUE,
		"The experiment 1 must be in the 'active' state. Current state is deleted.");

	CHECK(t, experiment_restore_in_txn(t->db, experiment_id, 9, &t->err));
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM runs WHERE is_deleted = 0")), 2);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(deleted_time_ms) FROM runs")), 0);
	assert_int_equal(load(t, experiment_id).last_update_time_ms, 9);
}

static void the_wrong_state_counts_as_missing(void **state)
{
	struct tracker_db *t = *state;
	int64_t experiment_id = add(t, "e");
	const char *message = "No Experiment with id=1 exists";
	tracker_db_check_error(t, experiment_restore_in_txn(t->db, experiment_id, 1, &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, message);
	CHECK(t, experiment_delete_in_txn(t->db, experiment_id, 1, &t->err));
	tracker_db_check_error(t, experiment_delete_in_txn(t->db, experiment_id, 1, &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, message);
	tracker_db_check_error(
		t, experiment_rename_in_txn(t->db, experiment_id, SLICE("x"), 1, &t->err),
		ERR_INVALID_PARAMETER_VALUE, "Cannot rename a non-active experiment.");
}

static void renaming_moves_the_time_and_allows_the_same_name(void **state)
{
	struct tracker_db *t = *state;
	int64_t experiment_id = add(t, "e");
	CHECK(t, experiment_rename_in_txn(t->db, experiment_id, SLICE("e"), 11, &t->err));
	assert_int_equal(load(t, experiment_id).last_update_time_ms, 11);
	CHECK(t, experiment_rename_in_txn(t->db, experiment_id, SLICE("f"), 12, &t->err));
	struct experiment experiment;
	CHECK(t, experiment_load_by_name(t->db, SLICE("f"), &t->arena, &experiment, &t->err));
	assert_int_equal(experiment.experiment_id, experiment_id);
	assert_int_equal(experiment.creation_time_ms, TRACKER_DB_NOW_MS);
}

static void many_are_loaded_in_the_order_asked_for(void **state)
{
	struct tracker_db *t = *state;
	enum { COUNT = PK_LIST_COUNT_MAX + 1 };
	static int64_t ids[COUNT];
	static struct experiment experiments[COUNT];
	for (int i = 0; i < COUNT; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "e%d", i);
		ids[COUNT - 1 - i] = add(t, name);
	}
	struct key_value tag = {SLICE("k"), SLICE("v")};
	CHECK(t, experiment_tags_set_in_txn(t->db, ids[COUNT - 1], (struct key_value_list){&tag, 1},
					    &t->arena, &t->err));
	CHECK(t, experiments_load(t->db, ids, COUNT, &t->arena, experiments, &t->err));
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(experiments[i].experiment_id, ids[i]);
	assert_int_equal(experiments[COUNT - 1].tags.count, 1);
	assert_int_equal(experiments[0].tags.count, 0);
	CHECK(t, experiments_load(t->db, ids, 0, &t->arena, experiments, &t->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_default_experiment_is_made_once),
		TEST(numbers_follow_each_other_and_name_the_place),
		TEST(a_given_place_and_tags_are_kept),
		TEST(a_name_stays_taken_after_deletion),
		TEST(a_missing_experiment_is_named),
		TEST(deletion_and_restoring_take_the_runs_along),
		TEST(the_wrong_state_counts_as_missing),
		TEST(renaming_moves_the_time_and_allows_the_same_name),
		TEST(many_are_loaded_in_the_order_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
