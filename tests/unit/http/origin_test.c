/* Tests who may call us from a browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/origin.h"

static const struct {
	const char *host, *allowed;
	bool is_allowed;
} hosts[] = {
	{"127.0.0.1:5000", "", true},
	{"[::1]:5000", "", true},
	{"192.168.7.9", "", true}, /* an address cannot be rebound */
	{"localhost:5000", "", true},
	{"LOCALHOST", "", true},
	{"evil.example", "", false},
	{"evil.example:5000", "good.example", false},
	{"good.example:5000", "good.example", true},
	{"good.example:5000", "other.example, good.example:5000", true},
	{"any.example", "*", true},
	{"localhost.evil.example", "", false},
	{"127.0.0.1.evil.example", "", false},
	{"1.2.3", "", false},
	{"", "", true}, /* HTTP/1.0 */
};

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
		bool is_allowed = origin_host_is_allowed(slice_from_cstr(hosts[i].host),
							 slice_from_cstr(hosts[i].allowed));
		if (is_allowed != hosts[i].is_allowed)
			fail_msg("host \"%s\" with \"%s\"", hosts[i].host, hosts[i].allowed);
	}
}

static const struct {
	const char *origin_or_null, *host, *allowed;
	bool is_allowed;
} origins[] = {
	{NULL, "127.0.0.1:5000", "", true},
	{"http://127.0.0.1:5000", "127.0.0.1:5000", "", true},
	{"https://tracker.example", "tracker.example", "", true},
	{"http://127.0.0.1:5001", "127.0.0.1:5000", "", false},
	{"http://evil.example", "127.0.0.1:5000", "", false},
	{"null", "127.0.0.1:5000", "", false},
	{"https://page.example", "127.0.0.1:5000", "https://page.example", true},
	{"https://page.example", "127.0.0.1:5000", "https://a.example,https://page.example", true},
	{"https://page.example.evil", "127.0.0.1:5000", "https://page.example", false},
	{"https://page.example", "127.0.0.1:5000", "*", true},
	{"", "127.0.0.1:5000", "", false},
};

static void test_origins(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(origins); i++) {
		bool is_allowed = origin_is_allowed(slice_from_cstr(origins[i].origin_or_null),
						    slice_from_cstr(origins[i].host),
						    slice_from_cstr(origins[i].allowed));
		if (is_allowed != origins[i].is_allowed)
			fail_msg("origin \"%s\" at \"%s\" with \"%s\"", origins[i].origin_or_null,
				 origins[i].host, origins[i].allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
