/* Logged models: made, finalized, tagged, deleted, and read back whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/logged_models.h"

#include "store/logged_models_load.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct logged_model_pk add_model(struct tracker_db *t, const char *model_id)
{
	struct key_value tags[] = {{SLICE("b"), SLICE("first")},
				   {SLICE("a"), SLICE("1")},
				   {SLICE("b"), SLICE("last")}};
	struct key_value params[] = {{SLICE("lr"), SLICE("0.1")}, {SLICE("depth"), SLICE("")}};
	const struct logged_model_new new = {
		.model_id = slice_from_cstr(model_id),
		.experiment_location = SLICE("s3://bucket/0?x=y"),
		.name = SLICE("forest"),
		.source_run_id = SLICE(RUN_1),
		.tags = {tags, ARRAY_COUNT(tags)},
		.params = {params, ARRAY_COUNT(params)},
		.now_ms = 5,
	};
	struct logged_model_pk pk;
	CHECK(t, logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
	return pk;
}

static struct logged_model load(struct tracker_db *t, const char *model_id)
{
	struct logged_model model;
	CHECK(t, logged_model_load(t->db, slice_from_cstr(model_id), true, &t->arena, &model,
				   &t->err));
	return model;
}

static void check_text(struct tracker_db *t, struct slice text, const char *wanted)
{
	assert_string_equal(arena_cstr(&t->arena, text), wanted);
}

static void a_model_is_read_as_it_was_made(void **state)
{
	struct tracker_db *t = *state;
	add_model(t, "m-1");
	struct logged_model model = load(t, "m-1");
	check_text(t, model.model_id, "m-1");
	check_text(t, model.name, "forest");
	check_text(t, model.artifact_uri, "s3://bucket/0/models/m-1/artifacts?x=y");
	check_text(t, model.model_type, "");
	check_text(t, model.source_run_id, RUN_1);
	assert_int_equal(model.status, LOGGED_MODEL_PENDING);
	assert_int_equal(model.creation_time_ms, 5);
	assert_int_equal(model.last_updated_time_ms, 5);
	assert_false(slice_is_present(model.status_message));
	assert_int_equal(model.tags.count, 2);
	check_text(t, model.tags.items[0].key, "a");
	check_text(t, model.tags.items[1].value, "last");
	assert_int_equal(model.params.count, 2);
	check_text(t, model.params.items[0].key, "depth");
	assert_int_equal(model.metrics.count, 0);
}

static void an_id_is_used_once(void **state)
{
	struct tracker_db *t = *state;
	add_model(t, "m-1");
	const struct logged_model_new new = {.model_id = SLICE("m-1"),
					     .experiment_location = SLICE("s3://b"),
					     .name = SLICE("n")};
	struct logged_model_pk pk;
	assert_false(logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
	assert_int_equal(t->err.code, ERR_RESOURCE_ALREADY_EXISTS);
}

static void finalizing_moves_status_and_time(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_pk pk = add_model(t, "m-1");
	for (int status = 0; status < LOGGED_MODEL_STATUS_COUNT; status++) {
		CHECK(t, logged_model_finalize_in_txn(t->db, pk, (enum logged_model_status)status,
						      10 + status, &t->err));
		struct logged_model model = load(t, "m-1");
		assert_int_equal(model.status, status);
		assert_int_equal(model.last_updated_time_ms, 10 + status);
		assert_int_equal(model.creation_time_ms, 5);
	}
}

static void an_unknown_status_reads_as_unspecified(void **state)
{
	(void)state;
	assert_int_equal(logged_model_status_from_text(SLICE("LOST")), LOGGED_MODEL_UNSPECIFIED);
	assert_true(slice_eq_cstr(logged_model_status_text(LOGGED_MODEL_FAILED), "FAILED"));
}

static void a_deleted_model_is_found_only_when_asked_for(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_pk pk = add_model(t, "m-1"), found;
	CHECK(t, logged_model_delete_in_txn(t->db, pk, 9, &t->err));
	bool ok = logged_model_find(t->db, SLICE("m-1"), false, &found, &t->err);
	tracker_db_check_error(t, ok, ERR_RESOURCE_DOES_NOT_EXIST,
			       "Logged model with ID 'm-1' not found.");
	CHECK(t, logged_model_find(t->db, SLICE("m-1"), true, &found, &t->err));
	assert_int_equal(found.value, pk.value);
	assert_true(load(t, "m-1").is_deleted);
	assert_int_equal(load(t, "m-1").last_updated_time_ms, 9);
}

static void tags_are_replaced_and_deleted(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_pk pk = add_model(t, "m-1");
	struct key_value tag = {SLICE("a"), SLICE("2")};
	CHECK(t, logged_model_tags_set_in_txn(t->db, pk, (struct key_value_list){&tag, 1},
					      &t->arena, &t->err));
	check_text(t, load(t, "m-1").tags.items[0].value, "2");
	bool deleted = false;
	CHECK(t, logged_model_tag_delete_in_txn(t->db, pk, SLICE("a"), &deleted, &t->err));
	assert_true(deleted);
	CHECK(t, logged_model_tag_delete_in_txn(t->db, pk, SLICE("a"), &deleted, &t->err));
	assert_false(deleted);
	assert_int_equal(load(t, "m-1").tags.count, 1);
}

static void params_never_change(void **state)
{
	struct tracker_db *t = *state;
	struct logged_model_pk pk = add_model(t, "m-1");
	struct key_value same[] = {{SLICE("lr"), SLICE("0.1")}, {SLICE("new"), SLICE("v")}};
	struct key_value other = {SLICE("lr"), SLICE("0.2")};
	CHECK(t, logged_model_params_log_in_txn(t->db, pk, (struct key_value_list){same, 2},
						&t->arena, &t->err));
	assert_int_equal(load(t, "m-1").params.count, 3);
	bool ok = logged_model_params_log_in_txn(t->db, pk, (struct key_value_list){&other, 1},
						 &t->arena, &t->err);
	tracker_db_check_error(t, ok, ERR_INVALID_PARAMETER_VALUE,
			       "Changing param values is not allowed. Param with key='lr' was "
			       "already logged with value='0.1'. Attempted logging new value "
			       "'0.2'.");
}

static void many_models_are_loaded_in_the_order_asked_for(void **state)
{
	struct tracker_db *t = *state;
	enum { COUNT = 1001 }; /* more than two pieces */
	static int64_t pks[COUNT];
	for (int i = 0; i < COUNT; i++) {
		struct slice id = arena_printf(&t->arena, "m-%d", i);
		pks[COUNT - 1 - i] = add_model(t, arena_cstr(&t->arena, id)).value;
	}
	struct logged_model *models = ARENA_NEW(&t->arena, struct logged_model, COUNT);
	CHECK(t, logged_models_load(t->db, pks, COUNT, &t->arena, models, &t->err));
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(models[i].pk.value, pks[i]);
		assert_int_equal(models[i].tags.count, 2);
		assert_int_equal(models[i].params.count, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_is_read_as_it_was_made),
		TEST(an_id_is_used_once),
		TEST(finalizing_moves_status_and_time),
		cmocka_unit_test(an_unknown_status_reads_as_unspecified),
		TEST(a_deleted_model_is_found_only_when_asked_for),
		TEST(tags_are_replaced_and_deleted),
		TEST(params_never_change),
		TEST(many_models_are_loaded_in_the_order_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
