/* Tests digests and their text forms against known values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest/digest.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_BASE64 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static void test_digest_of_pieces_is_that_of_the_whole(void **state)
{
	struct digest hash;
	struct error err;
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	(void)state;
	assert_true(digest_init(&hash, &err));
	digest_update(&hash, SLICE("a"));
	digest_value(&hash, digest); /* asking does not end it */
	digest_update(&hash, SLICE("bc"));
	digest_value(&hash, digest);
	digest_hex(digest, hex);
	assert_string_equal(hex, ABC);
	digest_restart(&hash);
	digest_value(&hash, digest);
	digest_hex(digest, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_deinit(&hash);
}

static void test_hexadecimal_is_read_in_either_case_and_only_whole(void **state)
{
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	(void)state;
	assert_true(digest_from_hex(SLICE("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), digest));
	digest_hex(digest, hex);
	assert_string_equal(hex, ABC);
	assert_false(digest_from_hex(SLICE(ABC "0"), digest));
	assert_false(digest_from_hex(slice_make(ABC, 63), digest));
	assert_false(digest_from_hex(SLICE("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), digest));
	assert_false(digest_from_hex(SLICE(""), digest));
}

static void test_content_digest_rows(void **state)
{
	static const struct {
		const char *header;
		bool ok, found;
	} rows[] = {
		{"sha-256=:" ABC_BASE64 ":", true, true},
		{"sha-512=:AAAA:, sha-256=:" ABC_BASE64 ":", true, true},
		{"sha-256=:" ABC_BASE64 ": , md5=:AA==:", true, true},
		{"sha-512=:AAAA:", true, false},
		{"", true, false},
		{"sha-256=" ABC_BASE64, true, false},
		{"sha-256=:" ABC_BASE64, false, false},
		{"sha-256=::", false, false},
		{"sha-256=:AAAA:", false, false},
		{"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa==:", false, false},
		{"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAF!0=:", false, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		unsigned char digest[SHA256_BYTES];
		char hex[SHA256_HEX_LEN + 1];
		bool found = false;
		bool ok = digest_from_content_digest(slice_from_cstr(rows[i].header), &found, digest);
		if (ok != rows[i].ok || (ok && found != rows[i].found))
			fail_msg("'%s'", rows[i].header);
		if (ok && found) {
			digest_hex(digest, hex);
			assert_string_equal(hex, ABC);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_of_pieces_is_that_of_the_whole),
		cmocka_unit_test(test_hexadecimal_is_read_in_either_case_and_only_whole),
		cmocka_unit_test(test_content_digest_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
