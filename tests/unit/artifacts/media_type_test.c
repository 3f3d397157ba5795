/* Tests what browsers are told about files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "artifacts/media_type.h"

static void test_types_by_extension(void **state)
{
	static const char *const rows[][2] = {
		{"a.txt", "text/plain; charset=utf-8"},	 {"a.TXT", "text/plain; charset=utf-8"},
		{"a.html", "text/plain; charset=utf-8"}, {"a.svg", "text/plain; charset=utf-8"},
		{"a.js", "text/plain; charset=utf-8"},	 {"a.xml", "text/plain; charset=utf-8"},
		{"MLmodel", "text/plain; charset=utf-8"}, {"a.json", "application/json"},
		{"a.png", "image/png"},			 {"a.b.jpeg", "image/jpeg"},
		{"model.tar.gz", "application/gzip"},	 {"a.pkl", "application/octet-stream"},
		{"noext", "application/octet-stream"},	 {"dot.", "application/octet-stream"},
		{"txt", "application/octet-stream"},	 {".txt", "text/plain; charset=utf-8"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_string_equal(media_type_of(slice_from_cstr(rows[i][0])), rows[i][1]);
}

static void test_names_beyond_ascii_are_given_twice(void **state)
{
	static const char *const rows[][2] = {
		{"a b.txt", "attachment; filename=\"a b.txt\""},
		{"a\"b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"},
		{"h\xc3\xa9.txt", "attachment; filename=\"h__.txt\"; filename*=UTF-8''h%C3%A9.txt"},
		{"50%", "attachment; filename=\"50_\"; filename*=UTF-8''50%25"},
		{"a;b=c", "attachment; filename=\"a;b=c\""},
	};
	struct arena arena;
	(void)state;
	arena_init(&arena, 4096 * 16);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice header = media_type_disposition(slice_from_cstr(rows[i][0]), &arena);
		if (!slice_eq_cstr(header, rows[i][1]))
			fail_msg("%.*s", SLICE_FMT(header));
	}
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_by_extension),
		cmocka_unit_test(test_names_beyond_ascii_are_given_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
