/* Tags: upserted, deleted, and the run's name in step with its tag. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/tags.h"

#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void set(struct tracker_db *t, struct run_pk run_pk, const char *key, const char *value)
{
	struct key_value tag = {slice_from_cstr(key), slice_from_cstr(value)};
	CHECK(t, run_tags_set_in_txn(t->db, run_pk, (struct key_value_list){&tag, 1}, &t->arena,
				     &t->err));
}

static void a_run_tag_is_overwritten(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	set(t, run_pk, "k", "old");
	set(t, run_pk, "k", "");
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT value FROM run_tags JOIN names USING (name_pk)"
				       " WHERE name = 'k'")),
		"");
}

static void the_last_of_equal_keys_wins(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct key_value tags[] = {
		{SLICE("k"), SLICE("1")}, {SLICE("a"), SLICE("2")}, {SLICE("k"), SLICE("3")}};
	CHECK(t, run_tags_set_in_txn(t->db, run_pk, (struct key_value_list){tags, 3}, &t->arena,
				     &t->err));
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT value FROM run_tags JOIN names USING (name_pk)"
				       " WHERE name = 'k'")),
		"3");
}

static void the_name_tag_renames_the_run(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	set(t, run_pk, "mlflow.runName", "renamed");
	assert_string_equal(tracker_db_text(t, SQL("SELECT name FROM runs")), "renamed");
	set(t, run_pk, "mlflow.runName", "");
	assert_string_equal(tracker_db_text(t, SQL("SELECT name FROM runs")), "renamed");
	assert_string_equal(tracker_db_text(t, SQL("SELECT value FROM run_tags")), "renamed");
}

static void deleting_says_whether_there_was_one(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct run_pk other_pk = tracker_db_add_run(t, RUN_2, 0);
	bool deleted = true;
	CHECK(t, run_tag_delete_in_txn(t->db, run_pk, SLICE("k"), &deleted, &t->err));
	assert_false(deleted);
	set(t, run_pk, "k", "v");
	CHECK(t, run_tag_delete_in_txn(t->db, other_pk, SLICE("k"), &deleted, &t->err));
	assert_false(deleted);
	CHECK(t, run_tag_delete_in_txn(t->db, run_pk, SLICE("k"), &deleted, &t->err));
	assert_true(deleted);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM run_tags")), 2);
}

static void a_run_tag_is_found_by_its_key(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct run_pk other_pk = tracker_db_add_run(t, RUN_2, 0);
	struct slice value;
	set(t, run_pk, "k", "v");
	CHECK(t, run_tag_find(t->db, run_pk, SLICE("k"), &t->arena, &value, &t->err));
	assert_true(slice_eq_cstr(value, "v"));
	CHECK(t, run_tag_find(t->db, other_pk, SLICE("k"), &t->arena, &value, &t->err));
	assert_false(slice_is_present(value));
	CHECK(t, run_tag_find(t->db, run_pk, SLICE("never"), &t->arena, &value, &t->err));
	assert_false(slice_is_present(value));
}

static void experiment_tags_are_overwritten_and_deleted(void **state)
{
	struct tracker_db *t = *state;
	struct key_value tags[] = {
		{SLICE("k"), SLICE("1")}, {SLICE("j"), SLICE("2")}, {SLICE("k"), SLICE("3")}};
	CHECK(t, experiment_tags_set_in_txn(t->db, 0, (struct key_value_list){tags, 3}, &t->arena,
					    &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM experiment_tags")), 2);
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT value FROM experiment_tags WHERE key = 'k'")), "3");
	bool deleted = false;
	CHECK(t, experiment_tag_delete_in_txn(t->db, 0, SLICE("k"), &deleted, &t->err));
	assert_true(deleted);
	CHECK(t, experiment_tag_delete_in_txn(t->db, 0, SLICE("k"), &deleted, &t->err));
	assert_false(deleted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_tag_is_overwritten),
		TEST(the_last_of_equal_keys_wins),
		TEST(the_name_tag_renames_the_run),
		TEST(deleting_says_whether_there_was_one),
		TEST(a_run_tag_is_found_by_its_key),
		TEST(experiment_tags_are_overwritten_and_deleted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
