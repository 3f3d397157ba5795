/* Names read once: the right text for each number, also when the table grows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/name_map.h"

#include "db/db_faulty.h"
#include "store/names.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

enum { COUNT = 200 };

static void every_number_has_its_text(void **state)
{
	struct tracker_db *t = *state;
	struct name_pk pks[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		struct slice name = arena_printf(&t->arena, "name %zu", i);
		CHECK(t, names_intern_in_txn(t->db, name, &pks[i], &t->err));
	}
	struct name_map map;
	name_map_init(&map, t->db, &t->arena);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = COUNT; i > 0; i--) {
			struct slice text;
			CHECK(t, name_map_get(&map, pks[i - 1], &text, &t->err));
			assert_true(slice_eq(text, arena_printf(&t->arena, "name %zu", i - 1)));
		}
	}
	assert_int_equal(map.count, COUNT);
}

static void a_name_is_read_from_the_database_once(void **state)
{
	struct tracker_db *t = *state;
	struct name_pk pk;
	struct slice text;
	CHECK(t, names_intern_in_txn(t->db, SLICE("loss"), &pk, &t->err));
	struct name_map map;
	name_map_init(&map, t->db, &t->arena);
	CHECK(t, name_map_get(&map, pk, &text, &t->err));
	db_faulty_set(t->db, 1, ERR_DATA_LOSS);
	CHECK(t, name_map_get(&map, pk, &text, &t->err));
	assert_true(slice_eq_cstr(text, "loss"));
	assert_false(name_map_get(&map, (struct name_pk){pk.value + 64}, &text, &t->err));
	db_faulty_set(t->db, 0, ERR_NONE);
	assert_int_equal(t->err.code, ERR_DATA_LOSS);
}

static void a_number_without_a_name_is_an_error_of_ours(void **state)
{
	struct tracker_db *t = *state;
	struct name_map map;
	struct slice text;
	name_map_init(&map, t->db, &t->arena);
	tracker_db_check_error(t, name_map_get(&map, (struct name_pk){99}, &text, &t->err),
			       ERR_INTERNAL_ERROR, "A name vanished while it was read.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_number_has_its_text),
		TEST(a_name_is_read_from_the_database_once),
		TEST(a_number_without_a_name_is_an_error_of_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
