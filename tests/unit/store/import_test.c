/* What an import writes: a run is whole at its last call only, every call can be repeated, and what others made
 * stays theirs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/import.h"

#include "store/import_models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct import_run whole_run(void)
{
	return (struct import_run){
		.run_id = SLICE(RUN_1),
		.name = SLICE("n"),
		.status = SLICE("FINISHED"),
		.start_time_ms = 10,
		.end_time_ms = 20,
		.deleted_time_ms = -1,
		.source_artifact_uri = SLICE("/srv/1/artifacts"),
		.artifact_root = SLICE("mlflow-artifacts:/"),
		.is_whole = true,
		.digest = SLICE("d1"),
	};
}

static const char *import(struct tracker_db *t, const struct import_run *run)
{
	struct slice uri;
	CHECK(t, import_run_in_txn(t->db, run, &t->arena, &uri, &t->err));
	return arena_cstr(&t->arena, uri);
}

static enum import_run_state state_of(struct tracker_db *t, const char *run_id)
{
	enum import_run_state state;
	struct slice digest;
	CHECK(t, import_run_state(t->db, slice_from_cstr(run_id), &t->arena, &state, &digest,
				  &t->err));
	assert_int_equal(slice_is_present(digest), state == IMPORT_RUN_WHOLE);
	return state;
}

static void a_run_ends_with_its_last_call(void **state)
{
	struct tracker_db *t = *state;
	struct import_run run = whole_run();
	run.is_whole = false;
	assert_int_equal(state_of(t, RUN_1), IMPORT_RUN_NONE);
	import(t, &run);
	assert_int_equal(state_of(t, RUN_1), IMPORT_RUN_PARTIAL);
	assert_string_equal(tracker_db_text(t, SQL("SELECT status FROM runs")), "RUNNING");
	assert_int_equal(
		tracker_db_number(t, SQL("SELECT count(*) FROM runs WHERE end_time_ms IS NULL")),
		1);
	run.is_whole = true;
	import(t, &run);
	assert_int_equal(state_of(t, RUN_1), IMPORT_RUN_WHOLE);
	assert_string_equal(tracker_db_text(t, SQL("SELECT status FROM runs")), "FINISHED");
	assert_int_equal(tracker_db_number(t, SQL("SELECT end_time_ms FROM runs")), 20);
}

static void a_call_that_is_repeated_adds_nothing(void **state)
{
	struct tracker_db *t = *state;
	struct key_value pair = {SLICE("k"), SLICE("v")};
	const struct metric_point point = {SLICE("m"), 1, 2, 3};
	struct import_run run = whole_run();
	run.tags = run.params = (struct key_value_list){&pair, 1};
	run.points = &point;
	run.point_count = 1;
	import(t, &run);
	import(t, &run);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM runs")), 1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM params")), 1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM run_tags")), 2);
	assert_int_equal(tracker_db_number(t, SQL("SELECT sum(point_count) FROM metric_series")),
			 1);
}

static void a_run_of_ours_keeps_its_state(void **state)
{
	struct tracker_db *t = *state;
	struct import_run run = whole_run();
	tracker_db_add_run(t, RUN_1, 0);
	run.is_deleted = true;
	import(t, &run);
	assert_int_equal(state_of(t, RUN_1), IMPORT_RUN_OTHER);
	assert_string_equal(tracker_db_text(t, SQL("SELECT status FROM runs")), "RUNNING");
	assert_int_equal(tracker_db_number(t, SQL("SELECT is_deleted FROM runs")), 0);
}

static void artifacts_get_an_address_of_ours_or_stay(void **state)
{
	struct tracker_db *t = *state;
	struct import_run run = whole_run();
	run.keeps_artifacts = true;
	assert_string_equal(import(t, &run), "/srv/1/artifacts");
	run.keeps_artifacts = false;
	assert_string_equal(import(t, &run), "mlflow-artifacts:/0/" RUN_1 "/artifacts");
	run.keeps_artifacts = true;
	assert_string_equal(import(t, &run), "mlflow-artifacts:/0/" RUN_1 "/artifacts");
}

static void a_root_elsewhere_leaves_artifacts_where_they_are(void **state)
{
	struct tracker_db *t = *state;
	struct import_run run = whole_run();
	CHECK(t, db_exec(t->db, SQL("UPDATE experiments SET artifact_location = 's3://b/0'"),
			 &t->err));
	run.artifact_root = SLICE("s3://b");
	assert_string_equal(import(t, &run), "/srv/1/artifacts");
}

static void an_experiment_id_that_cannot_be_kept_is_mapped(void **state)
{
	static const int64_t wanted[] = {0, -1, INT64_MAX};
	struct tracker_db *t = *state;
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
		const struct import_experiment e = {
			.wanted_id = wanted[i],
			.name = slice_from_cstr(names[i]),
			.artifact_root = SLICE("mlflow-artifacts:/"),
		};
		struct import_experiment_result result;
		CHECK(t, import_experiment_in_txn(t->db, &e, &t->arena, &result, &t->err));
		assert_true(result.is_new);
		assert_int_equal(result.experiment_id, i + 1);
	}
}

static struct import_version version_of(const char *source)
{
	return (struct import_version){
		.name = SLICE("m"),
		.version = 3,
		.stage = SLICE("None"),
		.status = SLICE("READY"),
		.run_id = SLICE(RUN_1),
		.source = slice_from_cstr(source),
		.creation_time_ms = 5,
	};
}

static void an_address_below_an_imported_run_moves_with_it(void **state)
{
	static const struct {
		const char *source, *here;
	} rows[] = {
		{"/srv/1/artifacts/model", "mlflow-artifacts:/0/" RUN_1 "/artifacts/model"},
		{"file:///srv/1/artifacts", "mlflow-artifacts:/0/" RUN_1 "/artifacts"},
		{"/srv/1/artifacts2/model", "/srv/1/artifacts2/model"},
		{"s3://b/model", "s3://b/model"},
	};
	struct tracker_db *t = *state;
	struct import_run run = whole_run();
	const struct import_model model = {.name = SLICE("m")};
	struct import_model_result result;
	import(t, &run);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct import_version version = version_of(rows[i].source);
		CHECK(t, import_model_in_txn(t->db, &model, &t->arena, &result, &t->err));
		CHECK(t, import_version_in_txn(t->db, &version, &t->arena, &result, &t->err));
		assert_true(result.is_new);
		assert_string_equal(tracker_db_text(t, SQL("SELECT source FROM model_versions")),
				    rows[i].here);
		assert_string_equal(
			tracker_db_text(t, SQL("SELECT storage_location FROM model_versions")),
			rows[i].here);
		CHECK(t, db_exec(t->db, SQL("DELETE FROM registered_models"), &t->err));
	}
}

static void another_version_of_the_number_is_a_conflict(void **state)
{
	struct tracker_db *t = *state;
	const struct import_model model = {.name = SLICE("m")};
	struct import_version version = version_of("s3://b/model");
	struct import_model_result result;
	CHECK(t, import_model_in_txn(t->db, &model, &t->arena, &result, &t->err));
	CHECK(t, import_version_in_txn(t->db, &version, &t->arena, &result, &t->err));
	CHECK(t, import_version_in_txn(t->db, &version, &t->arena, &result, &t->err));
	assert_false(result.is_new);
	assert_int_equal(tracker_db_number(t, SQL("SELECT last_version FROM registered_models")),
			 3);
	version.creation_time_ms++;
	tracker_db_check_error(t,
			       import_version_in_txn(t->db, &version, &t->arena, &result, &t->err),
			       ERR_RESOURCE_CONFLICT,
			       "Model Version (name=m, version=3) exists and is another one.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_ends_with_its_last_call),
		TEST(a_call_that_is_repeated_adds_nothing),
		TEST(a_run_of_ours_keeps_its_state),
		TEST(artifacts_get_an_address_of_ours_or_stay),
		TEST(a_root_elsewhere_leaves_artifacts_where_they_are),
		TEST(an_experiment_id_that_cannot_be_kept_is_mapped),
		TEST(an_address_below_an_imported_run_moves_with_it),
		TEST(another_version_of_the_number_is_a_conflict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
