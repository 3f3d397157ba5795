/* Tests which bytes are said to become free when trees of artifacts go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "artifacts/blob_account.h"
#include "store_helper.h"

static void put(struct store *store, const char *path, const char *content)
{
	struct error err;
	if (!store_put(store, path, slice_from_cstr(content), &err))
		fail_msg("%s: %s", path, err.message);
}

static void check(struct blob_account *account, const char *path, struct blob_account_figures expected)
{
	struct blob_account_figures figures;
	struct error err;
	assert_true(blob_account_add(account, slice_from_cstr(path), &figures, &err));
	assert_int_equal(figures.file_count, expected.file_count);
	assert_int_equal(figures.file_bytes, expected.file_bytes);
	assert_int_equal(figures.freed_bytes, expected.freed_bytes);
	assert_int_equal(figures.shared_bytes, expected.shared_bytes);
}

static void test_a_blob_goes_with_its_last_file(void **state)
{
	struct store store;
	struct blob_account account;
	(void)state;
	store_open(&store);
	put(&store, "1/a/own", "123");
	put(&store, "1/a/deep/er/own", "12345");
	put(&store, "1/a/empty", "");
	put(&store, "1/a/both", "1234567");
	put(&store, "1/a/twice", "1234567");
	put(&store, "1/b/both", "1234567");
	put(&store, "1/b/kept", "kept");
	put(&store, "2/kept", "kept");
	put(&store, "1/by-hand", "12");
	blob_account_init(&account, store.tracker, store.blobs, &store.arena);
	check(&account, "1/a", (struct blob_account_figures){5, 22, 8, 14});
	check(&account, "1/b", (struct blob_account_figures){2, 11, 7, 4});
	check(&account, "1", (struct blob_account_figures){1, 2, 2, 0}); /* what is left of it */
	check(&account, "1/a", (struct blob_account_figures){0, 0, 0, 0});
	check(&account, "3", (struct blob_account_figures){0, 0, 0, 0});
	store_close(&store);
}

static void test_many_blobs_are_counted(void **state)
{
	enum { FILES = 300 };
	struct store store;
	struct blob_account account;
	char path[32], content[32];
	(void)state;
	store_open(&store);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "r/%d/f", i);
		snprintf(content, sizeof(content), "content %04d", i);
		put(&store, path, content);
		snprintf(path, sizeof(path), "s/%d", i);
		if (i % 3 == 0)
			put(&store, path, content);
	}
	blob_account_init(&account, store.tracker, store.blobs, &store.arena);
	check(&account, "r", (struct blob_account_figures){FILES, FILES * 12, FILES * 8, FILES * 4});
	check(&account, "s", (struct blob_account_figures){FILES / 3, FILES * 4, FILES * 4, 0});
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_blob_goes_with_its_last_file),
		cmocka_unit_test(test_many_blobs_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
