/* Model versions and their logged models: the tag that tells of versions, and what a version tells of its model. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/model_lineage.h"

#include "json/json_reader.h"
#include "store/key_values.h"
#include "store/logged_models.h"
#include "store/logged_models_load.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct logged_model_pk add_model(struct tracker_db *t, const char *model_id)
{
	struct key_value param = {SLICE("lr"), SLICE("1")};
	const struct logged_model_new new = {.model_id = slice_from_cstr(model_id),
					     .experiment_location = SLICE("s3://b"),
					     .name = SLICE("n"),
					     .source_run_id = SLICE(RUN_1),
					     .params = {&param, 1}};
	struct logged_model_pk pk;
	CHECK(t, logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
	return pk;
}

static int64_t add_version(struct tracker_db *t, const char *run_id, const char *model_id)
{
	const struct model_version_new new = {.name = SLICE("R"),
					      .source = SLICE("s"),
					      .run_id = slice_from_cstr(run_id),
					      .model_id = slice_from_cstr(model_id)};
	int64_t version = 0;
	CHECK(t, model_version_insert_in_txn(t->db, &new, &version, &t->err));
	return version;
}

static void add_registered_model(struct tracker_db *t)
{
	CHECK(t, model_insert_in_txn(t->db, SLICE("R"), SLICE(""), (struct key_value_list){0}, 1,
				     &t->err));
}

static const char *versions_tag(struct tracker_db *t)
{
	struct logged_model model;
	CHECK(t, logged_model_load(t->db, SLICE("m-1"), true, &t->arena, &model, &t->err));
	const struct key_value *tag = key_values_find(model.tags, MODEL_VERSIONS_TAG);
	return tag == NULL ? NULL : arena_cstr(&t->arena, tag->value);
}

static void the_model_lists_its_versions_once(void **state)
{
	struct tracker_db *t = *state;
	add_model(t, "m-1");
	assert_null(versions_tag(t));
	for (int i = 0; i < 2; i++)
		CHECK(t, model_lineage_record_in_txn(t->db, SLICE("m-1"), SLICE("R \"x\""), 3,
						     &t->arena, &t->err));
	assert_string_equal(versions_tag(t), "[{\"name\": \"R \\\"x\\\"\", \"version\": 3}]");
	CHECK(t,
	      model_lineage_record_in_txn(t->db, SLICE("m-1"), SLICE("S"), 3, &t->arena, &t->err));
	assert_string_equal(versions_tag(t), "[{\"name\": \"R \\\"x\\\"\", \"version\": 3}, "
					     "{\"name\": \"S\", \"version\": 3}]");
}

static void a_version_that_a_client_wrote_is_known(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_pk pk = add_model(t, "m-1");
	struct key_value tag = {MODEL_VERSIONS_TAG,
				SLICE("[{\"name\": \"R\", \"version\": \"3\"}]")};
	CHECK(t, logged_model_tags_set_in_txn(t->db, pk, (struct key_value_list){&tag, 1},
					      &t->arena, &t->err));
	CHECK(t,
	      model_lineage_record_in_txn(t->db, SLICE("m-1"), SLICE("R"), 3, &t->arena, &t->err));
	assert_true(slice_eq_cstr(tag.value, versions_tag(t)));
}

static void a_version_tells_of_its_model(void **state)
{
	struct tracker_db *t = *state;
	add_model(t, "m-1");
	add_registered_model(t);
	static const struct {
		const char *model_id;
		bool has_model;
	} versions[] = {{"m-1", true}, {"m-lost", false}, {"", false}};
	for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
		struct model_version version;
		int64_t number = add_version(t, NULL, versions[i].model_id);
		CHECK(t,
		      model_version_load(t->db, SLICE("R"), number, &t->arena, &version, &t->err));
		assert_true(slice_eq_cstr(version.model_id, versions[i].model_id));
		assert_null(version.logged_model_or_null);
		CHECK(t, model_lineage_load(t->db, &version, &t->arena, &t->err));
		assert_int_equal(version.logged_model_or_null != NULL, versions[i].has_model);
		if (versions[i].has_model)
			assert_int_equal(version.logged_model_or_null->params.count, 1);
	}
	struct logged_model model;
	CHECK(t, logged_model_load(t->db, SLICE("m-1"), true, &t->arena, &model, &t->err));
	assert_int_equal(model.registrations.count, 1);
	assert_true(slice_eq_cstr(model.registrations.items[0].name, "R"));
	assert_int_equal(model.registrations.items[0].version, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_model_lists_its_versions_once),
		TEST(a_version_that_a_client_wrote_is_known),
		TEST(a_version_tells_of_its_model),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
