/* Tests the grammar of artifact paths with a table of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "artifacts/artifact_path.h"
#include "limits.h"

/* path_or_null NULL: refused. */
struct row {
	const char *text;
	const char *path_or_null;
};

// clang-format off
static const struct row url_rows[] = {
	{"", ""},
	{"a", "a"},
	{"a/b/c.txt", "a/b/c.txt"},
	{"a/", "a"},
	{"a//b", "a/b"},
	{"./a/./b/.", "a/b"},
	{".", ""},
	{"a..b/...", "a..b/..."},
	{"a%20b", "a b"},
	{"a%2520b", "a b"},
	{"a%252520b", "a b"},
	{"a%25b", "a%b"},
	{"100%", "100%"},
	{"100%25", "100%"},
	{"%zz%4", "%zz%4"},
	{"a+b", "a+b"},
	{"%2%35", "%"},
	{"h%C3%A9", "h\xc3\xa9"},
	{"a:b", NULL},
	{"ab:c", "ab:c"},
	{"1:2", "1:2"},
	{"/a", NULL},
	{"%2Fa", NULL},
	{"..", NULL},
	{"a/../b", NULL},
	{"a/..", NULL},
	{"%2e%2e/a", NULL},
	{"%252e%252e/a", NULL},
	{"a/%2E%2e", NULL},
	{"a\\b", NULL},
	{"a%5Cb", NULL},
	{"a#b", NULL},
	{"a%23b", NULL},
	{"a%00b", NULL},
	{"a%2500b", NULL},
	{"a\nb", "a%0ab"},
	{"a%0Ab", "a%0ab"},
	{"a%250Ab", "a%0ab"},
	{"a%7f", "a%7f"},
	{"\x1f%1F", "%1f%1f"},
	{"k%25step%252%25timestamp%251795428616696.png", "k%step%2%timestamp%1795428616696.png"},
	{"k%step%2%timestamp%1795428616696.png", "k%step%2%timestamp%1795428616696.png"},
	{"C:/a", NULL},
	{"c%3A/a", NULL},
	{"%ff", NULL},
	{"%C0%AF", NULL},
	{"%ED%A0%80", NULL},
};

static const struct row member_rows[] = {
	{"a", "a"},
	{"./a//b/", "a/b"},
	{"./", ""},
	{"100%", "100%"},
	{"a b+c", "a b+c"},
	{"a%20b", NULL},
	{"a%0ab", "a%0ab"},
	{"a%0Ab", NULL},
	{"a%00b", NULL},
	{"k%step%2%timestamp%1795428616696.png", "k%step%2%timestamp%1795428616696.png"},
	{"%2e%2e/a", NULL},
	{"/etc/passwd", NULL},
	{"../a", NULL},
	{"a/../../b", NULL},
	{"a\\b", NULL},
	{"a\tb", NULL},
	{"C:\\a", NULL},
	{"a#b", NULL},
	{"\xff", NULL},
};

static const struct row uri_rows[] = {
	{"mlflow-artifacts:/1/ab/artifacts", "1/ab/artifacts"},
	{"mlflow-artifacts:/", ""},
	{"mlflow-artifacts://host:5000/1/ab", "1/ab"},
	{"mlflow-artifacts:///1/ab", "1/ab"},
	{"mlflow-artifacts:/1/a%20b", "1/a b"},
	{"mlflow-artifacts:/1/../2", NULL},
	{"s3://bucket/1", NULL},
	{"file:///tmp/x", NULL},
	{"/tmp/x", NULL},
	{"", NULL},
};
// clang-format on

typedef bool parse_fn(struct slice, struct arena *, struct slice *, struct error *);

static void check_rows(const struct row *rows, size_t count, parse_fn *parse)
{
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		struct error err = {0};
		struct slice path = {0};
		bool ok = parse(slice_from_cstr(rows[i].text), &arena, &path, &err);
		if (ok != (rows[i].path_or_null != NULL))
			fail_msg("'%s' was %s", rows[i].text, ok ? "accepted" : "refused");
		if (ok && !slice_eq_cstr(path, rows[i].path_or_null))
			fail_msg("'%s' became '%.*s'", rows[i].text, SLICE_FMT(path));
		if (!ok)
			assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	}
	arena_deinit(&arena);
}

static void test_paths_of_urls(void **state)
{
	(void)state;
	check_rows(url_rows, ARRAY_COUNT(url_rows), artifact_path_parse);
}

static void test_names_of_archive_members(void **state)
{
	(void)state;
	check_rows(member_rows, ARRAY_COUNT(member_rows), artifact_path_parse_member);
}

static void test_addresses_of_artifacts(void **state)
{
	(void)state;
	check_rows(uri_rows, ARRAY_COUNT(uri_rows), artifact_path_from_uri);
}

static void test_refusal_says_invalid_path(void **state)
{
	struct arena arena;
	struct slice path;
	struct error err;
	(void)state;
	arena_init(&arena, 1 << 20);
	assert_false(artifact_path_parse(SLICE("../x"), &arena, &path, &err));
	assert_string_equal(err.message, "Invalid path");
	assert_false(artifact_path_parse_below_root(SLICE("."), &arena, &path, &err));
	assert_string_equal(err.message, "Invalid path");
	assert_false(artifact_path_parse_member(SLICE("x/../../y"), &arena, &path, &err));
	assert_string_equal(err.message, "Invalid path in the archive: 'x/../../y' contains '..'.");
	arena_deinit(&arena);
}

static void test_length_is_tested_at_the_limit_and_one_beyond(void **state)
{
	char text[ARTIFACT_PATH_BYTES_MAX + 1];
	struct arena arena;
	struct slice path, joined;
	struct error err;
	(void)state;
	memset(text, 'a', sizeof(text));
	arena_init(&arena, 1 << 20);
	assert_true(artifact_path_parse(slice_make(text, sizeof(text) - 1), &arena, &path, &err));
	assert_int_equal(path.len, ARTIFACT_PATH_BYTES_MAX);
	assert_false(artifact_path_parse(slice_make(text, sizeof(text)), &arena, &path, &err));
	assert_true(artifact_path_parse_member(slice_make(text, sizeof(text) - 1), &arena, &path,
					       &err));
	assert_false(
		artifact_path_parse_member(slice_make(text, sizeof(text)), &arena, &path, &err));
	assert_true(artifact_path_join(SLICE("b"), slice_make(text, sizeof(text) - 3), &arena,
				       &joined, &err));
	assert_int_equal(joined.len, ARTIFACT_PATH_BYTES_MAX);
	assert_false(artifact_path_join(SLICE("b"), slice_make(text, sizeof(text) - 2), &arena,
					&joined, &err));
	arena_deinit(&arena);
}

static void test_directory_and_name_split_at_the_last_slash(void **state)
{
	(void)state;
	assert_true(slice_eq_cstr(artifact_path_directory(SLICE("a/b/c")), "a/b"));
	assert_true(slice_eq_cstr(artifact_path_name(SLICE("a/b/c")), "c"));
	assert_true(slice_eq_cstr(artifact_path_directory(SLICE("a")), ""));
	assert_true(slice_eq_cstr(artifact_path_name(SLICE("a")), "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_of_urls),
		cmocka_unit_test(test_names_of_archive_members),
		cmocka_unit_test(test_addresses_of_artifacts),
		cmocka_unit_test(test_refusal_says_invalid_path),
		cmocka_unit_test(test_length_is_tested_at_the_limit_and_one_beyond),
		cmocka_unit_test(test_directory_and_name_split_at_the_last_slash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
