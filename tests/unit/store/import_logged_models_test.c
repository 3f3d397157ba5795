/* Logged models of an import: whole at the last call only, and again in part when their files come after all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/import_logged_models.h"

#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct import_logged_model whole_model(void)
{
	return (struct import_logged_model){
		.model_id = SLICE("m-1"),
		.name = SLICE("net"),
		.status = LOGGED_MODEL_READY,
		.source_artifact_uri = SLICE("/srv/models/m-1/artifacts"),
		.artifact_root = SLICE("mlflow-artifacts:/"),
		.is_whole = true,
	};
}

static struct import_logged_model_result import(struct tracker_db *t,
						const struct import_logged_model *model)
{
	struct import_logged_model_result result;
	CHECK(t, import_logged_model_in_txn(t->db, model, &t->arena, &result, &t->err));
	return result;
}

static void a_model_is_pending_until_its_last_call(void **state)
{
	struct tracker_db *t = *state;
	struct import_logged_model model = whole_model();
	model.is_whole = false;
	assert_int_equal(import(t, &model).state, IMPORT_RUN_NONE);
	assert_string_equal(tracker_db_text(t, SQL("SELECT status FROM logged_models")), "PENDING");
	model.is_whole = true;
	assert_int_equal(import(t, &model).state, IMPORT_RUN_PARTIAL);
	assert_string_equal(tracker_db_text(t, SQL("SELECT status FROM logged_models")), "READY");
	assert_int_equal(import(t, &model).state, IMPORT_RUN_WHOLE);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM logged_models")), 1);
}

static void files_that_come_after_all_make_it_partial_again(void **state)
{
	struct tracker_db *t = *state;
	struct import_logged_model model = whole_model();
	model.keeps_artifacts = true;
	assert_true(slice_eq(import(t, &model).artifact_uri, model.source_artifact_uri));
	model.keeps_artifacts = model.is_whole = false;
	struct import_logged_model_result result = import(t, &model);
	assert_int_equal(result.state, IMPORT_RUN_PARTIAL);
	assert_true(slice_eq_cstr(result.artifact_uri, "mlflow-artifacts:/0/models/m-1/artifacts"));
	assert_int_equal(tracker_db_number(t, SQL("SELECT is_whole FROM logged_model_imports")), 0);
}

static void metrics_of_runs_that_are_not_here_are_counted(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_metric metrics[] = {
		{.point = {.key = SLICE("acc"), .value = 1}, .run_id = SLICE(RUN_1)},
		{.point = {.key = SLICE("acc"), .value = 2}, .run_id = SLICE(RUN_2)},
	};
	struct import_logged_model model = whole_model();
	tracker_db_add_run(t, RUN_1, 0);
	model.metrics = (struct logged_model_metric_list){metrics, ARRAY_COUNT(metrics)};
	assert_int_equal(import(t, &model).metrics_left_out, 1);
	tracker_db_add_run(t, RUN_2, 0);
	assert_int_equal(import(t, &model).metrics_left_out, 0);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM logged_model_metrics")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_is_pending_until_its_last_call),
		TEST(files_that_come_after_all_make_it_partial_again),
		TEST(metrics_of_runs_that_are_not_here_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
