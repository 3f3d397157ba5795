/* Tests that buffers grow to their ceiling and fail once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buffer.h"
#include "support/death.h"

static void appends_add_up(void **state)
{
	(void)state;
	struct buffer b;
	struct error err;
	buffer_init(&b, 1 << 20);
	assert_true(slice_is_present(buffer_slice(&b)));
	buffer_append(&b, SLICE("ab"));
	buffer_append(&b, (struct slice){NULL, 0});
	buffer_append_cstr(&b, "cd");
	buffer_append_byte(&b, 'e');
	buffer_printf(&b, "%d", 42);
	assert_true(slice_eq_cstr(buffer_slice(&b), "abcde42"));
	assert_true(buffer_check(&b, "text", &err));
	buffer_deinit(&b);
	buffer_deinit(&b);
}

static void the_ceiling_is_kept_at_the_limit_and_one_beyond(void **state)
{
	(void)state;
	struct buffer b;
	struct error err = {0};
	buffer_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buffer_append_byte(&b, 'x');
	assert_true(buffer_check(&b, "The reply", &err));
	assert_int_equal(b.len, 1000);
	buffer_append_byte(&b, 'x');
	assert_int_equal(b.len, 0);
	assert_null(b.ptr_or_null);
	buffer_append_cstr(&b, "more");
	assert_int_equal(b.len, 0);
	assert_false(buffer_check(&b, "The reply", &err));
	assert_int_equal(err.code, ERR_REQUEST_TOO_LARGE);
	assert_string_equal(err.message, "The reply is larger than 1000 bytes.");
	buffer_reset(&b);
	buffer_append_cstr(&b, "again");
	assert_true(slice_eq_cstr(buffer_slice(&b), "again"));
	buffer_deinit(&b);
}

static void a_buffer_of_nothing_holds_nothing(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 0);
	buffer_append_cstr(&b, "");
	assert_non_null(buffer_reserve(&b, 0));
	assert_false(b.failed);
	buffer_append_byte(&b, 'x');
	assert_true(b.failed);
	buffer_deinit(&b);
}

static void printf_takes_short_and_long_texts(void **state)
{
	(void)state;
	static const int widths[] = {0, 1, 255, 256, 257, 70000};
	for (size_t i = 0; i < ARRAY_COUNT(widths); i++) {
		struct buffer b;
		buffer_init(&b, 70000);
		buffer_printf(&b, "%*s", widths[i], widths[i] == 0 ? "" : "x");
		assert_int_equal(b.len, widths[i]);
		assert_true(b.len == 0 || b.ptr_or_null[b.len - 1] == 'x');
		buffer_deinit(&b);
	}
}

static void reserve_and_commit_write_in_place(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 100);
	char *room = buffer_reserve(&b, 100);
	assert_non_null(room);
	memset(room, 'y', 100);
	buffer_commit(&b, 60);
	assert_int_equal(b.len, 60);
	buffer_commit(&b, 40);
	assert_int_equal(b.len, 100);
	assert_null(buffer_reserve(&b, 1));
	assert_true(b.failed);
	buffer_deinit(&b);
}

static void commit_beyond(void *argument)
{
	struct buffer *b = argument;
	buffer_commit(b, b->capacity - b->len + 1);
}

static void committing_more_than_the_room_asserts(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 100);
	assert_non_null(buffer_reserve(&b, 10));
	assert_true(dies_of_assertion(commit_beyond, &b));
	buffer_deinit(&b);
}

static void consume_drops_from_the_front(void **state)
{
	(void)state;
	struct buffer b;
	buffer_init(&b, 100);
	buffer_consume(&b, 0);
	buffer_append_cstr(&b, "abcdef");
	buffer_consume(&b, 2);
	assert_true(slice_eq_cstr(buffer_slice(&b), "cdef"));
	buffer_consume(&b, 4);
	assert_int_equal(b.len, 0);
	buffer_deinit(&b);
}

static void take_gives_the_memory_away(void **state)
{
	(void)state;
	struct buffer b;
	size_t len = 7;
	buffer_init(&b, 10);
	assert_null(buffer_take(&b, &len));
	assert_int_equal(len, 0);
	buffer_append_cstr(&b, "abc");
	char *taken = buffer_take(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(taken, "abc", 3);
	free(taken);
	assert_int_equal(b.len, 0);
	buffer_append_cstr(&b, "0123456789");
	buffer_append_byte(&b, 'x');
	assert_null(buffer_take(&b, &len));
	buffer_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_add_up),
		cmocka_unit_test(the_ceiling_is_kept_at_the_limit_and_one_beyond),
		cmocka_unit_test(a_buffer_of_nothing_holds_nothing),
		cmocka_unit_test(printf_takes_short_and_long_texts),
		cmocka_unit_test(reserve_and_commit_write_in_place),
		cmocka_unit_test(committing_more_than_the_room_asserts),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(take_gives_the_memory_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
