/* Tests the tree of artifacts: what exists after puts and removals, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store_helper.h"

static enum artifact_kind kind_of(struct store *store, const char *path)
{
	struct artifact_file file;
	enum artifact_kind kind;
	struct error err;
	if (!artifact_tree_find(store->tracker, slice_from_cstr(path), &kind, &file, &err))
		fail_msg("%s", err.message);
	return kind;
}

static void put(struct store *store, const char *path, const char *content)
{
	struct error err;
	if (!store_put(store, path, slice_from_cstr(content), &err))
		fail_msg("%s: %s", path, err.message);
}

/* "a/ b c/" for the listing of `path`. */
static void check_listing(struct store *store, const char *path, const char *expected)
{
	struct artifact_entry_list list;
	struct error err;
	char text[256] = "";
	size_t len = 0;
	assert_true(artifact_tree_list(store->tracker, slice_from_cstr(path), &store->arena, &list, &err));
	for (size_t i = 0; i < list.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s%s", i == 0 ? "" : " ",
					SLICE_FMT(list.items[i].name), list.items[i].is_directory ? "/" : "");
	assert_string_equal(text, expected);
}

static void test_directories_come_and_go_with_their_files(void **state)
{
	struct store store;
	struct error err;
	(void)state;
	store_open(&store);
	assert_int_equal(kind_of(&store, ""), ARTIFACT_DIRECTORY);
	put(&store, "1/r/a.txt", "a");
	put(&store, "1/r/sub/deep/b.txt", "b");
	put(&store, "1/r.txt", "c");
	assert_int_equal(kind_of(&store, "1/r"), ARTIFACT_DIRECTORY);
	assert_int_equal(kind_of(&store, "1/r/sub/deep"), ARTIFACT_DIRECTORY);
	assert_int_equal(kind_of(&store, "1/r/a.txt"), ARTIFACT_FILE);
	assert_int_equal(kind_of(&store, "1/r/a"), ARTIFACT_NONE);
	assert_int_equal(kind_of(&store, "1/r/a.txt/x"), ARTIFACT_NONE);
	check_listing(&store, "1", "r/ r.txt");
	check_listing(&store, "1/r", "a.txt sub/");
	check_listing(&store, "1/r/sub", "deep/");
	check_listing(&store, "", "1/");
	check_listing(&store, "nowhere", "");
	check_listing(&store, "1/r/a.txt", "");
	assert_true(store_remove(&store, "1/r/sub/deep/b.txt", &err));
	assert_int_equal(kind_of(&store, "1/r/sub"), ARTIFACT_NONE);
	assert_int_equal(kind_of(&store, "1/r"), ARTIFACT_DIRECTORY);
	assert_true(store_remove(&store, "1/r", &err));
	assert_true(store_remove(&store, "1/r", &err)); /* missing is fine */
	check_listing(&store, "1", "r.txt");
	assert_true(store_remove(&store, "1/r.txt", &err));
	assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_dirs")), 1);
	assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_files")), 0);
	store_close(&store);
}

static void test_removal_takes_the_tree_and_not_its_neighbours(void **state)
{
	static const char *const neighbours[] = {"t-1/x", "t.txt", "t0/x", "t!", "T/x", "s", "u/t/x"};
	struct store store;
	struct error err;
	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(neighbours); i++)
		put(&store, neighbours[i], "n");
	put(&store, "t/x", "1");
	put(&store, "t/a/x", "2");
	assert_true(store_remove(&store, "t", &err));
	assert_int_equal(kind_of(&store, "t"), ARTIFACT_NONE);
	for (size_t i = 0; i < ARRAY_COUNT(neighbours); i++)
		assert_int_equal(kind_of(&store, neighbours[i]), ARTIFACT_FILE);
	store_close(&store);
}

static void test_a_path_is_a_file_or_a_directory(void **state)
{
	struct store store;
	struct error err;
	(void)state;
	store_open(&store);
	put(&store, "a/b", "file");
	assert_false(store_put(&store, "a/b/c", SLICE("x"), &err));
	assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
	assert_string_equal(err.message, "'a/b' is a file, so nothing can be stored below it.");
	assert_false(store_put(&store, "a/b/c/d/e", SLICE("x"), &err));
	assert_string_equal(err.message, "'a/b' is a file, so nothing can be stored below it.");
	assert_false(store_put(&store, "a", SLICE("x"), &err));
	assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
	assert_string_equal(err.message, "'a' is a directory, so no file can be stored there.");
	check_listing(&store, "", "a/");
	check_listing(&store, "a", "b");
	store_close(&store);
}

