/* Owns the databases of tests of the store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/store/tracker_db_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/experiments.h"
#include "store/migrations.h"
#include "store/runs.h"

int tracker_db_setup(void **state)
{
	struct tracker_db *t = calloc(1, sizeof(*t));
	assert_non_null(t);
	(void)snprintf(t->directory, sizeof(t->directory), "/tmp/trackerd-test-XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	(void)snprintf(t->path, sizeof(t->path), "%s/tracker.db", t->directory);
	arena_init(&t->arena, (size_t)256 << 20);
	const struct db_options options = {.mode = DB_READ_WRITE};
	CHECK(t, db_open(t->path, &options, &t->db, &t->err));
	CHECK(t, migrations_apply(t->db, "tracker", &t->err));
	CHECK(t, experiment_seed_default(t->db, SLICE("mlflow-artifacts:/"), TRACKER_DB_NOW_MS,
					 &t->arena, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
	*state = t;
	return 0;
}

int tracker_db_teardown(void **state)
{
	struct tracker_db *t = *state;
	db_close(t->db);
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s%s", t->path, suffixes[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(t->directory), 0);
	arena_deinit(&t->arena);
	free(t);
	return 0;
}

void tracker_db_commit(struct tracker_db *t)
{
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
}

void tracker_db_rollback(struct tracker_db *t)
{
	db_reset_all(t->db);
	if (db_in_transaction(t->db))
		CHECK(t, db_exec(t->db, SQL("ROLLBACK"), &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
}

void tracker_db_check(const struct tracker_db *t, bool ok, const char *what)
{
	if (!ok)
		fail_msg("%s: %s: %s", what, error_code_name(t->err.code), t->err.message);
}

void tracker_db_check_error(const struct tracker_db *t, bool ok, enum error_code code,
			    const char *message)
{
	assert_false(ok);
	assert_string_equal(t->err.message, message);
	assert_string_equal(error_code_name(t->err.code), error_code_name(code));
}

struct run_pk tracker_db_add_run(struct tracker_db *t, const char *run_id, int64_t experiment_id)
{
	const struct run_new new = {
		.run_id = slice_from_cstr(run_id),
		.experiment_id = experiment_id,
		.experiment_location = SLICE("mlflow-artifacts:/0"),
		.name = SLICE("a name"),
		.user_id = SLICE("ada"),
		.start_time_ms = TRACKER_DB_NOW_MS,
	};
	struct run_pk run_pk = {0};
	CHECK(t, run_insert_in_txn(t->db, &new, &t->arena, &run_pk, &t->err));
	return run_pk;
}

int64_t tracker_db_number(struct tracker_db *t, struct sql sql)
{
	struct db_statement *st = db_prepare(t->db, sql, &t->err);
	tracker_db_check(t, st != NULL, sql.text);
	bool found = false;
	CHECK(t, db_fetch_one(st, &found, &t->err));
	assert_true(found);
	int64_t number = db_column_i64(st, 0);
	db_reset(st);
	return number;
}

const char *tracker_db_text(struct tracker_db *t, struct sql sql)
{
	struct db_statement *st = db_prepare(t->db, sql, &t->err);
	tracker_db_check(t, st != NULL, sql.text);
	bool found = false;
	CHECK(t, db_fetch_one(st, &found, &t->err));
	assert_true(found);
	const char *text = arena_cstr(&t->arena, db_column_text(st, 0));
	db_reset(st);
	return text;
}
