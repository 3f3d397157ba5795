#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_server_helper.h"
#include "src/segment_file.h"
#include "src/spool_directory.h"

struct fixture {
	char *folder;
	char path[200];
	struct spool_directory d;
};

static void reopen(struct fixture *f)
{
	struct error err;
	spool_directory_close(&f->d);
	assert_true(spool_directory_open(f->path, false, &f->d, &err));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err;
	assert_non_null(f);
	f->folder = temporary_folder();
	snprintf(f->path, sizeof f->path, "%s/a/b/run", f->folder);
	assert_true(spool_directory_open(f->path, false, &f->d, &err));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	spool_directory_close(&f->d);
	temporary_folder_remove(f->folder);
	free(f);
	return 0;
}

static void test_folders_are_made_for_the_owner_only(void **state)
{
	struct fixture *f = *state;
	struct stat info;
	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
}

static void test_the_cursor_is_what_was_stored_last(void **state)
{
	struct fixture *f = *state;
	struct error err;
	assert_int_equal(spool_directory_load_cursor(&f->d), 0);
	for (uint64_t i = 1; i < 6; i++) {
		assert_true(spool_directory_store_cursor(&f->d, i * 100, &err));
		reopen(f);
		assert_int_equal(spool_directory_load_cursor(&f->d), i * 100);
	}
}

static void test_a_torn_cursor_falls_back_by_one_step(void **state)
{
	struct fixture *f = *state;
	struct error err;
	/* Generation 1 is in slot 1, generation 2 in slot 0. */
	assert_true(spool_directory_store_cursor(&f->d, 100, &err));
	assert_true(spool_directory_store_cursor(&f->d, 200, &err));
	assert_int_equal(pwrite(f->d.cursor_fd, "x", 1, 8), 1);
	reopen(f);
	assert_int_equal(spool_directory_load_cursor(&f->d), 100);
	/* And goes on from there. */
	assert_true(spool_directory_store_cursor(&f->d, 300, &err));
	reopen(f);
	assert_int_equal(spool_directory_load_cursor(&f->d), 300);
	assert_int_equal(ftruncate(f->d.cursor_fd, 5), 0);
	reopen(f);
	assert_int_equal(spool_directory_load_cursor(&f->d), 0);
}

static void touch(struct fixture *f, const char *name)
{
	int fd = openat(f->d.fd, name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void test_segments_are_listed_in_order_and_others_ignored(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"000010.seg", "000002.seg", "1000000.seg",
					    "2.seg",	  "000000.seg", "000003.seg.bad",
					    "file-7",	  "file-12",	"file-x"};
	uint32_t *numbers;
	size_t count;
	struct error err;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		touch(f, names[i]);
	assert_true(spool_directory_segments(&f->d, &numbers, &count, &err));
	assert_int_equal(count, 3);
	assert_int_equal(numbers[0], 2);
	assert_int_equal(numbers[1], 10);
	assert_int_equal(numbers[2], 1000000);
	free(numbers);
	assert_int_equal(spool_directory_last_file(&f->d), 12);
}

static void test_removal_leaves_no_folder_and_a_new_one_can_be_opened(void **state)
{
	struct fixture *f = *state;
	struct spool_directory second;
	struct error err;
	struct stat info;
	touch(f, "000001.seg");
	touch(f, "file-1");
	spool_directory_remove(&f->d);
	assert_int_equal(stat(f->path, &info), -1);
	/* The lock that is still held is on a file that nobody can find any more. */
	assert_true(spool_directory_open(f->path, false, &second, &err));
	spool_directory_close(&second);
}

static void *open_and_remove(void *context)
{
	const char *path = context;
	for (int i = 0; i < 500;) {
		struct spool_directory d;
		struct error err;
		struct stat held;
		struct stat there;
		char lock[300];
		if (!spool_directory_open(path, false, &d, &err)) {
			assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
			continue;
		}
		/* The lock that is held is the one that everybody else finds. */
		snprintf(lock, sizeof lock, "%s/lock", path);
		assert_int_equal(fstat(d.lock_fd, &held), 0);
		assert_int_equal(stat(lock, &there), 0);
		assert_true(held.st_ino == there.st_ino && held.st_nlink == 1);
		spool_directory_remove(&d);
		spool_directory_close(&d);
		i++;
	}
	return NULL;
}

static void test_a_lock_on_a_removed_folder_is_no_lock(void **state)
{
	struct fixture *f = *state;
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	char path[250];
	snprintf(path, sizeof path, "%s/contested", f->folder);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_remove, path), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct spool_directory d;
	struct error err;
	char path[300];
	touch(f, "file");
	snprintf(path, sizeof path, "%s/file/run", f->path);
	assert_false(spool_directory_open(path, false, &d, &err));
	assert_int_equal(err.code, ERR_STORAGE_FULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_folders_are_made_for_the_owner_only),
		TEST(test_the_cursor_is_what_was_stored_last),
		TEST(test_a_torn_cursor_falls_back_by_one_step),
		TEST(test_segments_are_listed_in_order_and_others_ignored),
		TEST(test_removal_leaves_no_folder_and_a_new_one_can_be_opened),
		TEST(test_a_lock_on_a_removed_folder_is_no_lock),
		TEST(test_a_folder_that_cannot_be_made_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
