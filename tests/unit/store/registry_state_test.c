/* A model at a moment: which events count, and which are over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/registry_state.h"

#include "json/json_reader.h"
#include "unit/store/registry_world_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

/* "name description [tags] | v1 stage [tags] {aliases} | …"; "-" when it is not there. */
static const char *state_at(struct tracker_db *t, int64_t model_seq, int64_t seq)
{
	struct registry_state state;
	bool found = false;
	CHECK(t, registry_state_load(t->db, model_seq, seq, &t->arena, &state, &found, &t->err));
	if (!found)
		return "-";
	struct slice text = arena_printf(&t->arena, "%.*s %.*s", SLICE_FMT(state.model.name),
					 SLICE_FMT(state.model.description));
	for (size_t i = 0; i < state.versions.count; i++) {
		const struct model_version *v = &state.versions.items[i];
		text = arena_printf(&t->arena, "%.*s | v%lld %.*s", SLICE_FMT(text),
				    (long long)v->version, SLICE_FMT(v->stage));
		for (size_t k = 0; k < v->tags.count; k++)
			text = arena_printf(&t->arena, "%.*s %.*s=%.*s", SLICE_FMT(text),
					    SLICE_FMT(v->tags.items[k].key),
					    SLICE_FMT(v->tags.items[k].value));
		for (size_t k = 0; k < v->aliases.count; k++)
			text = arena_printf(&t->arena, "%.*s @%.*s", SLICE_FMT(text),
					    SLICE_FMT(v->aliases.items[k].alias));
	}
	return arena_cstr(&t->arena, text);
}

static void each_moment_has_what_was_there(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 10);				   /* 1 */
	(void)world_add_version(t, a, "a", 20);						   /* 2 */
	(void)world_add_version(t, a, "a", 30);						   /* 3 */
	(void)world_move_alias(t, a, "a", "x", 1, 40);					   /* 4 */
	(void)world_record(t, REGISTRY_VERSION_TAG_SET, a, "a", 1, "a", "value", "1", 50); /* 5 */
	(void)world_record(t, REGISTRY_VERSION_TAG_SET, a, "a", 1, "z", "value", "2", 60); /* 6 */
	(void)world_record(t, REGISTRY_VERSION_TAG_DELETED, a, "a", 1, "k", "value", NULL,
			   70); /* 7 */
	(void)world_record(t, REGISTRY_VERSION_STAGE_MOVED, a, "a", 2, "", "stage", "S",
			   80);								/* 8 */
	(void)world_move_alias(t, a, "a", "x", 2, 90);					/* 9 */
	(void)world_record(t, REGISTRY_MODEL_RENAMED, a, "b", 0, "", "name", "b", 100); /* 10 */
	(void)world_record(t, REGISTRY_VERSION_DELETED, a, "b", 1, "", "", NULL, 110);	/* 11 */
	(void)world_move_alias(t, a, "b", "x", 0, 120);					/* 12 */
	(void)world_record(t, REGISTRY_MODEL_DELETED, a, "b", 0, "", "", NULL, 130);	/* 13 */
	static const char *const moments[] = {
		"-",
		"a what it is",
		"a what it is | v1 None k=v",
		"a what it is | v1 None k=v | v2 None k=v",
		"a what it is | v1 None k=v @x | v2 None k=v",
		"a what it is | v1 None a=1 k=v @x | v2 None k=v",
		"a what it is | v1 None a=1 k=v z=2 @x | v2 None k=v",
		"a what it is | v1 None a=1 z=2 @x | v2 None k=v",
		"a what it is | v1 None a=1 z=2 @x | v2 S k=v",
		"a what it is | v1 None a=1 z=2 | v2 S k=v @x",
		"b what it is | v1 None a=1 z=2 | v2 S k=v @x",
		"b what it is | v2 S k=v @x",
		"b what it is | v2 S k=v",
		"-",
	};
	for (size_t i = 0; i < ARRAY_COUNT(moments); i++)
		assert_string_equal(state_at(t, 1, (int64_t)i), moments[i]);
	assert_string_equal(state_at(t, 1, INT64_MAX), "-");
	assert_string_equal(state_at(t, 99, INT64_MAX), "-");
}

