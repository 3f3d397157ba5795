/* Lists of keys and values: sorting, the last of equals, growing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/key_values.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

/* "k1 k2" of keys and the numbers of their items: "b0 a1 b2". */
static struct key_value_list parse(const char *text)
{
	struct key_value_list list = {0};
	struct slice rest = slice_from_cstr(text), item;
	while (text[0] != '\0' && slice_next(&rest, ' ', &item))
		key_values_add(&list, (struct key_value){slice_first(item, 1), slice_from(item, 1)},
			       &arena);
	return list;
}

static const char *print(struct key_value_list list)
{
	struct slice text = SLICE("");
	for (size_t i = 0; i < list.count; i++) {
		text = arena_printf(&arena, "%.*s%s%.*s%.*s", SLICE_FMT(text), i > 0 ? " " : "",
				    SLICE_FMT(list.items[i].key), SLICE_FMT(list.items[i].value));
	}
	return arena_cstr(&arena, text);
}

static void lists_are_sorted_stably(void **state)
{
	// clang-format off
	static const struct {
		const char *list, *sorted, *unique;
	} rows[] = {
		{"", "", ""},
		{"a1", "a1", "a1"},
		{"b1 a2", "a2 b1", "a2 b1"},
		{"a1 a2 a3", "a1 a2 a3", "a3"},
		{"b1 a1 b2 c1 a2 b3", "a1 a2 b1 b2 b3 c1", "a2 b3 c1"},
		{"c9 b8 a7 c6 b5 a4 c3 b2 a1", "a7 a4 a1 b8 b5 b2 c9 c6 c3", "a1 b2 c3"},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct key_value_list list = parse(rows[i].list);
		assert_string_equal(print(key_values_sorted(list, &arena)), rows[i].sorted);
		assert_string_equal(print(key_values_sorted_unique(list, &arena)), rows[i].unique);
		assert_string_equal(print(list), rows[i].list);
	}
}

static void distinct_keys_are_sorted_in_place(void **state)
{
	(void)state;
	struct key_value_list list = parse("c1 a2 b3");
	key_values_sort_in_place(list);
	assert_string_equal(print(list), "a2 b3 c1");
	key_values_sort_in_place(list);
	assert_string_equal(print(list), "a2 b3 c1");
	key_values_sort_in_place((struct key_value_list){0});
}

static void the_last_of_equal_keys_is_found(void **state)
{
	(void)state;
	struct key_value_list list = parse("a1 b2 a3");
	assert_true(slice_eq_cstr(key_values_find(list, SLICE("a"))->value, "3"));
	assert_null(key_values_find(list, SLICE("x")));
	assert_null(key_values_find((struct key_value_list){0}, SLICE("x")));
}

static void a_list_keeps_its_items_while_it_grows(void **state)
{
	(void)state;
	struct key_value_list list = {0};
	for (size_t i = 0; i < 100; i++) {
		struct slice text = arena_printf(&arena, "%zu", i);
		key_values_add(&list, (struct key_value){text, text}, &arena);
	}
	assert_int_equal(list.count, 100);
	for (size_t i = 0; i < 100; i++)
		assert_true(slice_eq(list.items[i].key, arena_printf(&arena, "%zu", i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_sorted_stably),
		cmocka_unit_test(distinct_keys_are_sorted_in_place),
		cmocka_unit_test(the_last_of_equal_keys_is_found),
		cmocka_unit_test(a_list_keeps_its_items_while_it_grows),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
