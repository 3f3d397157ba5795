/* Tests opening of databases: settings, what readers may do, and files that cannot be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/db/db_helper.h"

static void write_file(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

static void expect_open_error(const char *path, enum db_mode mode, enum error_code code,
			      const char *part)
{
	struct db_options options = {.mode = mode, .busy_timeout_ms = 1};
	struct db *db = NULL;
	struct error err = {0};
	assert_false(db_open(path, &options, &db, &err));
	assert_null(db);
	if (err.code != code || strstr(err.message, part) == NULL ||
	    strstr(err.message, path) == NULL)
		fail_msg("%s: %s", error_code_name(err.code), err.message);
}

static void a_writer_has_its_settings(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	static const struct {
		struct sql pragma;
		int64_t value;
	} rows[] = {
		{{"PRAGMA synchronous"}, 2},
		{{"PRAGMA temp_store"}, 2},
		{{"PRAGMA foreign_keys"}, 1},
		{{"PRAGMA page_size"}, 4096},
		{{"PRAGMA cache_size"}, -2048},
		{{"PRAGMA wal_autocheckpoint"}, 0},
		{{"PRAGMA trusted_schema"}, 0},
		{{"PRAGMA busy_timeout"}, 5000},
		{{"PRAGMA query_only"}, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (query_i64(db, rows[i].pragma) != rows[i].value)
			fail_msg("%s", rows[i].pragma.text);
	}
	struct error err;
	bool found;
	struct db_statement *st = db_prepare(db, SQL("PRAGMA journal_mode"), &err);
	assert_non_null(st);
	assert_true(db_fetch_one(st, &found, &err) && found);
	assert_true(slice_eq_cstr(db_column_text(st, 0), "wal"));
	db_reset(st);
	db_close(db);
	db_close(NULL);
}

static void options_are_applied(void **state)
{
	const struct db_folder *folder = *state;
	struct db_options options = {.mode = DB_READ_WRITE,
				     .page_bytes = 65536,
				     .cache_bytes = 8 << 20,
				     .mmap_bytes = 1 << 20,
				     .busy_timeout_ms = 77};
	struct db *db;
	struct error err;
	assert_true(db_open(folder->file, &options, &db, &err));
	assert_int_equal(query_i64(db, SQL("PRAGMA page_size")), 65536);
	assert_int_equal(query_i64(db, SQL("PRAGMA cache_size")), -8192);
	assert_int_equal(query_i64(db, SQL("PRAGMA mmap_size")), 1 << 20);
	assert_int_equal(query_i64(db, SQL("PRAGMA busy_timeout")), 77);
	db_close(db);
	/* An existing file keeps its page size. */
	options.page_bytes = 4096;
	assert_true(db_open(folder->file, &options, &db, &err));
	assert_int_equal(query_i64(db, SQL("PRAGMA page_size")), 65536);
	db_close(db);
}

static void a_database_in_memory_can_be_opened(void **state)
{
	(void)state;
	struct db_options options = {.mode = DB_READ_WRITE};
	struct db *db;
	struct error err;
	assert_true(db_open(":memory:", &options, &db, &err));
	run_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (3)");
	assert_int_equal(query_i64(db, SQL("SELECT a FROM t")), 3);
	assert_true(db_checkpoint(db, &err));
	db_close(db);
}

