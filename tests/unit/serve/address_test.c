/* Tests of the URL of what is served. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "serve/address.h"

static void test_an_address_is_told_as_it_is(void **state)
{
	static const struct {
		const char *host, *url;
	} rows[] = {
		{"127.0.0.1", "http://127.0.0.1:8080"}, {"localhost", "http://localhost:8080"},
		{"::1", "http://[::1]:8080"},		{"0.0.0.1", "http://0.0.0.1:8080"},
		{"10.0.0.0", "http://10.0.0.0:8080"},
	};
	char url[128];
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		address_url(rows[i].host, 8080, url, sizeof(url));
		assert_string_equal(url, rows[i].url);
	}
}

static void test_all_addresses_are_told_by_the_name_of_the_host(void **state)
{
	static const char *const rows[] = {"0.0.0.0", "::", "0:0:0:0:0:0:0:0"};
	char url[128], expected[128], name[65] = "";
	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	(void)snprintf(expected, sizeof(expected), "http://%s:1", name);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		address_url(rows[i], 1, url, sizeof(url));
		assert_string_equal(url, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_told_as_it_is),
		cmocka_unit_test(test_all_addresses_are_told_by_the_name_of_the_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
