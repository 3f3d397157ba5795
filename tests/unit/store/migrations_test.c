/* Migrations: versions, refusals, and scripts that fail halfway. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/migrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db_faulty.h"
#include "unit/store/tracker_db_helper.h"

#define SCRIPT(database, version, name, text)                                                      \
	{                                                                                          \
		database, version, name, text, text + sizeof(text) - 1                             \
	}

static const char script_a[] = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
static const char script_b[] = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;";
static const char script_broken[] = "INSERT INTO a (x) VALUES (2); INSERT INTO nowhere VALUES (1);";

static const struct schema_script scripts[] = {
	SCRIPT("artifacts", 1, "0001_other.sql", script_broken),
	SCRIPT("tracker", 1, "0001_a.sql", script_a),
	SCRIPT("tracker", 2, "0002_b.sql", script_b),
	SCRIPT("tracker", 3, "0003_broken.sql", script_broken),
};
enum { TO_VERSION_1 = 2, TO_VERSION_2 = 3, TO_BROKEN = 4 };

struct fixture {
	char path[64];
	struct db *db;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/trackerd-test-XXXXXX");
	int fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	const struct db_options options = {.mode = DB_READ_WRITE};
	assert_true(db_open(f->path, &options, &f->db, &f->err));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	db_close(f->db);
	assert_int_equal(unlink(f->path), 0);
	free(f);
	return 0;
}

static void exec(struct fixture *f, struct sql sql)
{
	if (!db_exec(f->db, sql, &f->err))
		fail_msg("%s: %s", sql.text, f->err.message);
}

static int version_of(struct fixture *f)
{
	int version = -1;
	if (!migrations_version(f->db, &version, &f->err))
		fail_msg("%s", f->err.message);
	return version;
}

static bool apply(struct fixture *f, unsigned count)
{
	return migrations_apply_scripts(f->db, "tracker", scripts, count, 42, &f->err);
}

static int64_t number(struct fixture *f, struct sql sql)
{
	struct db_statement *st = db_prepare(f->db, sql, &f->err);
	bool found = false;
	assert_non_null(st);
	assert_true(db_fetch_one(st, &found, &f->err));
	assert_true(found);
	int64_t value = db_column_i64(st, 0);
	db_reset(st);
	return value;
}

static void an_empty_file_gets_every_script_once(void **state)
{
	struct fixture *f = *state;
	assert_true(apply(f, TO_VERSION_2));
	assert_int_equal(version_of(f), 2);
	assert_int_equal(number(f, SQL("SELECT y FROM a")), 2);
	assert_true(apply(f, TO_VERSION_2));
	assert_int_equal(number(f, SQL("SELECT count(*) FROM a")), 1);
	assert_int_equal(
		number(f, SQL("SELECT count(*) FROM schema_migrations WHERE applied_ms = 42")), 2);
}

static void a_file_of_an_older_version_gets_the_rest(void **state)
{
	struct fixture *f = *state;
	assert_true(apply(f, TO_VERSION_1));
	assert_int_equal(version_of(f), 1);
	assert_true(apply(f, TO_VERSION_2));
	assert_int_equal(version_of(f), 2);
}

static void a_newer_schema_is_refused_naming_both_versions(void **state)
{
	struct fixture *f = *state;
	assert_true(apply(f, TO_VERSION_2));
	assert_false(apply(f, TO_VERSION_1));
	assert_int_equal(f->err.code, ERR_INVALID_STATE);
	assert_non_null(strstr(f->err.message, "version 2"));
	assert_non_null(strstr(f->err.message, "up to 1"));
	assert_int_equal(version_of(f), 2);
}

static void a_script_that_fails_leaves_the_version_before(void **state)
{
	struct fixture *f = *state;
	assert_true(apply(f, TO_VERSION_1));
	assert_false(apply(f, TO_BROKEN));
	assert_non_null(strstr(f->err.message, "0003_broken.sql"));
	assert_false(db_in_transaction(f->db));
	assert_int_equal(version_of(f), 1);
}

static void a_foreign_database_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	exec(f, SQL("CREATE TABLE recipes (title TEXT)"));
	assert_false(apply(f, TO_VERSION_2));
	assert_int_equal(f->err.code, ERR_INVALID_STATE);
	assert_non_null(strstr(f->err.message, "another program"));
	assert_int_equal(number(f, SQL("SELECT count(*) FROM sqlite_master")), 1);
}

static void an_empty_database_marked_by_another_program_is_refused(void **state)
{
	struct fixture *f = *state;
	exec(f, SQL("PRAGMA application_id = 77"));
	assert_false(apply(f, TO_VERSION_2));
	assert_non_null(strstr(f->err.message, "another program"));
}

static void the_other_database_of_ours_is_named(void **state)
{
	struct fixture *f = *state;
	assert_true(apply(f, TO_VERSION_2));
	assert_false(
		migrations_apply_scripts(f->db, "artifacts", scripts, TO_VERSION_2, 42, &f->err));
	assert_non_null(strstr(f->err.message, "tracker database, where its artifacts database"));
}

static void a_reader_can_check_without_writing(void **state)
{
	struct fixture *f = *state;
	const struct db_options reading = {.mode = DB_READ_ONLY};
	struct db *reader;
	assert_true(migrations_check(f->db, "tracker", &f->err)); /* empty: free to take */
	assert_int_equal(number(f, SQL("SELECT count(*) FROM sqlite_master")), 0);
	assert_true(migrations_apply(f->db, "tracker", &f->err));
	assert_true(db_open(f->path, &reading, &reader, &f->err));
	assert_true(migrations_check(reader, "tracker", &f->err));
	assert_false(migrations_check(reader, "artifacts", &f->err));
	assert_non_null(strstr(f->err.message, "tracker database, where its artifacts database"));
	exec(f, SQL("INSERT INTO schema_migrations SELECT max(version) + 1, 'next', 0 FROM "
		    "schema_migrations"));
	assert_false(migrations_check(reader, "tracker", &f->err));
	assert_non_null(strstr(f->err.message, "but this program knows versions up to"));
	exec(f, SQL("PRAGMA application_id = 77"));
	assert_false(migrations_check(reader, "tracker", &f->err));
	assert_non_null(strstr(f->err.message, "another program"));
	db_close(reader);
}