static void readers_can_read_and_nothing_else(void **state)
{
	struct db *writer = db_folder_open(*state, DB_READ_WRITE);
	run_script(writer, "CREATE TABLE t (a INTEGER); CREATE INDEX i ON t (a);"
			   "INSERT INTO t VALUES (1), (2), (3)");
	struct db *reader = db_folder_open(*state, DB_READ_ONLY);
	struct error err;
	assert_int_equal(query_i64(reader, SQL("SELECT sum(a) FROM t")), 6);
	assert_int_equal(query_i64(reader, SQL("WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL "
					       "SELECT x + 1 FROM c WHERE x < 5) "
					       "SELECT sum(x) FROM c")), 15);
	assert_true(db_exec(reader, SQL("BEGIN"), &err));
	assert_true(db_exec(reader, SQL("SAVEPOINT s"), &err));
	assert_true(db_exec(reader, SQL("RELEASE s"), &err));
	assert_true(db_exec(reader, SQL("COMMIT"), &err));
	static const struct sql forbidden[] = {
		{"INSERT INTO t VALUES (4)"},
		{"UPDATE t SET a = 1"},
		{"DELETE FROM t"},
		{"CREATE TABLE u (a)"},
		{"CREATE TEMP TABLE u (a)"},
		{"DROP TABLE t"},
		{"ALTER TABLE t RENAME TO u"},
		{"CREATE INDEX j ON t (a)"},
		{"CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END"},
		{"ATTACH ':memory:' AS m"},
		{"VACUUM INTO '/tmp/trackerd-never-written'"},
		{"PRAGMA query_only = OFF"},
		{"PRAGMA page_count = 3"},
		{"PRAGMA application_id = 3"},
		{"PRAGMA writable_schema = ON"},
		{"PRAGMA journal_mode = DELETE"},
		{"REINDEX"},
		{"ANALYZE"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++) {
		if (db_exec(reader, forbidden[i], &err))
			fail_msg("a reader could %s", forbidden[i].text);
	}
	int64_t bytes = 0, free_bytes = -1;
	assert_true(db_size(reader, &bytes, &free_bytes, &err));
	assert_true(bytes >= 8192);
	assert_int_equal(query_i64(reader, SQL("PRAGMA application_id")), 0);
	assert_int_equal(query_i64(writer, SQL("SELECT sum(a) FROM t")), 6);
	db_close(reader);
	db_close(writer);
}

static void a_reader_keeps_reading_when_the_schema_changes(void **state)
{
	struct db *writer = db_folder_open(*state, DB_READ_WRITE);
	run_script(writer, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	struct db *reader = db_folder_open(*state, DB_READ_ONLY);
	struct error err;
	int64_t bytes, free_bytes;
	struct sql sum = SQL("SELECT sum(a) FROM t");
	assert_int_equal(query_i64(reader, sum), 1);
	assert_true(db_size(reader, &bytes, &free_bytes, &err));
	run_script(writer, "CREATE INDEX i ON t (a); ALTER TABLE t ADD COLUMN b");
	assert_int_equal(query_i64(reader, sum), 1);
	assert_true(db_size(reader, &bytes, &free_bytes, &err));
	db_close(reader);
	db_close(writer);
}

static void files_that_are_missing_are_named(void **state)
{
	const struct db_folder *folder = *state;
	char path[160];
	snprintf(path, sizeof(path), "%s/none/test.db", folder->path);
	expect_open_error(path, DB_READ_WRITE, ERR_NOT_FOUND, "its folder does not exist");
	expect_open_error(path, DB_READ_ONLY, ERR_NOT_FOUND, "its folder does not exist");
	expect_open_error(folder->file, DB_READ_ONLY, ERR_NOT_FOUND, "no such file");
	expect_open_error(folder->path, DB_READ_WRITE, ERR_INVALID_PARAMETER_VALUE, "it is a folder");
	expect_open_error(folder->path, DB_READ_ONLY, ERR_INVALID_PARAMETER_VALUE, "it is a folder");
}

static void files_that_are_something_else_are_refused(void **state)
{
	const struct db_folder *folder = *state;
	char text[10000];
	memset(text, 'x', sizeof(text));
	/* SQLite takes a file of one byte for an empty one. */
	static const size_t sizes[] = {2, 100, 511, 512, 4096, 10000};
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		write_file(folder->file, text, sizes[i]);
		expect_open_error(folder->file, DB_READ_WRITE, ERR_DATA_LOSS, "is not a database");
		expect_open_error(folder->file, DB_READ_ONLY, ERR_DATA_LOSS, "is not a database");
	}
}

static void an_empty_file_is_a_new_database(void **state)
{
	const struct db_folder *folder = *state;
	write_file(folder->file, "", 0);
	struct db *db = db_folder_open(folder, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a)");
	db_close(db);
}

/* Overwrites everything behind the header of a real database. */
static void a_damaged_database_is_told(void **state)
{
	const struct db_folder *folder = *state;
	struct db *db = db_folder_open(folder, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a); CREATE TABLE u (b)");
	db_close(db);
	char junk[8192 - 100];
	memset(junk, 0xA5, sizeof(junk));
	int file = open(folder->file, O_WRONLY);
	assert_true(file >= 0);
	assert_int_equal(pwrite(file, junk, sizeof(junk), 100), sizeof(junk));
	assert_int_equal(close(file), 0);
	expect_open_error(folder->file, DB_READ_WRITE, ERR_DATA_LOSS, "is damaged");
	expect_open_error(folder->file, DB_READ_ONLY, ERR_DATA_LOSS, "is damaged");
}

enum { NOBODY = 65534 };

static void a_file_without_permission_is_told(void **state)
{
	const struct db_folder *folder = *state;
	struct db *db = db_folder_open(folder, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a)");
	db_close(db);
	/* Nothing is forbidden to root: be someone else meanwhile. */
	bool was_root = geteuid() == 0;
	if (was_root) {
		assert_int_equal(chown(folder->path, NOBODY, NOBODY), 0);
		assert_int_equal(chown(folder->file, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_int_equal(chmod(folder->file, 0444), 0);
	expect_open_error(folder->file, DB_READ_WRITE, ERR_PERMISSION_DENIED, "permission denied");
	assert_int_equal(chmod(folder->file, 0), 0);
	expect_open_error(folder->file, DB_READ_WRITE, ERR_PERMISSION_DENIED, "permission denied");
	expect_open_error(folder->file, DB_READ_ONLY, ERR_PERMISSION_DENIED, "permission denied");
	assert_int_equal(unlink(folder->file), 0);
	assert_int_equal(chmod(folder->path, 0500), 0);
	expect_open_error(folder->file, DB_READ_WRITE, ERR_PERMISSION_DENIED, "permission denied");
	expect_open_error(folder->file, DB_READ_ONLY, ERR_NOT_FOUND, "no such file");
	assert_int_equal(chmod(folder->path, 0), 0);
	expect_open_error(folder->file, DB_READ_WRITE, ERR_PERMISSION_DENIED, "permission denied");
	assert_int_equal(chmod(folder->path, 0700), 0);
	if (was_root) {
		assert_int_equal(seteuid(0), 0);
		/* Changing the user forbids looking into the process, which leak checking needs. */
		assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
	}
}

static void a_database_that_is_locked_is_told(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	const struct db_folder *folder = *state;
	run_script(db, "PRAGMA journal_mode=DELETE; CREATE TABLE t (a); BEGIN EXCLUSIVE");
	expect_open_error(folder->file, DB_READ_WRITE, ERR_TEMPORARILY_UNAVAILABLE, "is in use");
	db_close(db);
}

static void the_version_is_the_library_s(void **state)
{
	(void)state;
	assert_memory_equal(db_driver_version(), "SQLite 3.", 9);
	assert_ptr_equal(db_driver_version(), db_driver_version());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, db_folder_set_up, db_folder_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_writer_has_its_settings),
		TEST(options_are_applied),
		TEST(a_database_in_memory_can_be_opened),
		TEST(readers_can_read_and_nothing_else),
		TEST(a_reader_keeps_reading_when_the_schema_changes),
		TEST(files_that_are_missing_are_named),
		TEST(files_that_are_something_else_are_refused),
		TEST(an_empty_file_is_a_new_database),
		TEST(a_damaged_database_is_told),
		TEST(a_file_without_permission_is_told),
		TEST(a_database_that_is_locked_is_told),
		TEST(the_version_is_the_library_s),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
