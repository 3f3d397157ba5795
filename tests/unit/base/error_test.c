/* Tests error codes and the cutting and quoting of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void every_code_has_a_name_that_finds_it_and_a_status(void **state)
{
	(void)state;
	static const struct {
		enum error_code code;
		const char *name;
		int http_status;
	} rows[] = {
#define X(name, status) {ERR_##name, #name, status},
		ERROR_CODES(X)
#undef X
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_string_equal(error_code_name(rows[i].code), rows[i].name);
		assert_int_equal(error_http_status(rows[i].code), rows[i].http_status);
		assert_int_equal(error_code_from_name(slice_from_cstr(rows[i].name)), rows[i].code);
	}
	assert_int_equal(error_http_status(ERR_NONE), 200);
	assert_int_equal(error_code_from_name(SLICE("NO_SUCH_CODE")), ERR_INTERNAL_ERROR);
	assert_int_equal(error_code_from_name(SLICE("")), ERR_INTERNAL_ERROR);
	assert_int_equal(error_code_from_name(SLICE("NONE")), ERR_INTERNAL_ERROR);
}

static void messages_are_set_prefixed_and_cleared(void **state)
{
	(void)state;
	struct error err;
	assert_false(error_set(&err, ERR_NOT_FOUND, "no %s at %d", "run", 7));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.message, "no run at 7");
	assert_false(error_prefix(&err, "file %d", 3));
	assert_string_equal(err.message, "file 3: no run at 7");
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(error_set(&err, ERR_INTERNAL_ERROR, "again: %s", err.message));
	assert_string_equal(err.message, "again: file 3: no run at 7");
	error_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.message, "");
}

/* A message of 1023 bytes fits; longer ones lose whole code points. */
static void long_messages_are_cut_at_a_code_point(void **state)
{
	(void)state;
	for (int spaces = 1010; spaces < 1030; spaces++) {
		struct error err;
		(void)error_set(&err, ERR_BAD_REQUEST, "%*s%s", spaces, "",
				"\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA4");
		size_t len = strlen(err.message);
		assert_true(len < ERROR_MESSAGE_BYTES_MAX);
		assert_true(len >= ERROR_MESSAGE_BYTES_MAX - 4 || len == (size_t)spaces + 9);
		assert_true(slice_is_utf8(slice_from_cstr(err.message)));
		(void)error_prefix(&err, "%s", "0123456789");
		assert_true(strlen(err.message) < ERROR_MESSAGE_BYTES_MAX);
		assert_true(slice_is_utf8(slice_from_cstr(err.message)));
	}
}

static void a_prefix_longer_than_the_message_stays_alone(void **state)
{
	(void)state;
	struct error err;
	(void)error_set(&err, ERR_BAD_REQUEST, "x");
	(void)error_prefix(&err, "%*s", 2000, "");
	assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES_MAX - 1);
}

static void values_are_quoted_without_control_characters(void **state)
{
	(void)state;
	static const struct {
		struct slice value;
		size_t bytes;
		const char *quoted;
	} rows[] = {
		{{"", 0}, 10, ""},
		{{NULL, 0}, 10, ""},
		{{"abc", 3}, 10, "abc"},
		{{"a\nb\0c\x7F", 6}, 10, "a?b?c?"},
		{{"\xC3\xA4", 2}, 10, "\xC3\xA4"},
		{{"\xC3z\xFF", 3}, 10, "?z?"},
		{{"abcdef", 6}, 7, "abcdef"},
		{{"abcdefg", 7}, 7, "abc\xE2\x80\xA6"},
		{{"a\xC3\xA4\xC3\xA4xyz", 8}, 8, "a\xC3\xA4\xE2\x80\xA6"},
		{{"abcdefg", 7}, 4, "\xE2\x80\xA6"},
		{{"abcdefg", 7}, 3, ""},
		{{"ab", 2}, 3, "ab"},
		{{"a", 1}, 1, ""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char quoted[32];
		memset(quoted, 'Q', sizeof(quoted));
		assert_ptr_equal(error_quote(rows[i].value, quoted, rows[i].bytes), quoted);
		assert_string_equal(quoted, rows[i].quoted);
		assert_int_equal(quoted[rows[i].bytes], 'Q');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_that_finds_it_and_a_status),
		cmocka_unit_test(messages_are_set_prefixed_and_cleared),
		cmocka_unit_test(long_messages_are_cut_at_a_code_point),
		cmocka_unit_test(a_prefix_longer_than_the_message_stays_alone),
		cmocka_unit_test(values_are_quoted_without_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
