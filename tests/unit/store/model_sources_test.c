/* Where model versions come from: the folders of runs and logged models, other versions, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/model_sources.h"

#include "json/json_reader.h"
#include "store/logged_models.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct logged_model_pk add_model(struct tracker_db *t, const char *model_id,
					const char *location)
{
	const struct logged_model_new new = {.model_id = slice_from_cstr(model_id),
					     .experiment_location = slice_from_cstr(location),
					     .name = SLICE("n"),
					     .source_run_id = SLICE(RUN_1)};
	struct logged_model_pk pk;
	CHECK(t, logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
	return pk;
}

static void add_version(struct tracker_db *t, const char *run_id, const char *model_id)
{
	const struct model_version_new new = {.name = SLICE("R"),
					      .source = SLICE("s"),
					      .storage_location = SLICE("s3://version"),
					      .run_id = slice_from_cstr(run_id),
					      .model_id = slice_from_cstr(model_id)};
	int64_t version = 0;
	CHECK(t, model_version_insert_in_txn(t->db, &new, &version, &t->err));
}

/* m-1 in the proxy, m-2 in a local folder, m-3 deleted, versions 1 (of m-1) and 2 (of nothing). */
static void fill(struct tracker_db *t)
{
	add_model(t, "m-1", "mlflow-artifacts:/0");
	add_model(t, "m-2", "/data/0");
	struct logged_model_pk deleted = add_model(t, "m-3", "mlflow-artifacts:/0");
	CHECK(t, logged_model_delete_in_txn(t->db, deleted, 1, &t->err));
	CHECK(t, model_insert_in_txn(t->db, SLICE("R"), SLICE(""), (struct key_value_list){0}, 1,
				     &t->err));
	add_version(t, "of-version", "m-1");
	add_version(t, NULL, NULL);
}

static bool resolve(struct tracker_db *t, struct model_source *source, struct slice *location)
{
	return model_source_resolve(t->db, source, &t->arena, location, &t->err);
}

struct accepted_row {
	const char *uri, *run_id, *model_id;
	const char *wanted_run_id, *wanted_model_id, *wanted_location;
};

#define M1 "mlflow-artifacts:/0/models/m-1/artifacts"

static const struct accepted_row accepted[] = {
	{"s3://b/x", "", "", "", "", "s3://b/x"},
	{"s3://b/x", "r", "", "r", "", "s3://b/x"},
	{"s3://b/x", "", "m-1", RUN_1, "m-1", "s3://b/x"},
	{"s3://b/x", "r", "m-1", "r", "m-1", "s3://b/x"},
	{"models:/m-1", "", "", RUN_1, "m-1", M1},
	{"models:/m-1", "r", "m-1", "r", "m-1", M1},
	{"models:/R/1", "", "", "of-version", "m-1", "s3://version"},
	{"models:/R/1", "of-version", "m-1", "of-version", "m-1", "s3://version"},
	{"models:/R/2", "", "", "", "", "s3://version"},
	{M1, "", "m-1", RUN_1, "m-1", M1},
	{M1 "/sub", "", "m-1", RUN_1, "m-1", M1 "/sub"},
	{"/data/0/models/m-2/artifacts", "", "m-2", RUN_1, "m-2", "/data/0/models/m-2/artifacts"},
	{"file:///data/0/models/m-2/artifacts/x", "r", "m-2", "r", "m-2",
	 "file:///data/0/models/m-2/artifacts/x"},
};

static void sources_name_runs_and_models(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	for (size_t i = 0; i < ARRAY_COUNT(accepted); i++) {
		const struct accepted_row *row = &accepted[i];
		struct model_source source = {slice_from_cstr(row->uri),
					      slice_from_cstr(row->run_id),
					      slice_from_cstr(row->model_id)};
		struct slice location;
		CHECK(t, resolve(t, &source, &location));
		assert_string_equal(arena_cstr(&t->arena, source.run_id), row->wanted_run_id);
		assert_string_equal(arena_cstr(&t->arena, source.model_id), row->wanted_model_id);
		assert_string_equal(arena_cstr(&t->arena, location), row->wanted_location);
	}
}

struct refused_row {
	const char *uri, *run_id, *model_id;
	enum error_code code;
	const char *message;
};

#define INVALID(uri) "Invalid model version source: '" uri "'. "
#define NOT_THE_MODELS                                                                             \
	"The model_id request parameter must identify the resource that contains the source."
#define NOT_THE_VERSIONS                                                                           \
	"The run_id and model_id request parameters must match the referenced model version."
#define NOT_IN_THE_FOLDER                                                                          \
	"To use a local path as a model version source, the model_id request parameter has to be " \
	"specified and the local path has to be contained within the artifact directory of the "   \
	"run "                                                                                     \
	"specified by the model_id."

static const struct refused_row refused[] = {
	{"models:/m-1", "", "m-2", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("models:/m-1") NOT_THE_MODELS},
	{"models:/m-3", "", "", ERR_RESOURCE_DOES_NOT_EXIST,
	 "Logged model with ID 'm-3' not found."},
	{"models:/m-9", "", "", ERR_RESOURCE_DOES_NOT_EXIST,
	 "Logged model with ID 'm-9' not found."},
	{"s3://b/x", "", "m-3", ERR_RESOURCE_DOES_NOT_EXIST, "Logged model with ID 'm-3' not found."},
	{M1, "", "m-2", ERR_INVALID_PARAMETER_VALUE, INVALID(M1) NOT_THE_MODELS},
	{M1 "x", "", "m-1", ERR_INVALID_PARAMETER_VALUE, INVALID(M1 "x") NOT_THE_MODELS},
	{M1, "", "m-9", ERR_INVALID_PARAMETER_VALUE, INVALID(M1) NOT_THE_MODELS},
	{"runs:/r/x", "", "m-1", ERR_INVALID_PARAMETER_VALUE, INVALID("runs:/r/x") NOT_THE_MODELS},
	{"models:/R/1", "", "m-2", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("models:/R/1") NOT_THE_VERSIONS},
	{"models:/R/1", "other", "", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("models:/R/1") NOT_THE_VERSIONS},
	{"models:/R/7", "", "", ERR_RESOURCE_DOES_NOT_EXIST,
	 "Model Version (name=R, version=7) not found"},
	{"models:/R@a", "", "", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("models:/R@a") "Expected models:/NAME/VERSION."},
	{"/data/0/models/m-3/artifacts", "", "m-2", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("/data/0/models/m-3/artifacts") NOT_IN_THE_FOLDER},
	{"/data/0/models/m-2/artifacts/../../m-3", "", "m-2", ERR_INVALID_PARAMETER_VALUE,
	 INVALID("/data/0/models/m-2/artifacts/../../m-3") NOT_IN_THE_FOLDER},
	{"/data/0", "", "m-1", ERR_INVALID_PARAMETER_VALUE, INVALID("/data/0") NOT_IN_THE_FOLDER},
};

static void what_does_not_fit_is_refused(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		const struct refused_row *row = &refused[i];
		struct model_source source = {slice_from_cstr(row->uri),
					      slice_from_cstr(row->run_id),
					      slice_from_cstr(row->model_id)};
		struct slice location;
		tracker_db_check_error(t, resolve(t, &source, &location), row->code, row->message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sources_name_runs_and_models),
		TEST(what_does_not_fit_is_refused),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
