/* Who sends a request: by which of its headers, and what is refused or cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "api/actor.h"
#include "limits.h"

struct fixture {
	struct arena arena;
	struct http_header headers[4];
	struct http_request http;
	struct registry_author author;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	arena_init(&f->arena, 1024 * 1024);
	f->http.headers = f->headers;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_deinit(&f->arena);
	free(f);
	return 0;
}

static void add(struct fixture *f, const char *name, const char *value)
{
	f->headers[f->http.header_count++] =
		(struct http_header){slice_from_cstr(name), slice_from_cstr(value)};
}

static bool ask(struct fixture *f, const char *own_or_null)
{
	return actor_of_request(&f->http, slice_from_cstr(own_or_null), &f->arena, &f->author,
				&f->err);
}

static void the_first_that_is_known_counts(void **state)
{
	static const struct {
		const char *header, *authorization, *own, *actor;
	} rows[] = {
		{"ana", "Basic Ym9iOnNlY3JldA==", "carl", "ana"},
		{NULL, "Basic Ym9iOnNlY3JldA==", "carl", "bob"},
		{"", "basic  Ym9iOnNlY3JldA== ", "carl", "bob"},
		{NULL, "Basic Ym9i", NULL, "bob"}, /* without a password */
		{NULL, "Basic OnNlY3JldA==", "carl", "carl"},
		{NULL, "Basic !", "carl", "carl"},
		{NULL, "Basic /zo=", "carl", "carl"}, /* no UTF-8 */
		{NULL, "Bearer Ym9iOnNlY3JldA==", NULL, ""},
		{NULL, NULL, "carl", "carl"},
		{NULL, NULL, NULL, ""},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		f->http.header_count = 0;
		if (rows[i].header != NULL)
			add(f, "x-trackerd-user", rows[i].header);
		if (rows[i].authorization != NULL)
			add(f, "Authorization", rows[i].authorization);
		assert_true(ask(f, rows[i].own));
		if (!slice_eq_cstr(f->author.actor, rows[i].actor))
			fail_msg("row %zu: %.*s", i, SLICE_FMT(f->author.actor));
	}
}

static void headers_are_bounded(void **state)
{
	static const struct {
		const char *name;
		size_t bytes_max;
	} rows[] = {
		{"X-Trackerd-User", REGISTRY_ACTOR_BYTES_MAX},
		{"X-Trackerd-Cause", REGISTRY_CAUSE_BYTES_MAX},
	};
	struct fixture *f = *state;
	char text[1024];
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		memset(text, 'x', sizeof(text));
		text[rows[i].bytes_max] = '\0';
		f->http.header_count = 0;
		add(f, rows[i].name, text);
		assert_true(ask(f, NULL));
		text[rows[i].bytes_max] = 'x';
		text[rows[i].bytes_max + 1] = '\0';
		f->headers[0].value = slice_from_cstr(text);
		assert_false(ask(f, NULL));
		assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
		f->headers[0].value = SLICE("\xff");
		assert_false(ask(f, NULL));
	}
}

static void what_others_say_is_cut_between_code_points(void **state)
{
	struct fixture *f = *state;
	char text[1024];
	for (size_t shift = 0; shift < 3; shift++) { /* of three bytes each: a cut in any of them */
		size_t len = shift;
		memset(text, 'x', shift);
		for (; len < 600; len += 3)
			memcpy(text + len, "€", 3);
		text[len] = '\0';
		f->http.header_count = 0;
		add(f, "User-Agent", text);
		assert_true(ask(f, text));
		assert_true(slice_is_utf8(f->author.client) && slice_is_utf8(f->author.actor));
		assert_in_range(f->author.client.len, REGISTRY_CLIENT_BYTES_MAX - 2,
				REGISTRY_CLIENT_BYTES_MAX);
		assert_in_range(f->author.actor.len, REGISTRY_ACTOR_BYTES_MAX - 2,
				REGISTRY_ACTOR_BYTES_MAX);
	}
	f->headers[0].value = SLICE("\xff agent");
	assert_true(ask(f, NULL));
	assert_int_equal(f->author.client.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_that_is_known_counts),
		TEST(headers_are_bounded),
		TEST(what_others_say_is_cut_between_code_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
