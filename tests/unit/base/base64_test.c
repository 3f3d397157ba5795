/* Base64: what is written reads back; what is not strictly so is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base64.h"

static int set_up(void **state)
{
	static struct arena arena;
	arena_init(&arena, 1024 * 1024);
	*state = &arena;
	return 0;
}

static int tear_down(void **state)
{
	arena_deinit(*state);
	return 0;
}

static void known_texts_are_read(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff", "+/8="},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice bytes = {0};
		assert_true(base64_decode(slice_from_cstr(rows[i][1]), *state, &bytes));
		assert_true(slice_eq_cstr(bytes, rows[i][0]));
	}
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const rows[] = {"Z",	   "Zg",    "Zg=",  "Zg===", "Zh==", "=",
					   "====", "Zm9v=", "Zm-_", "Zm9 ",  "Z=g=", "Zm8=Zm8="};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice bytes = {0};
		if (base64_decode(slice_from_cstr(rows[i]), *state, &bytes))
			fail_msg("\"%s\" was read", rows[i]);
	}
}

static void that_of_urls_has_no_padding(void **state)
{
	unsigned char bytes[64];
	struct slice read = {0};
	for (size_t len = 0; len < sizeof(bytes); len++) {
		bytes[len] = (unsigned char)(len * 37 + 251);
		struct slice whole = slice_make((const char *)bytes, len);
		struct slice text = base64url_encode(whole, *state);
		assert_int_equal(slice_find_byte(text, '=', 0), text.len);
		assert_true(base64url_decode(text, *state, &read));
		assert_true(slice_eq(read, whole));
	}
	assert_false(base64url_decode(SLICE("Zg=="), *state, &read));
	assert_false(base64url_decode(SLICE("+/8"), *state, &read));
	assert_false(base64url_decode(SLICE("Zh"), *state, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known_texts_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_base64_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(that_of_urls_has_no_padding, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
