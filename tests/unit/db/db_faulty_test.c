/* Tests that injected faults fire at their call and stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/db_faulty.h"
#include "unit/db/db_helper.h"

/* What a store function does: a transaction with a script, a write, a read. */
static bool scenario(struct db *db, struct error *err)
{
	if (!db_exec(db, SQL("BEGIN IMMEDIATE"), err))
		return false;
	struct db_statement *st = db_prepare(db, SQL("INSERT INTO t (a) VALUES ($1)"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, 42);
	bool found = false;
	if (!db_run(st, err) ||
	    !db_exec_script(db, SLICE("UPDATE t SET a = a + 1; UPDATE t SET a = a - 1;"), err))
		return false;
	st = db_prepare(db, SQL("SELECT count(*) FROM t"), err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	db_reset(st);
	return db_exec(db, SQL("COMMIT"), err);
}

static void every_call_of_a_scenario_fails_once_and_changes_nothing(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct error err;
	run_script(db, "CREATE TABLE t (a INTEGER)");
	unsigned failures = 0;
	for (unsigned countdown = 1;; countdown++) {
		error_clear(&err);
		db_faulty_set(db, countdown, ERR_STORAGE_FULL);
		bool passed = scenario(db, &err);
		assert_int_equal(db_faulty_fired(db), !passed);
		if (passed)
			break;
		failures++;
		assert_int_equal(err.code, ERR_STORAGE_FULL);
		/* All later calls fail too, but going back works. */
		assert_false(db_exec(db, SQL("SELECT 1"), &err));
		if (db_in_transaction(db))
			assert_true(db_exec(db, SQL("ROLLBACK"), &err));
		db_faulty_set(db, 0, ERR_NONE);
		assert_int_equal(query_i64(db, SQL("SELECT count(*) FROM t")), 0);
	}
	/* At least one for each of the six statements. */
	assert_in_range(failures, 6, 20);
	db_faulty_set(db, 0, ERR_NONE);
	assert_int_equal(query_i64(db, SQL("SELECT count(*) FROM t")), 1);
	db_close(db);
}

static void checkpoints_fail_too(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct error err;
	db_faulty_set(db, 1, ERR_INTERNAL_ERROR);
	assert_false(db_checkpoint(db, &err));
	assert_int_equal(err.code, ERR_INTERNAL_ERROR);
	db_faulty_set(db, 0, ERR_NONE);
	assert_false(db_faulty_fired(db));
	assert_true(db_checkpoint(db, &err));
	db_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, db_folder_set_up, db_folder_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_call_of_a_scenario_fails_once_and_changes_nothing),
		TEST(checkpoints_fail_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
