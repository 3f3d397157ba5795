/* Tests statements: cache, binding, columns, transactions, what failures mean, deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/sql_builder.h"
#include "support/death.h"
#include "unit/db/db_helper.h"

static struct error err;

static struct db_statement *prepare(struct db *db, struct sql sql)
{
	struct db_statement *st = db_prepare(db, sql, &err);
	if (st == NULL)
		fail_msg("%s: %s", sql.text, err.message);
	return st;
}

static void values_come_back_as_they_were_bound(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	bool found = false;
	struct db_statement *st = prepare(db, SQL("SELECT $1, $2, $3, $4, $5, $6, $7, $8"));
	db_bind_i64(st, 1, INT64_MIN);
	db_bind_double(st, 2, 5e-324);
	db_bind_text(st, 3, SLICE("a\0b\xC3\xA4"));
	db_bind_text(st, 4, SLICE(""));
	db_bind_text(st, 5, (struct slice){NULL, 0});
	db_bind_blob(st, 6, SLICE("\0\xFF"));
	db_bind_blob(st, 7, (struct slice){NULL, 0});
	db_bind_double(st, 8, (double)NAN);
	assert_true(db_fetch_one(st, &found, &err) && found);
	assert_true(db_column_i64(st, 0) == INT64_MIN);
	assert_true(db_column_double(st, 1) == 5e-324);
	assert_true(slice_eq(db_column_text(st, 2), SLICE("a\0b\xC3\xA4")));
	assert_true(slice_is_present(db_column_text(st, 3)));
	assert_int_equal(db_column_text(st, 3).len, 0);
	assert_false(slice_is_present(db_column_text(st, 4)));
	assert_true(slice_eq(db_column_blob(st, 5), SLICE("\0\xFF")));
	assert_false(slice_is_present(db_column_blob(st, 6)));
	assert_true(db_column_is_null(st, 6));
	assert_true(db_column_is_null(st, 7)); /* SQLite has no NaN */
	struct arena arena;
	arena_init(&arena, 1000);
	struct slice copy = db_column_copy(st, 2, &arena);
	db_reset(st);
	assert_true(slice_eq(copy, SLICE("a\0b\xC3\xA4")));
	arena_deinit(&arena);
	db_close(db);
}

static void parameters_are_bound_by_name_wherever_they_stand(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	bool found = false;
	struct db_statement *st = prepare(db, SQL("SELECT $3 - $1, $2, $1 || $3"));
	db_bind_i64(st, 1, 1);
	db_bind_i64(st, 2, 20);
	db_bind_i64(st, 3, 300);
	assert_true(db_fetch_one(st, &found, &err) && found);
	assert_int_equal(db_column_i64(st, 0), 299);
	assert_int_equal(db_column_i64(st, 1), 20);
	assert_true(slice_eq_cstr(db_column_text(st, 2), "1300"));
	db_reset(st);
	db_close(db);
}

static void one_literal_is_one_statement_and_comes_back_unbound(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct sql sql = SQL("SELECT $1");
	bool found = false;
	struct db_statement *first = prepare(db, sql);
	db_bind_i64(first, 1, 7);
	/* Bound but never stepped: a caller that gave up in between. */
	assert_ptr_equal(prepare(db, sql), first);
	assert_true(db_fetch_one(first, &found, &err) && found);
	assert_true(db_column_is_null(first, 0));
	db_reset(first);
	db_close(db);
}

/* More statements than the first table of the cache holds, each found again. */
static void the_cache_grows(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	static char texts[500][24];
	struct db_statement *statements[500];
	for (size_t i = 0; i < 500; i++) {
		snprintf(texts[i], sizeof(texts[i]), "SELECT %zu", i);
		statements[i] = prepare(db, (struct sql){texts[i]});
	}
	for (size_t i = 0; i < 500; i++) {
		assert_ptr_equal(prepare(db, (struct sql){texts[i]}), statements[i]);
		assert_int_equal(query_i64(db, (struct sql){texts[i]}), i);
	}
	db_close(db);
}

enum mistake {
	PREPARED_WHILE_IN_USE,
	TWO_STATEMENTS,
	NO_STATEMENT,
	NO_SUCH_PARAMETER,
	PARAMETER_ZERO,
	BOUND_WHILE_RUNNING,
	NO_SUCH_COLUMN,
	COLUMN_BEFORE_STEP,
	MISTAKES
};

