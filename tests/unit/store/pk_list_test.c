/* Lists of row numbers: their text and the way back to the caller's places. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/pk_list.h"

static void numbers_are_sorted_and_lead_back_to_their_places(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	const int64_t pks[] = {30, 10, 20};
	struct pk_list list;
	pk_list_init(&list, pks, 3, 500, &arena);
	assert_int_equal(pk_list_seek(&list, 10)->index, 501);
	assert_int_equal(pk_list_seek(&list, 10)->index, 501);
	assert_int_equal(pk_list_seek(&list, 30)->index, 500);
	pk_list_rewind(&list);
	assert_int_equal(pk_list_seek(&list, 20)->index, 502);
	arena_deinit(&arena);
}

static void numbers_are_text_and_big_ones_parameters(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	const int64_t pks[] = {4294967295, 4294967296, 0, -1};
	struct pk_list list;
	pk_list_init(&list, pks, 4, 0, &arena);
	struct sql_builder b;
	sql_builder_init(&b, &arena);
	pk_list_append(&list, &b);
	assert_string_equal(sql_builder_text(&b), "($1, 0, 4294967295, $2)");
	assert_int_equal(b.values[0].i64, -1);
	assert_int_equal(b.values[1].i64, 4294967296);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_sorted_and_lead_back_to_their_places),
		cmocka_unit_test(numbers_are_text_and_big_ones_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
