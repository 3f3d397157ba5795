/* Tests which files a write would take away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "artifacts/artifact_losses.h"
#include "store_helper.h"

enum { FILES_MAX = 4 };

/* "path content path content": files whose digests are those of their contents. */
static struct artifact_file_list make_files(struct arena *arena, const char *text)
{
	struct artifact_file_list list = {
		.items = ARENA_NEW(arena, struct artifact_file, FILES_MAX)};
	struct slice rest = slice_from_cstr(text), path, content;
	while (slice_next(&rest, ' ', &path) && slice_next(&rest, ' ', &content)) {
		struct error err;
		struct digest hash;
		struct artifact_file *file = &list.items[list.count++];
		file->path = slice_eq_cstr(path, ".") ? SLICE("") : path;
		assert_true(digest_init(&hash, &err));
		digest_update(&hash, content);
		digest_value(&hash, file->sha256);
		digest_deinit(&hash);
	}
	return list;
}

static void check(struct store *store, const char *base, const char *files, bool replaces,
		  const char *expected)
{
	const struct artifact_file_list list = make_files(&store->arena, files);
	const struct artifact_write write = {slice_from_cstr(base), &list, replaces};
	struct artifact_file_list lost;
	struct error err;
	char text[256] = "";
	size_t len = 0;
	assert_true(artifact_losses_find(store->tracker, &write, &store->arena, &lost, &err));
	for (size_t i = 0; i < lost.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i == 0 ? "" : " ",
					SLICE_FMT(lost.items[i].path));
	assert_string_equal(text, expected);
}

static void test_files_with_other_bytes_and_those_that_go_are_lost(void **state)
{
	static const struct {
		const char *base, *files;
		bool replaces;
		const char *expected;
	} rows[] = {
		/* One file. */
		{"m/a", ". 1", false, ""},
		{"m/a", ". 2", false, "m/a"},
		{"m/a", ". 1", true, "m/a"},
		{"m/new", ". 2", false, ""},
		{"none", ". 2", false, ""},
		/* Several, beside what is there. */
		{"m", "a 1 d/b 2", false, ""},
		{"m", "a 9 d/b 2", false, "m/a"},
		{"m", "a 9 d/b 9 new 9", false, "m/a m/d/b"},
		{"m", "a0 9 d/b/x 9", false, ""},
		{"none", "a 9", false, ""},
		/* In place of all that is there. */
		{"m", "a 1 d-b 3 d/b 2", true, ""},
		{"m", "a 1 d/b 2", true, "m/d-b"},
		{"m", "0 0 a 9 d/b 2 z 9", true, "m/a m/d-b"},
		{"m", "", true, "m/a m/d-b m/d/b"},
		{"m/d", "b 2", true, ""},
		{"m/d", "c 2", true, "m/d/b"},
		{"none", "a 9", true, ""},
	};
	struct store store;
	struct error err;
	(void)state;
	store_open(&store);
	assert_true(store_put(&store, "m/a", SLICE("1"), &err));
	assert_true(store_put(&store, "m/d/b", SLICE("2"), &err));
	assert_true(store_put(&store, "m/d-b", SLICE("3"), &err));
	assert_true(store_put(&store, "m2/a", SLICE("4"), &err));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check(&store, rows[i].base, rows[i].files, rows[i].replaces, rows[i].expected);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_with_other_bytes_and_those_that_go_are_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
