/* Tests that arenas give aligned zeroed memory, keep their bound and jump where they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "support/death.h"

static void memory_is_zeroed_and_aligned_for_any_type(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t bytes = 0; bytes < 300; bytes++) {
		unsigned char *memory = arena_alloc(&arena, bytes, 1);
		assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xAA, bytes);
	}
	arena_deinit(&arena);
}

static void no_heap_is_taken_before_the_first_allocation(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 100);
	assert_null(arena.page_or_null);
	assert_int_equal(arena.total_bytes, 0);
	arena_reset(&arena);
	arena_deinit(&arena);
}

static void the_bound_is_kept_at_the_limit_and_one_beyond(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 10000);
	assert_null(arena_try_alloc(&arena, 10001, 1));
	assert_non_null(arena_try_alloc(&arena, 10000, 1));
	assert_null(arena_try_alloc(&arena, 1, 1));
	arena_reset(&arena);
	assert_non_null(arena_try_alloc(&arena, 10000, 1));
	arena_deinit(&arena);
}

static void pages_never_add_up_to_more_than_the_bound(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 3 * 1024 * 1024 + 5);
	size_t count = 0;
	while (arena_try_alloc(&arena, 1000, 1) != NULL)
		count++;
	assert_true(arena.total_bytes <= arena.bytes_max);
	assert_true(count >= 2900); /* little is lost at page ends */
	arena_deinit(&arena);
}

static void a_size_that_overflows_is_exhaustion(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, SIZE_MAX);
	assert_null(arena_try_alloc(&arena, SIZE_MAX, 2));
	assert_null(arena_try_alloc(&arena, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_try_alloc(&arena, SIZE_MAX, 1));
	assert_null(arena_try_alloc(&arena, SIZE_MAX - 8, 1));
	assert_non_null(arena_try_alloc(&arena, 8, 1));
	arena_deinit(&arena);
}

static void exhaustion_jumps_to_the_guard(void **state)
{
	(void)state;
	struct arena arena;
	jmp_buf guard;
	volatile int steps = 0;
	arena_init(&arena, 4096);
	arena_guard_set(&arena, &guard);
	if (setjmp(guard) == 0) {
		for (;;) {
			(void)arena_alloc(&arena, 1, 512);
			steps++;
		}
	}
	assert_true(steps >= 7 && steps <= 8); /* red zones take their part under a sanitizer */
	arena_deinit(&arena);
}

static void allocate_beyond(void *argument)
{
	(void)arena_alloc(argument, 1, 101);
}

static void exhaustion_without_a_guard_aborts(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 100);
	assert_true(dies_of_assertion(allocate_beyond, &arena));
}

static void copies_keep_absence_and_emptiness_apart(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 16);
	assert_false(slice_is_present(arena_copy(&arena, (struct slice){NULL, 0})));
	struct slice empty = arena_copy(&arena, SLICE(""));
	assert_true(slice_is_present(empty));
	assert_int_equal(empty.len, 0);
	struct slice text = arena_copy(&arena, SLICE("a\0b"));
	assert_int_equal(text.len, 3);
	assert_memory_equal(text.ptr, "a\0b", 3);
	assert_string_equal(arena_cstr(&arena, SLICE("abc")), "abc");
	assert_string_equal(arena_cstr(&arena, (struct slice){NULL, 0}), "");
	assert_string_equal(arena_cstr(&arena, SLICE("a\0b")), "a");
	assert_true(slice_eq_cstr(arena_concat(&arena, SLICE("ab"), SLICE("cd")), "abcd"));
	assert_true(slice_eq_cstr(arena_concat(&arena, (struct slice){NULL, 0}, SLICE("cd")), "cd"));
	arena_deinit(&arena);
}

static void printf_takes_short_and_long_texts(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 16);
	static const int widths[] = {0, 1, 254, 255, 256, 257, 5000};
	for (size_t i = 0; i < ARRAY_COUNT(widths); i++) {
		struct slice text = arena_printf(&arena, "%*s", widths[i], widths[i] == 0 ? "" : "x");
		assert_int_equal(text.len, widths[i]);
		for (size_t at = 0; at < text.len; at++)
			assert_int_equal(text.ptr[at], at == text.len - 1 ? 'x' : ' ');
	}
	arena_deinit(&arena);
}

static void a_list_grows_and_keeps_its_items(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 16);
	int *items = NULL;
	for (int count = 0; count < 100; count++) {
		items = arena_list_room(&arena, items, (size_t)count, sizeof(*items));
		items[count] = count;
		for (int i = 0; i <= count; i++)
			assert_int_equal(items[i], i);
	}
	arena_deinit(&arena);
}

static void rewinding_gives_everything_after_the_mark_back(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	struct arena_mark empty = arena_mark(&arena);
	char *kept = arena_cstr(&arena, SLICE("kept"));
	struct arena_mark mark = arena_mark(&arena);
	size_t total = arena.total_bytes;
	for (int round = 0; round < 1000; round++) {
		char *scratch = arena_alloc(&arena, 1, 100000);
		assert_int_equal(scratch[0] | scratch[99999], 0);
		memset(scratch, 0x55, 100000);
		char *small = arena_alloc(&arena, 1, 10);
		assert_int_equal(small[0] | small[9], 0);
		small[0] = 1;
		arena_rewind(&arena, mark);
		assert_int_equal(arena.total_bytes, total);
	}
	assert_string_equal(kept, "kept");
	arena_rewind(&arena, empty);
	assert_int_equal(arena.total_bytes, 0);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned_for_any_type),
		cmocka_unit_test(no_heap_is_taken_before_the_first_allocation),
		cmocka_unit_test(the_bound_is_kept_at_the_limit_and_one_beyond),
		cmocka_unit_test(pages_never_add_up_to_more_than_the_bound),
		cmocka_unit_test(a_size_that_overflows_is_exhaustion),
		cmocka_unit_test(exhaustion_jumps_to_the_guard),
		cmocka_unit_test(exhaustion_without_a_guard_aborts),
		cmocka_unit_test(copies_keep_absence_and_emptiness_apart),
		cmocka_unit_test(printf_takes_short_and_long_texts),
		cmocka_unit_test(a_list_grows_and_keeps_its_items),
		cmocka_unit_test(rewinding_gives_everything_after_the_mark_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
