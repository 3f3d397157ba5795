#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "src/name_table.h"

static struct slice name_of(int i, char text[32])
{
	return slice_make(text, (size_t)snprintf(text, 32, "layer.%d.weight", i));
}

static void test_names_get_numbers_in_order_and_keep_them(void **state)
{
	(void)state;
	struct name_table t;
	char text[32];
	uint32_t number;
	name_table_init(&t);
	assert_false(name_table_find(&t, SLICE("x"), &number));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5000; i++) {
			assert_false(name_table_find(&t, name_of(i, text), &number));
			assert_true(name_table_add(&t, name_of(i, text)));
		}
		for (int i = 0; i < 5000; i++) {
			assert_true(name_table_find(&t, name_of(i, text), &number));
			assert_int_equal(number, i);
		}
		name_table_clear(&t);
		assert_int_equal(t.count, 0);
	}
	name_table_deinit(&t);
}

static void test_a_prefix_is_another_name(void **state)
{
	(void)state;
	struct name_table t;
	uint32_t number;
	name_table_init(&t);
	assert_true(name_table_add(&t, SLICE("loss")));
	assert_false(name_table_find(&t, SLICE("los"), &number));
	assert_false(name_table_find(&t, SLICE("loss2"), &number));
	assert_true(name_table_find(&t, SLICE("loss"), &number));
	name_table_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_get_numbers_in_order_and_keep_them),
		cmocka_unit_test(test_a_prefix_is_another_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
