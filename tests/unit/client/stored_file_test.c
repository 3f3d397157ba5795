#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_server_helper.h"
#include "src/stored_file.h"
#include "src/tar_writer.h"

struct fixture {
	char *spool;
	char *data;
	int spool_fd;
	char sentence[2048]; /* of the last command */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->spool = temporary_folder();
	f->data = temporary_folder();
	f->spool_fd = open(f->spool, O_RDONLY | O_DIRECTORY);
	assert_true(f->spool_fd >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	close(f->spool_fd);
	temporary_folder_remove(f->spool);
	temporary_folder_remove(f->data);
	free(f);
	return 0;
}

static char *path_of(struct fixture *f, const char *name)
{
	char *path;
	assert_true(asprintf(&path, "%s/%s", f->data, name) > 0);
	return path;
}

static void write_file(struct fixture *f, const char *name, const char *content)
{
	char *path = path_of(f, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	free(path);
}

static void make_folder(struct fixture *f, const char *name)
{
	char *path = path_of(f, name);
	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
}

/* What a shell command prints, run in the spool. */
static const char *output_of(struct fixture *f, const char *command)
{
	char *line;
	assert_true(asprintf(&line, "cd '%s' && %s", f->spool, command) > 0);
	FILE *pipe = popen(line, "r");
	assert_non_null(pipe);
	size_t len = fread(f->sentence, 1, sizeof f->sentence - 1, pipe);
	f->sentence[len] = '\0';
	assert_int_equal(pclose(pipe), 0);
	free(line);
	return f->sentence;
}

static void test_a_copy_does_not_follow_its_original(void **state)
{
	struct fixture *f = *state;
	struct stored_file stored;
	struct error err;
	char *path = path_of(f, "a");
	write_file(f, "a", "abc");
	assert_true(stored_file_copy(f->spool_fd, 7, path, &stored, &err));
	write_file(f, "a", "changed");
	assert_string_equal(stored.name, "file-7");
	assert_int_equal(stored.bytes, 3);
	assert_string_equal(stored.sha256,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(output_of(f, "cat file-7"), "abc");
	free(path);
}

static void test_what_is_no_file_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct stored_file stored;
	struct error err;
	char *missing = path_of(f, "missing");
	char *fifo = path_of(f, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	const char *const rows[] = {missing, fifo, f->data, "/dev/null"};
	for (size_t i = 0; i < 4; i++) {
		assert_false(stored_file_copy(f->spool_fd, i, rows[i], &stored, &err));
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
	assert_false(stored_file_pack(f->spool_fd, 9, missing, &stored, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	/* A folder without a file is no artifact. */
	assert_false(stored_file_pack(f->spool_fd, 9, f->data, &stored, &err));
	assert_string_equal(output_of(f, "ls"), "");
	free(missing);
	free(fifo);
}

static void test_tar_reads_the_tarball_with_long_names_and_empty_files(void **state)
{
	struct fixture *f = *state;
	struct stored_file stored;
	struct error err;
	char name[300];
	char longest[101];
	make_folder(f, "sub");
	write_file(f, "sub/b.txt", "bee");
	write_file(f, "empty", "");
	memset(longest, 'n', 100);
	longest[100] = '\0';
	write_file(f, longest, "a hundred");
	snprintf(name, sizeof name, "%s1", longest);
	write_file(f, name, "a hundred and one");
	assert_true(stored_file_pack(f->spool_fd, 1, f->data, &stored, &err));
	assert_string_equal(output_of(f, "mkdir out && tar -xf file-1 -C out && cat out/sub/b.txt"),
			    "bee");
	assert_string_equal(output_of(f, "cd out && ls | wc -l"), "4\n");
	assert_string_equal(output_of(f, "cd out && cat n*n"), "a hundred");
	assert_string_equal(output_of(f, "cd out && cat n*1"), "a hundred and one");
	/* The digests are what standard tools say. */
	output_of(f, "sha256sum file-1 | cut -c1-64 | tr -d '\\n'");
	assert_string_equal(f->sentence, stored.sha256);
	output_of(f, "cd out && find . -type f | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | "
		     "sha256sum | "
		     "cut -c1-64 | tr -d '\\n'");
	assert_string_equal(f->sentence, stored.tree_sha256);
}

static void test_the_same_tree_gives_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	struct stored_file first;
	struct stored_file second;
	struct error err;
	make_folder(f, "one");
	make_folder(f, "two");
	write_file(f, "one/a", "1");
	write_file(f, "one/b", "2");
	write_file(f, "two/b", "2");
	write_file(f, "two/a", "1");
	char *one = path_of(f, "one");
	char *two = path_of(f, "two");
	char *inner = path_of(f, "two/a");
	assert_int_equal(chmod(inner, 0755), 0);
	assert_true(stored_file_pack(f->spool_fd, 1, one, &first, &err));
	assert_true(stored_file_pack(f->spool_fd, 2, two, &second, &err));
	assert_string_equal(first.sha256, second.sha256);
	assert_string_equal(first.tree_sha256, second.tree_sha256);
	free(one);
	free(two);
	free(inner);
}

static void test_links_count_as_the_files_they_name(void **state)
{
	struct fixture *f = *state;
	struct stored_file stored;
	struct error err;
	char *to_file = path_of(f, "to_file");
	char *to_folder = path_of(f, "to_folder");
	char *dangling = path_of(f, "dangling");
	write_file(f, "real", "content");
	assert_int_equal(symlink("real", to_file), 0);
	assert_int_equal(symlink(".", to_folder), 0);
	assert_int_equal(symlink("nowhere", dangling), 0);
	assert_true(stored_file_pack(f->spool_fd, 1, f->data, &stored, &err));
	assert_string_equal(output_of(f, "tar -tf file-1"), "real\nto_file\n");
	free(to_file);
	free(to_folder);
	free(dangling);
}

static void test_a_file_that_shrinks_while_it_is_read_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct tar_writer w;
	struct error err;
	char *path = path_of(f, "short");
	write_file(f, "short", "abc");
	int from = open(path, O_RDONLY);
	int to = openat(f->spool_fd, "tar", O_WRONLY | O_CREAT, 0600);
	assert_true(from >= 0 && to >= 0);
	assert_true(tar_writer_init(&w, to, &err));
	assert_false(tar_writer_add(&w, "short", from, 4, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	char too_long[TAR_PATH_BYTES_MAX + 2];
	memset(too_long, 'x', sizeof too_long);
	too_long[TAR_PATH_BYTES_MAX + 1] = '\0';
	assert_false(tar_writer_add(&w, too_long, from, 0, &err));
	tar_writer_deinit(&w);
	close(from);
	close(to);
	free(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_copy_does_not_follow_its_original),
		TEST(test_what_is_no_file_leaves_nothing_behind),
		TEST(test_tar_reads_the_tarball_with_long_names_and_empty_files),
		TEST(test_the_same_tree_gives_the_same_bytes),
		TEST(test_links_count_as_the_files_they_name),
		TEST(test_a_file_that_shrinks_while_it_is_read_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
