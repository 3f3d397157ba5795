/* Tests the URLs that we hand out: from the Host header, from a proxy's, from the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "api/public_url.h"

static void test_the_root_is_what_the_peer_called(void **state)
{
	static const struct {
		const char *host, *proto, *option, *url; /* url NULL: refused */
	} rows[] = {
		{"127.0.0.1:5000", NULL, "", "http://127.0.0.1:5000"},
		{"[::1]:5000", "http", "", "http://[::1]:5000"},
		{"track.example", "https", "", "https://track.example"},
		{"track.example", "HTTPS", "", "https://track.example"},
		{"track.example", "javascript", "", "http://track.example"},
		{"inside:5000", "http", "https://track.example/mlflow", "https://track.example/mlflow"},
		{NULL, NULL, "https://track.example", "https://track.example"},
		{NULL, NULL, "", NULL},
	};
	struct arena arena;
	(void)state;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct http_header headers[] = {{SLICE("Host"), slice_from_cstr(rows[i].host)},
						      {SLICE("X-Forwarded-Proto"), slice_from_cstr(rows[i].proto)}};
		const struct http_request request = {.headers = headers, .header_count = 2};
		const struct api api = {.public_url = slice_from_cstr(rows[i].option)};
		struct slice url;
		struct error err;
		bool ok = public_url(&api, &request, &arena, &url, &err);
		assert_int_equal(ok, rows[i].url != NULL);
		if (ok)
			assert_true(slice_eq_cstr(url, rows[i].url));
		else
			assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
	arena_deinit(&arena);
}

static void test_paths_are_percent_encoded(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 1 << 20);
	struct slice url = public_url_of_artifact(SLICE("http://h"), SLICE("a/b c+d?e%\xC3\xA9~_.-Z9"), &arena);
	assert_true(slice_eq_cstr(
		url, "http://h/api/2.0/mlflow-artifacts/artifacts/a/b%20c%2Bd%3Fe%25%C3%A9~_.-Z9"));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_root_is_what_the_peer_called),
		cmocka_unit_test(test_paths_are_percent_encoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
