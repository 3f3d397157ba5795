/* How many rows a page may have. Reading pages is tested with the searches. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/search_page.h"

static void test_the_page_size_is_checked_in_mlflows_words(void **state)
{
	(void)state;
	static const struct {
		bool is_set;
		int64_t given;
		size_t rows_max;
		const char *message_or_null;
	} rows[] = {
		{false, 0, 1000, NULL},
		{true, 1, 1, NULL},
		{true, 50000, 50000, NULL},
		{true, 0, 0,
		 "Invalid value 0 for parameter 'max_results' supplied. It must be a positive "
		 "integer"},
		{true, -5, 0,
		 "Invalid value -5 for parameter 'max_results' supplied. It must be a positive "
		 "integer"},
		{true, 50001, 0,
		 "Invalid value 50001 for parameter 'max_results' supplied. It must be at most "
		 "50000"},
		{true, INT64_MIN, 0,
		 "Invalid value -9223372036854775808 for parameter 'max_results' supplied. It must "
		 "be a positive integer"},
		{true, INT64_MAX, 0,
		 "Invalid value 9223372036854775807 for parameter 'max_results' supplied. It must "
		 "be at most 50000"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct error err = {0};
		size_t rows_max = 0;
		bool ok = search_page_rows_max(rows[i].is_set, rows[i].given, 1000, 50000,
					       &rows_max, &err);
		assert_int_equal(ok, rows[i].message_or_null == NULL);
		assert_int_equal(rows_max, rows[i].rows_max);
		if (rows[i].message_or_null != NULL)
			assert_string_equal(err.message, rows[i].message_or_null);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_page_size_is_checked_in_mlflows_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
