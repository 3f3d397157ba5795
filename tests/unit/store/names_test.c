/* Names: one number each, for ever. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/names.h"

#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void a_name_keeps_its_number(void **state)
{
	struct tracker_db *t = *state;
	struct name_pk first, again, other, found_pk = {-1};
	bool found = false;
	CHECK(t, names_intern_in_txn(t->db, SLICE("loss"), &first, &t->err));
	CHECK(t, names_intern_in_txn(t->db, SLICE("Loss"), &other, &t->err));
	CHECK(t, names_intern_in_txn(t->db, SLICE("loss"), &again, &t->err));
	assert_int_equal(first.value, again.value);
	assert_int_not_equal(first.value, other.value);
	CHECK(t, names_find(t->db, SLICE("loss"), &found_pk, &found, &t->err));
	assert_true(found);
	assert_int_equal(found_pk.value, first.value);
}

static void a_name_nobody_used_is_not_found_and_not_made(void **state)
{
	struct tracker_db *t = *state;
	struct name_pk name_pk = {-1};
	bool found = true;
	CHECK(t, names_find(t->db, SLICE("nobody"), &name_pk, &found, &t->err));
	assert_false(found);
	assert_int_equal(name_pk.value, -1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM names")), 0);
}

static void a_name_of_a_rolled_back_transaction_is_gone(void **state)
{
	struct tracker_db *t = *state;
	struct name_pk name_pk;
	bool found = true;
	CHECK(t, names_intern_in_txn(t->db, SLICE("loss"), &name_pk, &t->err));
	tracker_db_rollback(t);
	CHECK(t, names_find(t->db, SLICE("loss"), &name_pk, &found, &t->err));
	assert_false(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_keeps_its_number),
		TEST(a_name_nobody_used_is_not_found_and_not_made),
		TEST(a_name_of_a_rolled_back_transaction_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
