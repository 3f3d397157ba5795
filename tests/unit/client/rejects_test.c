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
#include "src/rejects.h"

static void test_refused_records_and_files_are_kept_with_their_reason(void **state)
{
	(void)state;
	char *folder = temporary_folder();
	char path[200];
	char line[1000];
	struct error err;
	snprintf(path, sizeof path, "%s/run", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	close(openat(fd, "file-3", O_WRONLY | O_CREAT, 0600));
	const struct record param = {.type = RECORD_PARAM, .pair = {SLICE("alpha"), SLICE("0.3")}};
	const struct record file = {
		.type = RECORD_FILE,
		.file = {SLICE("m.bin"), SLICE("file-3"), SLICE("s"), {NULL, 0}, 1},
	};
	assert_true(rejects_append(fd, "id", 7, &param, "it \"changed\"", &err));
	assert_true(rejects_append(fd, "id", 8, &file, "too big", &err));
	assert_true(rejects_append(fd, "id", 9, NULL, "unreadable", &err));
	snprintf(path, sizeof path, "%s/rejected/id-file-3", folder);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/rejected/id.jsonl", folder);
	FILE *stream = fopen(path, "r");
	assert_non_null(stream);
	static const char *const parts[3][3] = {
		{"\"record\":\"param alpha\"", "\"reason\":\"it \\\"changed\\\"\"",
		 "\"value\":\"0.3\""},
		{"\"record\":\"file m.bin\"", "\"sequence\":8", "\"stored_name\":\"file-3\""},
		{"\"record\":\"record\"", "\"sequence\":9", "unreadable"},
	};
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(fgets(line, sizeof line, stream));
		for (size_t k = 0; k < 3; k++)
			assert_non_null(strstr(line, parts[i][k]));
	}
	assert_null(fgets(line, sizeof line, stream));
	fclose(stream);
	/* Beyond the bound nothing is written, and that is no error. */
	assert_int_equal(truncate(path, REJECTS_BYTES_MAX + 1), 0);
	assert_true(rejects_append(fd, "id", 10, &param, "x", &err));
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_size, REJECTS_BYTES_MAX + 1);
	close(fd);
	temporary_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_records_and_files_are_kept_with_their_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