static void every_failing_call_leaves_a_whole_version(void **state)
{
	struct fixture *f = *state;
	bool fired = true;
	for (unsigned countdown = 1; fired; countdown++) {
		db_faulty_set(f->db, countdown, ERR_STORAGE_FULL);
		bool ok = apply(f, TO_VERSION_2);
		fired = db_faulty_fired(f->db);
		db_faulty_set(f->db, 0, ERR_NONE);
		assert_int_equal(ok, !fired);
		if (fired) {
			assert_int_equal(f->err.code, ERR_STORAGE_FULL);
			if (db_in_transaction(f->db))
				exec(f, SQL("ROLLBACK"));
		}
	}
	assert_int_equal(version_of(f), 2);
	assert_int_equal(number(f, SQL("SELECT y FROM a")), 2);
}

static void our_own_scripts_apply(void **state)
{
	struct fixture *f = *state;
	if (!migrations_apply(f->db, "tracker", &f->err))
		fail_msg("%s", f->err.message);
	assert_int_equal(version_of(f), migrations_version_known("tracker"));
	assert_true(version_of(f) >= 1);
}

/* Of name 1 everything is known, name 2 goes back in time, name 3 has a tail besides. */
static void compacted_curves_of_an_older_file_get_their_first_value(void **state)
{
	struct fixture *f = *state;
	unsigned before = 0;
	while (strstr(schema_scripts[before].name, "metric_first_value") == NULL) {
		before++;
		assert_true(before < schema_scripts_count);
	}
	assert_true(migrations_apply_scripts(f->db, "tracker", schema_scripts, before, 1, &f->err));
	exec(f, SQL("INSERT INTO experiments VALUES (5, 'e', '', 0, 0, 0)"));
	exec(f, SQL("INSERT INTO names VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
	exec(f,
	     SQL("INSERT INTO runs (run_pk, run_id, experiment_id, name, status, start_time_ms, "
		 "artifact_uri)"
		 " VALUES (1, 'r', 5, 'r', 'RUNNING', 0, ''), (2, 's', 5, 's', 'RUNNING', 0, '')"));
	exec(f, SQL("INSERT INTO metric_series (run_pk, name_pk, experiment_id, last_step, "
		    "last_timestamp_ms,"
		    " first_step, first_timestamp_ms, greatest_timestamp_ms, point_count) VALUES"
		    " (1, 1, 5, 9, 9, 2, 3, 9, 4), (1, 2, 5, 9, 9, 0, 3, 9, 4), (2, 3, 5, 9, 9, 2, "
		    "3, 9, 4)"));
	exec(f, SQL("INSERT INTO metric_chunks (run_pk, name_pk, last_timestamp_ms, last_step, seq,"
		    " first_timestamp_ms, first_step, first_value, least_step, greatest_step, "
		    "is_step_ordered,"
		    " point_count, nan_count, data) VALUES"
		    " (1, 1, 9, 9, 1, 5, 3, 0.5, 3, 9, 1, 2, 0, x'00'),"
		    " (1, 1, 4, 3, 0, 3, 2, 0.25, 2, 3, 1, 2, 0, x'00'),"
		    " (1, 2, 9, 9, 0, 3, 2, 0.25, 0, 9, 0, 4, 0, x'00'),"
		    " (2, 3, 9, 9, 0, 3, 2, 0.25, 2, 9, 1, 4, 0, x'00')"));
	exec(f,
	     SQL("INSERT INTO metric_tail_runs (run_pk, next_seq, row_count, point_count, is_due)"
		 " VALUES (1, 1, 0, 0, 0), (2, 1, 1, 1, 0)"));
	assert_true(migrations_apply(f->db, "tracker", &f->err));
	assert_int_equal(number(f, SQL("SELECT count(*) FROM metric_series WHERE name_pk = 1"
				       " AND first_value = 0.25 AND first_value_timestamp_ms = 3")),
			 1);
	assert_int_equal(
		number(f, SQL("SELECT count(*) FROM metric_series WHERE name_pk <> 1"
			      " AND first_value IS NULL AND first_value_timestamp_ms IS NULL")),
		2);
}

static void our_own_artifact_scripts_apply(void **state)
{
	struct fixture *f = *state;
	if (!migrations_apply(f->db, "artifacts", &f->err))
		fail_msg("%s", f->err.message);
	assert_int_equal(version_of(f), migrations_version_known("artifacts"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_gets_every_script_once),
		TEST(a_file_of_an_older_version_gets_the_rest),
		TEST(a_newer_schema_is_refused_naming_both_versions),
		TEST(a_script_that_fails_leaves_the_version_before),
		TEST(a_foreign_database_is_refused_and_left_alone),
		TEST(an_empty_database_marked_by_another_program_is_refused),
		TEST(the_other_database_of_ours_is_named),
		TEST(a_reader_can_check_without_writing),
		TEST(every_failing_call_leaves_a_whole_version),
		TEST(our_own_scripts_apply),
		TEST(compacted_curves_of_an_older_file_get_their_first_value),
		TEST(our_own_artifact_scripts_apply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
