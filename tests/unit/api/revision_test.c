/* Tests the ETags of conditional reads: what makes them differ, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/revision.h"

static struct http_request request_of(const char *path, const char *query)
{
	return (struct http_request){.path = slice_from_cstr(path), .query = slice_from_cstr(query)};
}

static void test_each_part_of_a_request_counts(void **state)
{
	static const char *const rows[][3] = {
		{"/a", "", ""}, {"/b", "", ""}, {"/a", "b", ""}, {"/a", "", "b"}, {"/ab", "", ""}, {"", "/a", ""},
	};
	struct slice etags[ARRAY_COUNT(rows)];
	struct revision revision;
	struct arena arena;
	(void)state;
	arena_init(&arena, 1 << 20);
	revision_init(&revision);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct http_request request = request_of(rows[i][0], rows[i][1]);
		etags[i] = revision_etag(&revision, &request, slice_from_cstr(rows[i][2]), &arena);
		assert_true(slice_eq(etags[i], revision_etag(&revision, &request, slice_from_cstr(rows[i][2]), &arena)));
		for (size_t k = 0; k < i; k++)
			assert_false(slice_eq(etags[i], etags[k]));
	}
	arena_deinit(&arena);
}

static void test_commits_and_starts_make_another(void **state)
{
	struct revision revision, later;
	struct arena arena;
	struct http_request request = request_of("/a", "");
	(void)state;
	arena_init(&arena, 1 << 20);
	revision_init(&revision);
	revision_init(&later);
	struct slice before = revision_etag(&revision, &request, SLICE(""), &arena);
	assert_false(slice_eq(before, revision_etag(&later, &request, SLICE(""), &arena)));
	revision_advance(&revision);
	assert_false(slice_eq(before, revision_etag(&revision, &request, SLICE(""), &arena)));
	arena_deinit(&arena);
}

static void test_large_bodies_have_none(void **state)
{
	struct revision revision;
	struct arena arena;
	struct http_request request = request_of("/a", "");
	char *body = calloc(1, REVISION_BODY_BYTES_MAX + 1);
	(void)state;
	assert_non_null(body);
	arena_init(&arena, 1 << 20);
	revision_init(&revision);
	struct slice etag = revision_etag(&revision, &request, slice_make(body, REVISION_BODY_BYTES_MAX), &arena);
	assert_true(slice_is_present(etag));
	etag = revision_etag(&revision, &request, slice_make(body, REVISION_BODY_BYTES_MAX + 1), &arena);
	assert_false(slice_is_present(etag));
	arena_deinit(&arena);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_part_of_a_request_counts),
		cmocka_unit_test(test_commits_and_starts_make_another),
		cmocka_unit_test(test_large_bodies_have_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