struct mistake_case {
	struct db *db;
	enum mistake mistake;
};

static void make_mistake(void *argument)
{
	static const struct sql texts[MISTAKES] = {
		[PREPARED_WHILE_IN_USE] = {"SELECT $1"}, [TWO_STATEMENTS] = {"SELECT 1; SELECT 2"},
		[NO_STATEMENT] = {" -- nothing"},        [NO_SUCH_PARAMETER] = {"SELECT $1"},
		[PARAMETER_ZERO] = {"SELECT $1"},        [BOUND_WHILE_RUNNING] = {"SELECT $1"},
		[NO_SUCH_COLUMN] = {"SELECT $1"},        [COLUMN_BEFORE_STEP] = {"SELECT $1"},
	};
	const struct mistake_case *c = argument;
	bool found;
	struct db_statement *st = db_prepare(c->db, texts[c->mistake], &err);
	if (st == NULL)
		return;
	if (c->mistake == NO_SUCH_PARAMETER || c->mistake == PARAMETER_ZERO)
		db_bind_i64(st, c->mistake == PARAMETER_ZERO ? 0 : 2, 1);
	if (c->mistake == COLUMN_BEFORE_STEP)
		(void)db_column_text(st, 0);
	if (!db_fetch_one(st, &found, &err))
		return;
	if (c->mistake == PREPARED_WHILE_IN_USE && db_prepare(c->db, texts[c->mistake], &err) == NULL)
		return;
	if (c->mistake == BOUND_WHILE_RUNNING)
		db_bind_i64(st, 1, 2);
	if (c->mistake == NO_SUCH_COLUMN)
		(void)db_column_text(st, 1);
}

static void our_own_mistakes_assert(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	for (int i = 0; i < MISTAKES; i++) {
		struct mistake_case c = {db, (enum mistake)i};
		if (!dies_of_assertion(make_mistake, &c))
			fail_msg("mistake %d did not assert", i);
	}
	db_close(db);
}

static void rows_are_stepped_to_their_end(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);"
		       "-- a comment\n;;"
		       "INSERT INTO t VALUES (1,'x'), (2,'y'), (3,'z');  ");
	assert_int_equal(db_changes(db), 3);
	struct sql all = SQL("SELECT a FROM t ORDER BY a");
	struct db_statement *st = prepare(db, all);
	int64_t expected = 1;
	enum db_row row;
	while ((row = db_step(st, &err)) == DB_ROW)
		assert_int_equal(db_column_i64(st, 0), expected++);
	assert_int_equal(row, DB_DONE);
	assert_int_equal(expected, 4);
	assert_ptr_equal(prepare(db, all), st); /* done is reset */
	bool found = true;
	st = prepare(db, SQL("SELECT 1 WHERE 0"));
	assert_true(db_fetch_one(st, &found, &err));
	assert_false(found);
	st = prepare(db, SQL("INSERT INTO t (b) VALUES ('w'), ('v') RETURNING a"));
	assert_true(db_run(st, &err));
	assert_int_equal(db_changes(db), 2);
	st = prepare(db, SQL("UPDATE t SET b = 'u' WHERE a > $1"));
	db_bind_i64(st, 1, 3);
	assert_true(db_run(st, &err));
	assert_int_equal(db_changes(db), 2);
	db_reset(NULL);
	db_close(db);
}

static void reset_all_ends_every_use(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct arena arena;
	struct sql_builder b;
	arena_init(&arena, 1 << 20);
	bool found;
	struct sql one = SQL("SELECT 1 UNION SELECT 2");
	for (int round = 0; round < 3; round++) {
		struct db_statement *st = prepare(db, one);
		assert_true(db_fetch_one(st, &found, &err) && found);
		for (int i = 0; i < 3; i++) {
			sql_builder_init(&b, &arena);
			sql_text(&b, SQL("SELECT 1 UNION SELECT "));
			sql_value_i64(&b, i);
			st = db_prepare_built(db, &b, &err);
			assert_non_null(st);
			assert_true(db_fetch_one(st, &found, &err) && found);
		}
		db_reset_all(db);
	}
	arena_deinit(&arena);
	db_close(db);
}

