/* Which addresses are public: the first and last of each range, and those beside it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "outgoing/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/assert.h"

struct row {
	const char *address;
	bool is_public;
};

// clang-format off
static const struct row rows[] = {
	{"0.0.0.0", false}, {"0.255.255.255", false}, {"1.0.0.0", true},
	{"9.255.255.255", true}, {"10.0.0.0", false}, {"10.255.255.255", false}, {"11.0.0.0", true},
	{"100.63.255.255", true}, {"100.64.0.0", false}, {"100.127.255.255", false}, {"100.128.0.0", true},
	{"126.255.255.255", true}, {"127.0.0.0", false}, {"127.0.0.1", false}, {"127.255.255.255", false},
	{"128.0.0.0", true},
	{"169.253.255.255", true}, {"169.254.0.0", false}, {"169.254.169.254", false}, {"169.255.0.0", true},
	{"172.15.255.255", true}, {"172.16.0.0", false}, {"172.31.255.255", false}, {"172.32.0.0", true},
	{"192.0.0.0", false}, {"192.0.0.255", false}, {"192.0.1.0", true}, {"192.0.2.255", false},
	{"192.88.99.1", false}, {"192.167.255.255", true}, {"192.168.0.0", false}, {"192.168.255.255", false},
	{"192.169.0.0", true},
	{"198.17.255.255", true}, {"198.18.0.0", false}, {"198.19.255.255", false}, {"198.20.0.0", true},
	{"198.51.100.7", false}, {"203.0.113.7", false}, {"203.0.114.0", true},
	{"223.255.255.255", true}, {"224.0.0.0", false}, {"239.255.255.255", false}, {"240.0.0.0", false},
	{"255.255.255.255", false}, {"8.8.8.8", true},

	{"::", false}, {"::1", false}, {"fe80::1", false}, {"fc00::1", false}, {"fdff::1", false},
	{"ff02::1", false}, {"fec0::1", false}, {"100::1", false},
	{"::ffff:127.0.0.1", false}, {"::ffff:169.254.169.254", false}, {"::ffff:8.8.8.8", true},
	{"::127.0.0.1", false}, {"::8.8.8.8", false},
	{"64:ff9b::10.0.0.1", false}, {"64:ff9b::8.8.8.8", true}, {"64:ff9b:1::8.8.8.8", false},
	{"2001::1", false}, {"2001:1ff:ffff::1", false}, {"2001:200::1", true}, {"2001:db8::1", false},
	{"2001:db9::1", true}, {"2002:7f00:1::1", false}, {"2003::1", true},
	{"1fff:ffff::1", false}, {"2000::1", true}, {"2606:4700:4700::1111", true},
	{"3ffe::1", true}, {"3fff::1", false}, {"3fff:fff::1", false}, {"3fff:1000::1", true}, {"4000::1", false},
};
// clang-format on

static void addresses_are_public_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct sockaddr_storage address = {0};
		struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
		bool is_v6 = strchr(rows[i].address, ':') != NULL;
		address.ss_family = is_v6 ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(address.ss_family, rows[i].address,
					   is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr),
				 1);
		if (address_is_public((struct sockaddr *)&address) != rows[i].is_public)
			fail_msg("%s", rows[i].address);
	}
}

static void other_families_are_not_public(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[64];
	(void)state;
	assert_false(address_is_public((struct sockaddr *)&address));
	address_format((struct sockaddr *)&address, text);
	assert_string_equal(text, "?");
}

static void hosts_are_known_to_be_private_in_any_form(void **state)
{
	static const char *const private_hosts[] = {
		"127.0.0.1", "127.1",	  "2130706433",	    "0x7f000001", "0177.0.0.1",
		"10.1",	     "localhost", "LOCALHOST",	    "localhost.", "a.b.Localhost",
		"::1",	     "fe80::1",	  "::ffff:10.0.0.1"};
	static const char *const other_hosts[] = {
		"8.8.8.8", "example.com",	   "localhost.example",	  "mylocalhost",
		".",	   "2606:4700:4700::1111", "10.0.0.1.nip.example"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(private_hosts); i++) {
		if (!host_is_known_private(slice_from_cstr(private_hosts[i])))
			fail_msg("%s", private_hosts[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(other_hosts); i++) {
		if (host_is_known_private(slice_from_cstr(other_hosts[i])))
			fail_msg("%s", other_hosts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_public_or_not),
		cmocka_unit_test(other_families_are_not_public),
		cmocka_unit_test(hosts_are_known_to_be_private_in_any_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
