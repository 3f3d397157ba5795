/* Tests SQL that is put together from literals and values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "db/sql_builder.h"
#include "support/death.h"
#include "unit/db/db_helper.h"

static struct arena arena;

static int set_up(void **state)
{
	arena_init(&arena, 64 << 20);
	return db_folder_set_up(state);
}

static int tear_down(void **state)
{
	arena_deinit(&arena);
	return db_folder_tear_down(state);
}

static void values_become_numbered_parameters(void **state)
{
	(void)state;
	struct sql_builder b;
	sql_builder_init(&b, &arena);
	assert_string_equal(sql_builder_text(&b), "");
	sql_text(&b, SQL("SELECT m"));
	sql_number(&b, 3);
	sql_text(&b, SQL(".x WHERE a = "));
	sql_value_text(&b, SLICE("x' OR '1'='1"));
	sql_text(&b, SQL(" AND b < "));
	sql_value_i64(&b, -5);
	sql_text(&b, SQL(" AND c > "));
	sql_value_double(&b, 0.5);
	sql_text(&b, SQL(" AND d = "));
	sql_value_blob(&b, SLICE("\0\1"));
	assert_string_equal(sql_builder_text(&b),
			    "SELECT m3.x WHERE a = $1 AND b < $2 AND c > $3 AND d = $4");
	assert_int_equal(b.value_count, 4);
	assert_true(slice_eq_cstr(b.values[0].bytes, "x' OR '1'='1"));
	assert_int_equal(b.values[1].i64, -5);
	assert_true(b.values[2].real == 0.5);
	assert_int_equal(b.values[3].bytes.len, 2);
}

static void parts_are_renumbered_behind_what_is_there(void **state)
{
	(void)state;
	struct sql_builder whole, part, empty;
	sql_builder_init(&whole, &arena);
	sql_builder_init(&part, &arena);
	sql_builder_init(&empty, &arena);
	for (int i = 0; i < 12; i++) {
		sql_text(&part, SQL(","));
		sql_value_i64(&part, i);
	}
	sql_text(&part, SQL(" end"));
	sql_text(&whole, SQL("a"));
	sql_value_i64(&whole, 100);
	sql_append(&whole, &part);
	sql_append(&whole, &empty);
	sql_text(&whole, SQL(";"));
	sql_append(&whole, &part);
	assert_string_equal(sql_builder_text(&whole),
			    "a$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13 end;"
			    ",$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25 end");
	assert_int_equal(whole.value_count, 25);
	assert_int_equal(whole.values[1].i64, 0);
	assert_int_equal(whole.values[24].i64, 11);
}

static void append_part_with_foreign_parameter(void *argument)
{
	struct sql_builder part;
	sql_builder_init(&part, &arena);
	sql_text(&part, SQL("a = $7"));
	sql_append(argument, &part);
}

static void a_parameter_in_a_literal_of_a_part_asserts(void **state)
{
	(void)state;
	struct sql_builder b;
	sql_builder_init(&b, &arena);
	assert_true(dies_of_assertion(append_part_with_foreign_parameter, &b));
}

static void values_are_allowed_up_to_the_limit(void **state)
{
	(void)state;
	struct sql_builder b;
	sql_builder_init(&b, &arena);
	for (int i = 0; i < SQL_VALUES_MAX; i++)
		sql_value_i64(&b, i);
	assert_false(b.too_long);
	sql_value_i64(&b, 0);
	assert_true(b.too_long);
	assert_int_equal(b.value_count, SQL_VALUES_MAX);
}

static void text_is_allowed_up_to_the_limit(void **state)
{
	(void)state;
	struct sql_builder b;
	sql_builder_init(&b, &arena);
	for (int i = 0; i < SQL_TEXT_BYTES_MAX; i++)
		sql_text(&b, SQL("x"));
	assert_false(b.too_long);
	assert_int_equal(strlen(sql_builder_text(&b)), SQL_TEXT_BYTES_MAX);
	struct sql_builder whole;
	sql_builder_init(&whole, &arena);
	sql_append(&whole, &b);
	assert_false(whole.too_long);
	sql_text(&whole, SQL("x"));
	assert_true(whole.too_long);
	sql_text(&whole, SQL(""));
	assert_int_equal(strlen(sql_builder_text(&whole)), SQL_TEXT_BYTES_MAX);
}

static void what_is_too_long_is_refused_by_prepare(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct sql_builder b, whole;
	struct error err;
	sql_builder_init(&b, &arena);
	sql_text(&b, SQL("SELECT 1"));
	for (int i = 0; i <= SQL_VALUES_MAX; i++) {
		sql_text(&b, SQL(","));
		sql_value_i64(&b, 0);
	}
	sql_builder_init(&whole, &arena);
	sql_append(&whole, &b);
	assert_null(db_prepare_built(db, &whole, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	db_close(db);
}

/* As many values as are allowed reach their parameters, whatever they hold. */
static void values_reach_the_database(void **state)
{
	struct db *db = db_folder_open(*state, DB_READ_WRITE);
	struct sql_builder b;
	struct error err;
	bool found = false;
	sql_builder_init(&b, &arena);
	sql_text(&b, SQL("SELECT 5000 IN (0"));
	for (int i = 0; i < SQL_VALUES_MAX - 3; i++) {
		sql_text(&b, SQL(", "));
		sql_value_i64(&b, i == SQL_VALUES_MAX - 4 ? 5000 : i);
	}
	sql_text(&b, SQL("), "));
	sql_value_text(&b, SLICE("'; DROP TABLE t; --\0\xC3\xA4"));
	sql_text(&b, SQL(", "));
	sql_value_double(&b, 0.1);
	sql_text(&b, SQL(", "));
	sql_value_blob(&b, SLICE(""));
	struct db_statement *st = db_prepare_built(db, &b, &err);
	assert_non_null(st);
	assert_true(db_fetch_one(st, &found, &err) && found);
	assert_int_equal(db_column_i64(st, 0), 1);
	assert_true(slice_eq(db_column_text(st, 1), SLICE("'; DROP TABLE t; --\0\xC3\xA4")));
	assert_true(db_column_double(st, 2) == 0.1);
	assert_false(db_column_is_null(st, 3));
	assert_int_equal(db_column_blob(st, 3).len, 0);
	db_reset(st);
	db_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(values_become_numbered_parameters),
		TEST(parts_are_renumbered_behind_what_is_there),
		TEST(a_parameter_in_a_literal_of_a_part_asserts),
		TEST(values_are_allowed_up_to_the_limit),
		TEST(text_is_allowed_up_to_the_limit),
		TEST(what_is_too_long_is_refused_by_prepare),
		TEST(values_reach_the_database),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
