#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "src/sha256.h"

static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void test_digests_of_pieces_and_reuse(void **state)
{
	(void)state;
	struct sha256 h;
	struct error err;
	char hex[SHA256_HEX_LEN + 1];
	assert_true(sha256_init(&h, &err));
	assert_true(sha256_finish(&h, hex, &err));
	assert_string_equal(hex, empty);
	assert_true(sha256_update(&h, SLICE("a"), &err));
	assert_true(sha256_update(&h, SLICE("bc"), &err));
	assert_true(sha256_finish(&h, hex, &err));
	assert_string_equal(hex, abc);
	sha256_deinit(&h);
}

static void test_digest_of_a_file_does_not_depend_on_its_offset(void **state)
{
	(void)state;
	struct error err;
	char hex[SHA256_HEX_LEN + 1];
	int64_t bytes;
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_true(fputs("abc", file) >= 0 && fflush(file) == 0);
	assert_true(sha256_of_file(fileno(file), "x", hex, &bytes, &err));
	assert_string_equal(hex, abc);
	assert_int_equal(bytes, 3);
	assert_false(sha256_of_file(-1, "the path", hex, &bytes, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests_of_pieces_and_reuse),
		cmocka_unit_test(test_digest_of_a_file_does_not_depend_on_its_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