static void test_a_replaced_file_releases_its_blob(void **state)
{
	struct store store;
	struct buffer out;
	(void)state;
	store_open(&store);
	buffer_init(&out, 100);
	put(&store, "a", "one");
	put(&store, "a", "one"); /* the same bytes are the same blob */
	assert_int_equal(store.released.count, 0);
	put(&store, "a", "two");
	assert_int_equal(store.released.count, 1);
	store_get(&store, "a", &out);
	assert_true(slice_eq_cstr(buffer_slice(&out), "two"));
	assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_files")), 1);
	buffer_deinit(&out);
	store_close(&store);
}

static void test_load_sorts_by_bytes_and_is_relative(void **state)
{
	static const char *const paths[] = {"t/a/b", "t/a.txt", "t/a0", "t/B", "t/a/b-c/d"};
	static const char *const sorted[] = {"B", "a.txt", "a/b", "a/b-c/d", "a0"};
	struct store store;
	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
		put(&store, paths[i], paths[i]);
	struct artifact_file_list files = store_load(&store, "t");
	assert_int_equal(files.count, ARRAY_COUNT(sorted));
	for (size_t i = 0; i < files.count; i++)
		assert_true(slice_eq_cstr(files.items[i].path, sorted[i]));
	files = store_load(&store, "t/a/b");
	assert_int_equal(files.count, 1);
	assert_true(slice_eq_cstr(files.items[0].path, "b"));
	assert_int_equal(store_load(&store, "nowhere").count, 0);
	store_close(&store);
}

/* The digest is that of the text that sha256sum prints. */
static void test_tree_digest_is_that_of_sha256sum_lines(void **state)
{
	struct store store;
	struct error err;
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	int64_t byte_count;
	(void)state;
	store_open(&store);
	put(&store, "t/a.txt", "hello\n");
	put(&store, "t/b/c.txt", "");
	struct artifact_file_list files = store_load(&store, "t");
	assert_true(artifact_tree_digest(&files, digest, &byte_count, &err));
	digest_hex(digest, hex);
	/* printf 'hello\n' > a.txt; : > b/c.txt; sha256sum a.txt b/c.txt | sha256sum */
	assert_string_equal(hex, "7be606a71e0da97c2698969020a6b713ef3d0d64927ea1bb4ab4c3e0c4885443");
	assert_int_equal(byte_count, 6);
	store_close(&store);
}

static void test_sums_are_those_of_the_files(void **state)
{
	static const struct {
		const char *path;
		int64_t file_count, byte_count;
	} rows[] = {{"m", 3, 6}, {"m/d", 1, 2}, {"m/a", 1, 1}, {"m/d/b", 1, 2}, {"m/d-", 0, 0}, {"none", 0, 0}};
	struct store store;
	(void)state;
	store_open(&store);
	put(&store, "m/a", "1");
	put(&store, "m/d/b", "22");
	put(&store, "m/d-b", "333");
	put(&store, "m2/a", "4444");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct artifact_sums sums;
		struct error err;
		assert_true(artifact_tree_sum(store.tracker, slice_from_cstr(rows[i].path), &store.arena, &sums, &err));
		assert_int_equal(sums.file_count, rows[i].file_count);
		assert_int_equal(sums.byte_count, rows[i].byte_count);
	}
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_are_those_of_the_files),
		cmocka_unit_test(test_directories_come_and_go_with_their_files),
		cmocka_unit_test(test_removal_takes_the_tree_and_not_its_neighbours),
		cmocka_unit_test(test_a_path_is_a_file_or_a_directory),
		cmocka_unit_test(test_a_replaced_file_releases_its_blob),
		cmocka_unit_test(test_load_sorts_by_bytes_and_is_relative),
		cmocka_unit_test(test_tree_digest_is_that_of_sha256sum_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