static void closing_ends_statements_and_rolls_back(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct arena arena;
	struct sql_builder b;
	bool found;
	run_script(db, "CREATE TABLE t (a)");
	assert_true(db_exec(db, SQL("BEGIN IMMEDIATE"), &err));
	assert_true(db_exec(db, SQL("INSERT INTO t VALUES (1)"), &err));
	assert_true(db_in_transaction(db));
	assert_true(db_fetch_one(prepare(db, SQL("SELECT a FROM t")), &found, &err) && found);
	arena_init(&arena, 1 << 16);
	sql_builder_init(&b, &arena);
	sql_text(&b, SQL("SELECT a FROM t"));
	assert_true(db_fetch_one(db_prepare_built(db, &b, &err), &found, &err) && found);
	db_close(db);
	arena_deinit(&arena);
	db = db_folder_open(*state, DB_READ_WRITE);
	assert_false(db_in_transaction(db));
	assert_int_equal(query_i64(db, SQL("SELECT count(*) FROM t")), 0);
	db_close(db);
}

static void failures_are_classified(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	run_script(db, "CREATE TABLE p (a INTEGER PRIMARY KEY, u TEXT UNIQUE, n TEXT NOT NULL,"
		       " k INTEGER CHECK (k > 0)) ;"
		       "CREATE TABLE w (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;"
		       "CREATE TABLE c (p INTEGER REFERENCES p (a));"
		       "INSERT INTO p VALUES (1, 'x', 'n', 1); INSERT INTO w VALUES ('a', 'b');");
	static const struct {
		struct sql sql;
		enum error_code code;
	} rows[] = {
		{{"INSERT INTO p VALUES (1, 'y', 'n', 1)"}, ERR_RESOURCE_ALREADY_EXISTS},
		{{"INSERT INTO p VALUES (2, 'x', 'n', 1)"}, ERR_RESOURCE_ALREADY_EXISTS},
		{{"INSERT INTO w VALUES ('a', 'b')"}, ERR_RESOURCE_ALREADY_EXISTS},
		{{"INSERT INTO p VALUES (2, 'y', NULL, 1)"}, ERR_INTERNAL_ERROR},
		{{"INSERT INTO p VALUES (2, 'y', 'n', 0)"}, ERR_INTERNAL_ERROR},
		{{"INSERT INTO c VALUES (77)"}, ERR_INTERNAL_ERROR},
		{{"INSERT INTO none VALUES (1)"}, ERR_INTERNAL_ERROR},
		{{"SELEC 1"}, ERR_INTERNAL_ERROR},
		{{"SELECT \"no such column\""}, ERR_INTERNAL_ERROR},
		{{"COMMIT"}, ERR_INTERNAL_ERROR},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		error_clear(&err);
		assert_false(db_exec(db, rows[i].sql, &err));
		if (err.code != rows[i].code)
			fail_msg("%s: %s", rows[i].sql.text, error_code_name(err.code));
		/* Sentences for peers show no SQL. */
		assert_null(strstr(err.message, "p."));
		assert_null(strstr(err.message, "none"));
		/* A statement that failed can be used again at once. */
		assert_false(db_exec(db, rows[i].sql, &err));
	}
	assert_false(db_exec_script(db, SLICE("INSERT INTO w VALUES ('c','d'); SELEC; "), &err));
	assert_int_equal(err.code, ERR_INTERNAL_ERROR);
	assert_int_equal(query_i64(db, SQL("SELECT count(*) FROM w")), 2);
	db_close(db);
}

