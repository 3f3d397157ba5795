/* Parameters: written once, and the sentences that say which value was there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/params.h"

#include <string.h>

#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static bool log_one(struct tracker_db *t, struct run_pk run_pk, const char *key, const char *value)
{
	const struct key_value param = {slice_from_cstr(key), slice_from_cstr(value)};
	return param_log_in_txn(t->db, run_pk, SLICE("r1"), &param, &t->arena, &t->err);
}

static void the_same_value_again_is_fine(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, log_one(t, run_pk, "k", "a"));
	CHECK(t, log_one(t, run_pk, "k", "a"));
	CHECK(t, log_one(t, run_pk, "empty", ""));
	CHECK(t, log_one(t, run_pk, "empty", ""));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM params")), 2);
}

static void another_value_is_refused_with_both(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, log_one(t, run_pk, "k", "a"));
	tracker_db_check_error(
		t, log_one(t, run_pk, "k", "b"), ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Param with key='k' was already logged with"
		" value='a' for run ID='r1'. Attempted logging new value 'b'.");
	tracker_db_check_error(
		t, log_one(t, run_pk, "k", ""), ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Param with key='k' was already logged with"
		" value='a' for run ID='r1'. Attempted logging new value ''.");
	assert_string_equal(tracker_db_text(t, SQL("SELECT value FROM params")), "a");
}

static void an_empty_old_value_is_a_value(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, log_one(t, run_pk, "k", ""));
	tracker_db_check_error(
		t, log_one(t, run_pk, "k", "b"), ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Param with key='k' was already logged with"
		" value='' for run ID='r1'. Attempted logging new value 'b'.");
}

static void runs_do_not_share_parameters(void **state)
{
	struct tracker_db *t = *state;
	CHECK(t, log_one(t, tracker_db_add_run(t, RUN_1, 0), "k", "a"));
	CHECK(t, log_one(t, tracker_db_add_run(t, RUN_2, 0), "k", "b"));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM params")), 2);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM names WHERE name = 'k'")),
			 1);
}

static void a_batch_lists_all_that_would_change(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, log_one(t, run_pk, "a", "1"));
	CHECK(t, log_one(t, run_pk, "b", "2"));
	CHECK(t, log_one(t, run_pk, "c", "3"));
	struct key_value params[] = {
		{SLICE("a"), SLICE("x")}, {SLICE("b"), SLICE("2")}, {SLICE("c"), SLICE("y")}};
	bool ok = params_log_in_txn(t->db, run_pk, SLICE("r1"), (struct key_value_list){params, 3},
				    &t->arena, &t->err);
	tracker_db_check_error(
		t, ok, ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Params were already logged='[{'key': 'a',"
		" 'old_value': '1', 'new_value': 'x'}, {'key': 'c', 'old_value': '3',"
		" 'new_value': 'y'}]' for run ID='r1'.");
}

static void a_long_list_ends_with_an_ellipsis_and_the_run(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	static char value[6001];
	memset(value, 'v', sizeof(value) - 1);
	struct key_value params[26];
	char keys[26][2];
	for (int i = 0; i < 26; i++) {
		keys[i][0] = (char)('a' + i);
		keys[i][1] = '\0';
		CHECK(t, log_one(t, run_pk, keys[i], value));
		params[i] = (struct key_value){slice_from_cstr(keys[i]), SLICE("new")};
	}
	assert_false(params_log_in_txn(t->db, run_pk, SLICE("r1"),
				       (struct key_value_list){params, 26}, &t->arena, &t->err));
	assert_non_null(strstr(t->err.message, ", …]' for run ID='r1'."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_value_again_is_fine),
		TEST(another_value_is_refused_with_both),
		TEST(an_empty_old_value_is_a_value),
		TEST(runs_do_not_share_parameters),
		TEST(a_batch_lists_all_that_would_change),
		TEST(a_long_list_ends_with_an_ellipsis_and_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
