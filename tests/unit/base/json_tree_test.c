/* Tests the small tree for readers of replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/json_scanner.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

static const struct json_value *parse(const char *text)
{
	struct json_value *root = NULL;
	struct error err;
	assert_true(json_tree_parse(slice_from_cstr(text), &arena, &root, &err));
	return root;
}

static void members_and_paths_are_found(void **state)
{
	(void)state;
	const struct json_value *root = parse(
		" {\"a\":1,\"A\":2,\"a\":3,\"info\":{\"run_id\":\"x\\ny\",\"deep\":{\"v\":true}},\"l\":[1,[2]] } ");
	assert_int_equal(root->kind, JSON_KIND_OBJECT);
	assert_int_equal(root->child_count, 5);
	assert_int_equal(json_tree_i64(json_tree_get(root, "a"), 0), 1);
	assert_int_equal(json_tree_i64(json_tree_get(root, "A"), 0), 2);
	assert_null(json_tree_get(root, "b"));
	assert_null(json_tree_get(root, ""));
	assert_null(json_tree_get(NULL, "a"));
	assert_null(json_tree_get(json_tree_get(root, "l"), "a"));
	struct slice id = json_tree_string(json_tree_path(root, "info.run_id"), SLICE("none"));
	assert_true(slice_eq_cstr(id, "x\ny"));
	assert_true(json_tree_bool(json_tree_path(root, "info.deep.v"), false));
	assert_null(json_tree_path(root, "info.deep.v.w"));
	assert_null(json_tree_path(root, "info.none"));
	const struct json_value *list = json_tree_get(root, "l");
	assert_int_equal(list->child_count, 2);
	assert_true(slice_eq_cstr(list->text, "[1,[2]]"));
	assert_true(slice_eq_cstr(list->first_child_or_null->next_sibling_or_null->text, "[2]"));
	assert_null(list->first_child_or_null->next_sibling_or_null->next_sibling_or_null);
	assert_int_equal(root->text.ptr[0], '{');
	assert_int_equal(root->text.ptr[root->text.len - 1], '}');
}

static void readers_take_numbers_from_strings_and_have_defaults(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int64_t whole;
		double real;
	} rows[] = {
		{"5", 5, 5.0},
		{"\"5\"", 5, 5.0},
		{"9223372036854775807", INT64_MAX, 9223372036854775807.0},
		{"\"9223372036854775807\"", INT64_MAX, 9223372036854775807.0},
		{"9223372036854775808", -1, 9223372036854775808.0},
		{"3.0", 3, 3.0},
		{"1e3", 1000, 1000.0},
		{"3.5", -1, 3.5},
		{"\"Infinity\"", -1, (double)INFINITY},
		{"\"-Infinity\"", -1, -(double)INFINITY},
		{"\"x\"", -1, -1.0},
		{"\"\"", -1, -1.0},
		{"true", -1, -1.0},
		{"null", -1, -1.0},
		{"[5]", -1, -1.0},
		{"{}", -1, -1.0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct json_value *value = parse(rows[i].json);
		assert_true(json_tree_i64(value, -1) == rows[i].whole);
		assert_true(json_tree_double(value, -1.0) == rows[i].real);
	}
	assert_true(isnan(json_tree_double(parse("\"NaN\""), 0)));
	assert_int_equal(json_tree_i64(NULL, 7), 7);
	assert_true(json_tree_double(NULL, 7.0) == 7.0);
	assert_true(json_tree_bool(NULL, true));
	assert_true(json_tree_bool(parse("1"), true));
	assert_false(json_tree_bool(parse("false"), true));
	assert_true(slice_eq_cstr(json_tree_string(parse("5"), SLICE("d")), "d"));
	assert_true(slice_eq_cstr(json_tree_string(parse("\"\""), SLICE("d")), ""));
}

static void every_value_has_its_text(void **state)
{
	(void)state;
	static const char *const texts[] = {"true", "false", "null", "-1.50", "[ 1 ]", "{ }"};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_true(slice_eq_cstr(parse(texts[i])->text, texts[i]));
}

static void errors_name_the_place(void **state)
{
	(void)state;
	struct json_value *root = NULL;
	struct error err;
	assert_false(json_tree_parse(SLICE("{\"a\":tru}"), &arena, &root, &err));
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	assert_string_equal(err.message, "Not JSON: a value was expected at byte 5.");
	assert_null(root);
}

static void the_deepest_allowed_text_becomes_a_tree(void **state)
{
	(void)state;
	char text[2 * JSON_SCANNER_DEPTH_MAX + 1] = "";
	memset(text, '[', JSON_SCANNER_DEPTH_MAX);
	memset(text + JSON_SCANNER_DEPTH_MAX, ']', JSON_SCANNER_DEPTH_MAX);
	const struct json_value *value = parse(text);
	unsigned depth = 0;
	for (; value != NULL; value = value->first_child_or_null)
		depth++;
	assert_int_equal(depth, JSON_SCANNER_DEPTH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_and_paths_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(readers_take_numbers_from_strings_and_have_defaults,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_value_has_its_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_name_the_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_deepest_allowed_text_becomes_a_tree, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
