/* Artifact addresses put together. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/artifact_uri.h"

static void a_path_goes_before_the_query(void **state)
{
	// clang-format off
	static const struct {
		const char *base, *path, *joined;
	} rows[] = {
		{"mlflow-artifacts:/", "1", "mlflow-artifacts:/1"},
		{"mlflow-artifacts:/1", "r/artifacts", "mlflow-artifacts:/1/r/artifacts"},
		{"s3://bucket", "1", "s3://bucket/1"},
		{"s3://bucket/", "1", "s3://bucket/1"},
		{"s3://bucket/a//", "1", "s3://bucket/a/1"},
		{"s3://bucket/p?region=x", "1", "s3://bucket/p/1?region=x"},
		{"s3://bucket/p/?region=x/", "1", "s3://bucket/p/1?region=x/"},
		{"/srv/artifacts", "1", "/srv/artifacts/1"},
		{"/", "1", "/1"},
	};
	// clang-format on
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice joined = artifact_uri_join(slice_from_cstr(rows[i].base),
							slice_from_cstr(rows[i].path), &arena);
		assert_string_equal(arena_cstr(&arena, joined), rows[i].joined);
	}
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_path_goes_before_the_query)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
