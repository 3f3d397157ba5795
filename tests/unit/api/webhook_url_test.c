/* Which URLs webhooks may have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/webhook_url.h"

#include <stdio.h>
#include <string.h>

#include "limits.h"

static const struct webhook_rules strict = {.allowed_schemes = "https"};
static const struct webhook_rules both = {.allowed_schemes = "http,https"};
static const struct webhook_rules lenient = {.allowed_schemes = "http,https",
					     .allows_private_addresses = true};

struct row {
	const char *url;
	const struct webhook_rules *rules;
	const char *message; /* its beginning; "" for none */
};

#define SCHEME	"Invalid webhook URL scheme: "
#define PRIVATE "Webhook URL must not resolve to a non-public IP address. "
#define NO_HOST "Webhook URL must include a hostname: "
#define UGLY	"Invalid webhook URL "

// clang-format off
static const struct row rows[] = {
	{"https://example.com", &strict, ""},
	{"HTTPS://example.com:8443/a/b?c=d#e", &strict, ""},
	{"https://user:word@example.com/", &strict, ""},
	{"http://example.com", &strict, SCHEME "'http'. Allowed schemes are: https."},
	{"http://example.com", &both, ""},
	{"ftp://example.com", &both, SCHEME "'ftp'"},
	{"file:///etc/passwd", &lenient, SCHEME "'file'"},
	{"example.com", &both, SCHEME "''"},
	{"https:example.com", &both, SCHEME "''"},
	{"https", &both, SCHEME "''"},
	{"httpss://example.com", &both, SCHEME "'httpss'"},
	{"", &both, "Webhook URL cannot be empty or just whitespace: ''"},
	{" \t", &both, "Webhook URL cannot be empty or just whitespace: "},
	{"https://", &both, NO_HOST "'https://'"},
	{"https:///path", &both, NO_HOST},
	{"https://?q", &both, NO_HOST},
	{"https://:443/", &both, NO_HOST},
	{"https://user@/", &both, NO_HOST},
	{"https://[]/", &both, NO_HOST},
	{"https://exa mple.com", &both, UGLY},
	{"https://example.com/\r\nX: y", &both, UGLY},
	{"https://example.com\\@127.0.0.1", &both, UGLY},
	{"https://127.0.0.1", &both, PRIVATE "'127.0.0.1' is one"},
	{"https://127.0.0.1:443/x", &both, PRIVATE},
	{"https://0x7f.1/", &both, PRIVATE},
	{"https://2130706433", &both, PRIVATE},
	{"https://[::1]:8443/x", &both, PRIVATE "'::1' is one"},
	{"https://[::ffff:169.254.169.254]", &both, PRIVATE},
	{"https://localhost/", &both, PRIVATE},
	{"https://a.localhost:1/", &both, PRIVATE},
	{"https://example.com@127.0.0.1/", &both, PRIVATE},
	{"https://a@b@127.0.0.1/", &both, PRIVATE},
	{"https://127.0.0.1@example.com/", &both, ""},
	{"https://example.com?@127.0.0.1/", &both, ""},
	{"https://127.0.0.1", &lenient, ""},
	{"http://[::1]:80/", &lenient, ""},
	{"http://localhost", &lenient, ""},
	{"https://8.8.8.8", &strict, ""},
};
// clang-format on

static void urls_are_taken_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct error err;
		error_clear(&err);
		bool ok = webhook_url_check(slice_from_cstr(row->url), row->rules, &err);
		if (ok != (row->message[0] == '\0') ||
		    strncmp(err.message, row->message, strlen(row->message)) != 0)
			fail_msg("%s: %s", row->url, err.message);
	}
}

static void the_longest_url(void **state)
{
	char url[WEBHOOK_URL_BYTES_MAX + 2];
	struct error err;
	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://", 8);
	assert_true(webhook_url_check(slice_make(url, WEBHOOK_URL_BYTES_MAX), &strict, &err));
	assert_false(webhook_url_check(slice_make(url, WEBHOOK_URL_BYTES_MAX + 1), &strict, &err));
	assert_string_equal(err.message, "Webhook URL exceeds the maximum length of 2048 bytes.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_or_not),
		cmocka_unit_test(the_longest_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