static void parts_of_an_earlier_life_are_over(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 1);
	(void)world_add_version(t, a, "a", 1);
	(void)world_record(t, REGISTRY_VERSION_TAG_SET, a, "a", 1, "old", "value", "1", 1);
	(void)world_record(t, REGISTRY_VERSION_STAGE_MOVED, a, "a", 1, "", "stage", "S", 1);
	(void)world_record(t, REGISTRY_VERSION_DELETED, a, "a", 1, "", "", NULL, 1);
	const struct registry_change anew = {
		.kind = REGISTRY_VERSION_CREATED,
		.model_pk = a,
		.model = SLICE("a"),
		.version = 1,
		.after = SLICE("{\"stage\":\"N\",\"creation_time_ms\":5,\"tags\":[]}"),
	};
	int64_t seq = 0;
	CHECK(t, registry_record_in_txn(t->db, &anew, &seq, &t->err));
	assert_string_equal(state_at(t, 1, seq), "a what it is | v1 N");
	assert_string_equal(state_at(t, 1, seq - 2), "a what it is | v1 S k=v old=1");
}

static void a_deleted_version_is_found_as_it_was(void **state)
{
	struct tracker_db *t = *state;
	struct model_version version;
	int64_t life_seq = -1;
	bool found = true;
	struct model_pk a = world_add_model(t, "a", 1);
	(void)world_add_version(t, a, "a", 1);
	(void)world_record(t, REGISTRY_VERSION_STAGE_MOVED, a, "a", 1, "", "stage", "S", 1);
	int64_t gone = world_record(t, REGISTRY_VERSION_DELETED, a, "a", 1, "", "", NULL, 1);
	CHECK(t, registry_version_load(t->db, 1, 1, INT64_MAX, &t->arena, &version, &life_seq,
				       &found, &t->err));
	assert_false(found);
	assert_int_equal(life_seq, gone);
	CHECK(t, registry_version_load(t->db, 1, 1, gone - 1, &t->arena, &version, &life_seq,
				       &found, &t->err));
	assert_true(found);
	assert_int_equal(life_seq, 2);
	assert_true(slice_eq_cstr(version.stage, "S") && slice_eq_cstr(version.source, "s3://b"));
	CHECK(t, registry_version_load(t->db, 1, 7, INT64_MAX, &t->arena, &version, &life_seq,
				       &found, &t->err));
	assert_false(found);
	assert_int_equal(life_seq, 0);
}

static void a_time_is_the_last_event_up_to_it(void **state)
{
	static const int64_t times[] = {10, 20, 20, 20, 30};
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", times[0]);
	int64_t seq = -1;
	for (size_t i = 1; i < ARRAY_COUNT(times); i++)
		(void)world_add_version(t, a, "a", times[i]);
	static const int64_t rows[][2] = {{0, 0},  {9, 0},  {10, 1}, {11, 1},	     {19, 1},
					  {20, 4}, {29, 4}, {30, 5}, {INT64_MAX, 5}, {-5, 0}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		CHECK(t, registry_seq_at(t->db, rows[i][0], &seq, &t->err));
		assert_int_equal(seq, rows[i][1]);
	}
	int64_t time_ms = 0;
	CHECK(t, registry_time_of(t->db, 5, &time_ms, &t->err));
	assert_int_equal(time_ms, 30);
	bool ok = registry_time_of(t->db, 6, &time_ms, &t->err);
	tracker_db_check_error(t, ok, ERR_RESOURCE_DOES_NOT_EXIST,
			       "The registry's history has no event 6.");
}

static void a_name_is_that_of_its_last_holder(void **state)
{
	struct tracker_db *t = *state;
	int64_t model_seq = -1;
	struct model_pk first = world_add_model(t, "a", 1);				  /* 1 */
	(void)world_record(t, REGISTRY_MODEL_RENAMED, first, "b", 0, "", "name", "b", 1); /* 2 */
	(void)world_add_model(t, "c", 1);						  /* 3 */
	static const struct {
		const char *name;
		int64_t seq, model_seq;
	} rows[] = {{"a", 0, 0}, {"a", 1, 1}, {"a", 9, 1}, {"b", 1, 0},
		    {"b", 2, 1}, {"c", 9, 3}, {"d", 9, 0}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		CHECK(t, registry_find_named(t->db, slice_from_cstr(rows[i].name), rows[i].seq,
					     &model_seq, &t->err));
		assert_int_equal(model_seq, rows[i].model_seq);
	}
	bool ok = registry_find_model(t->db, SLICE("d"), &model_seq, &t->err);
	tracker_db_check_error(t, ok, ERR_RESOURCE_DOES_NOT_EXIST,
			       "No registered model was ever called 'd'.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_moment_has_what_was_there),	    TEST(parts_of_an_earlier_life_are_over),
		TEST(a_deleted_version_is_found_as_it_was), TEST(a_time_is_the_last_event_up_to_it),
		TEST(a_name_is_that_of_its_last_holder),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
