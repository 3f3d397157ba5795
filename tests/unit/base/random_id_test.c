/* Tests random identifiers, numbers and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random_id.h"

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, RANDOM_ID_HEX_LEN);
}

static void ids_are_hexadecimal_and_differ(void **state)
{
	(void)state;
	static char ids[10000][RANDOM_ID_HEX_LEN + 1];
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		random_id_hex(ids[i]);
		assert_int_equal(strlen(ids[i]), RANDOM_ID_HEX_LEN);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), RANDOM_ID_HEX_LEN);
	}
	qsort(ids, ARRAY_COUNT(ids), sizeof(ids[0]), compare_ids);
	for (size_t i = 1; i < ARRAY_COUNT(ids); i++)
		assert_true(strcmp(ids[i - 1], ids[i]) != 0);
}

static void numbers_below_a_bound_reach_all_values_evenly(void **state)
{
	(void)state;
	unsigned counts[6] = {0};
	for (int i = 0; i < 60000; i++) {
		uint64_t value = random_below(6);
		assert_true(value < 6);
		counts[value]++;
	}
	/* Eleven standard deviations: fails by chance less than once in 10^26. */
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
		assert_in_range(counts[i], 9000, 11000);
	assert_int_equal(random_below(1), 0);
	assert_true(random_below(UINT64_MAX) < UINT64_MAX);
}

static void every_bit_of_random_bytes_changes(void **state)
{
	(void)state;
	unsigned char all_or[1000] = {0}, all_and[1000];
	memset(all_and, 0xFF, sizeof(all_and));
	for (int round = 0; round < 64; round++) {
		unsigned char bytes[1000];
		random_bytes(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++) {
			all_or[i] |= bytes[i];
			all_and[i] &= bytes[i];
		}
	}
	for (size_t i = 0; i < sizeof(all_or); i++) {
		assert_int_equal(all_or[i], 0xFF);
		assert_int_equal(all_and[i], 0);
	}
	random_bytes(NULL, 0);
}

static void run_names_are_two_words_and_a_number(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char name[64];
		random_run_name(name);
		struct slice rest = slice_from_cstr(name), adjective, noun, number;
		uint64_t value;
		assert_true(slice_next(&rest, '-', &adjective) && adjective.len >= 3);
		assert_true(slice_next(&rest, '-', &noun) && noun.len >= 3);
		assert_true(slice_next(&rest, '-', &number));
		assert_false(slice_is_present(rest));
		assert_true(slice_parse_u64(number, &value) && value < 1000);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-0123456789"), strlen(name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_hexadecimal_and_differ),
		cmocka_unit_test(numbers_below_a_bound_reach_all_values_evenly),
		cmocka_unit_test(every_bit_of_random_bytes_changes),
		cmocka_unit_test(run_names_are_two_words_and_a_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