static void a_second_writer_is_told_to_come_back(void **state)
{
	const struct db_folder *folder = *state;
	struct db *db = db_folder_open(folder, DB_READ_WRITE), *second;
	struct db_options options = {.mode = DB_READ_WRITE, .busy_timeout_ms = 1};
	run_script(db, "CREATE TABLE t (a)");
	assert_true(db_open(folder->file, &options, &second, &err));
	assert_true(db_exec(db, SQL("BEGIN IMMEDIATE"), &err));
	assert_false(db_exec(second, SQL("BEGIN IMMEDIATE"), &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	assert_true(db_exec(db, SQL("COMMIT"), &err));
	assert_true(db_exec(second, SQL("BEGIN IMMEDIATE"), &err));
	db_close(second);
	db_close(db);
}

/* A limit on pages fails as a full disk does. */
static void a_full_database_is_storage_full(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a); PRAGMA max_page_count = 4;");
	assert_true(db_exec(db, SQL("BEGIN IMMEDIATE"), &err));
	assert_true(db_exec(db, SQL("INSERT INTO t VALUES (1)"), &err));
	assert_false(db_exec(db, SQL("INSERT INTO t VALUES (zeroblob(100000))"), &err));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
	if (db_in_transaction(db))
		assert_true(db_exec(db, SQL("ROLLBACK"), &err));
	assert_int_equal(query_i64(db, SQL("SELECT count(*) FROM t")), 0);
	db_close(db);
}

/* Damages a page that opening does not read. */
static void a_damaged_page_is_data_loss(void **state)
{
	const struct db_folder *folder = *state;
	struct db *db = db_folder_open(folder, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	db_close(db);
	FILE *file = fopen(folder->file, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(fputc(0xA5, file), 0xA5);
	assert_int_equal(fclose(file), 0);
	db = db_folder_open(folder, DB_READ_WRITE);
	assert_false(db_exec(db, SQL("SELECT count(*) FROM t"), &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	db_close(db);
}

static const struct sql endless = {"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
				   " SELECT count(*) FROM c"};

static void a_deadline_ends_a_long_query(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	int64_t start = clock_monotonic_ns(clock_system());
	db_deadline_set(db, start + 20 * 1000000);
	assert_false(db_exec(db, endless, &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	assert_true(clock_monotonic_ns(clock_system()) >= start + 20 * 1000000);
	/* Late statements do not even start, except for going back. */
	assert_false(db_exec(db, SQL("SELECT 1"), &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	db_deadline_set(db, 0);
	assert_true(db_exec(db, SQL("BEGIN"), &err));
	db_deadline_set(db, start);
	assert_true(db_exec(db, SQL("ROLLBACK"), &err));
	db_deadline_set(db, 0);
	assert_true(db_exec(db, SQL("SELECT 1"), &err));
	db_close(db);
}

/* A row of these takes some milliseconds: a hundred of them would be long overdue. */
static void a_deadline_ends_a_row_of_slow_matches(void **state)
{
	static const struct sql slow[] = {
		{"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000)"
		 " SELECT count(rlike('(a?){300}a{300}b', hex(zeroblob(4000 + x)))) FROM c"},
		{"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000)"
		 " SELECT count(like_cs('%' || hex(zeroblob(2000)) || '1', hex(zeroblob(4000 + x)))) FROM c"},
		{"WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000)"
		 " SELECT count(ilike('%' || hex(zeroblob(2000)) || '1', hex(zeroblob(4000 + x)))) FROM c"},
	};
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	for (size_t i = 0; i < ARRAY_COUNT(slow); i++) {
		int64_t start = clock_monotonic_ns(clock_system());
		db_deadline_set(db, start + 20 * 1000000);
		assert_false(db_exec(db, slow[i], &err));
		assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
		assert_string_equal(err.message, "The query took too long and was interrupted.");
		/* Two of them at most; sanitizers and a busy machine are slow. */
		assert_true(clock_monotonic_ns(clock_system()) < start + INT64_C(3000000000));
	}
	db_deadline_set(db, 0);
	db_close(db);
}

static void a_deadline_ahead_changes_nothing(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	db_deadline_set(db, clock_monotonic_ns(clock_system()) + INT64_C(3600000000000));
	assert_int_equal(query_i64(db, SQL("WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT "
					   "x + 1 FROM c WHERE x < 10000) SELECT count(*) FROM c")),
			 10000);
	db_close(db);
}

struct interrupter {
	struct db *db;
	atomic_bool stop;
};

static void *interrupt_until_stopped(void *argument)
{
	struct interrupter *i = argument;
	while (!atomic_load(&i->stop)) {
		db_interrupt(i->db);
		(void)sched_yield();
	}
	return NULL;
}

static void another_thread_can_interrupt(void **state)
{
	struct interrupter i = {.db = db_folder_open(*state, DB_READ_WRITE)};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, interrupt_until_stopped, &i), 0);
	assert_false(db_exec(i.db, endless, &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	atomic_store(&i.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(db_exec(i.db, SQL("SELECT 1"), &err));
	db_close(i.db);
}

static void the_wal_is_counted_and_moved(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	run_script(db, "CREATE TABLE t (a)");
	int64_t before = db_wal_pages(db);
	assert_true(before > 0);
	run_script(db, "INSERT INTO t VALUES (zeroblob(40000))");
	assert_true(db_wal_pages(db) >= before + 9);
	/* A reader in a transaction holds back what came after it began. */
	struct db *reader = db_folder_open(*state, DB_READ_ONLY);
	assert_true(db_exec(reader, SQL("BEGIN"), &err));
	assert_int_equal(query_i64(reader, SQL("SELECT count(*) FROM t")), 1);
	run_script(db, "INSERT INTO t VALUES (zeroblob(40000))");
	assert_true(db_checkpoint(db, &err));
	assert_true(db_wal_pages(db) >= 9);
	assert_int_equal(query_i64(reader, SQL("SELECT count(*) FROM t")), 1);
	assert_true(db_exec(reader, SQL("COMMIT"), &err));
	assert_true(db_checkpoint(db, &err));
	assert_int_equal(db_wal_pages(db), 0);
	db_close(reader);
	db_close(db);
}

static void sizes_count_pages_and_free_pages(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	int64_t bytes = 0, free_bytes = 0;
	run_script(db, "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))");
	assert_true(db_size(db, &bytes, &free_bytes, &err));
	assert_true(bytes > 100000 && bytes % 4096 == 0);
	assert_int_equal(free_bytes, 0);
	run_script(db, "DELETE FROM t");
	int64_t bytes_after = 0;
	assert_true(db_size(db, &bytes_after, &free_bytes, &err));
	assert_int_equal(bytes_after, bytes);
	assert_true(free_bytes > 90000 && free_bytes % 4096 == 0);
	db_close(db);
}

static void like_functions_are_there(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	assert_int_equal(query_i64(db, SQL("SELECT like_cs('a%', 'abc')")), 1);
	assert_int_equal(query_i64(db, SQL("SELECT like_cs('A%', 'abc')")), 0);
	assert_int_equal(query_i64(db, SQL("SELECT ilike('A%', 'abc')")), 1);
	assert_int_equal(query_i64(db, SQL("SELECT like_cs(NULL, 'a') IS NULL")), 1);
	assert_int_equal(query_i64(db, SQL("SELECT ilike('a', NULL) IS NULL")), 1);
	assert_int_equal(query_i64(db, SQL("SELECT ilike('1_', 15)")), 1);
	static char text[8193];
	bool found = false;
	struct sql match = SQL("SELECT like_cs($1, 'a')");
	memset(text, 'a', sizeof(text));
	for (size_t extra = 0; extra <= 1; extra++) {
		struct db_statement *st = prepare(db, match);
		db_bind_text(st, 1, slice_make(text, 8192 + extra));
		assert_int_equal(db_fetch_one(st, &found, &err), extra == 0);
		if (extra == 0)
			db_reset(st);
	}
	assert_int_equal(err.code, ERR_INTERNAL_ERROR);
	db_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, db_folder_set_up, db_folder_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(values_come_back_as_they_were_bound),
		TEST(parameters_are_bound_by_name_wherever_they_stand),
		TEST(one_literal_is_one_statement_and_comes_back_unbound),
		TEST(the_cache_grows),
		TEST(our_own_mistakes_assert),
		TEST(rows_are_stepped_to_their_end),
		TEST(reset_all_ends_every_use),
		TEST(closing_ends_statements_and_rolls_back),
		TEST(failures_are_classified),
		TEST(a_second_writer_is_told_to_come_back),
		TEST(a_full_database_is_storage_full),
		TEST(a_damaged_page_is_data_loss),
		TEST(a_deadline_ends_a_long_query),
		TEST(a_deadline_ends_a_row_of_slow_matches),
		TEST(a_deadline_ahead_changes_nothing),
		TEST(another_thread_can_interrupt),
		TEST(the_wal_is_counted_and_moved),
		TEST(sizes_count_pages_and_free_pages),
		TEST(like_functions_are_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
