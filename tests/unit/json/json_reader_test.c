/* Tests the trees of request bodies: what cJSON gets wrong, exact integers, memory, printing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/json_scanner.h"
#include "json/json_reader.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

static struct json_node read_text(const char *text)
{
	struct json_node node = {NULL};
	struct error err;
	if (!json_read(slice_from_cstr(text), &arena, &node, &err))
		fail_msg("%s: %s", text, err.message);
	return node;
}

static void bodies_are_accepted_or_refused(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		enum json_type type; /* ABSENT: refused */
	} rows[] = {
		{{"{}", 2}, JSON_TYPE_OBJECT},
		{{"[]", 2}, JSON_TYPE_ARRAY},
		{{" null ", 6}, JSON_TYPE_NULL},
		{{"true", 4}, JSON_TYPE_BOOL},
		{{"1.5", 3}, JSON_TYPE_NUMBER},
		{{"\"x\"", 3}, JSON_TYPE_STRING},
		{{"\"\"", 2}, JSON_TYPE_STRING},
		{{"", 0}, JSON_TYPE_OBJECT},
		{{NULL, 0}, JSON_TYPE_OBJECT},
		{{" \r\n\t ", 5}, JSON_TYPE_OBJECT},
		{{"\"{}\"", 4}, JSON_TYPE_OBJECT},
		{{"\" {\\\"a\\\":1} \"", 13}, JSON_TYPE_OBJECT},
		{{"\"[1]\"", 5}, JSON_TYPE_STRING},
		{{"\"{x\"", 4}, JSON_TYPE_ABSENT},
		{{"{} x", 4}, JSON_TYPE_ABSENT},
		{{"{}{}", 4}, JSON_TYPE_ABSENT},
		{{"{}\0", 3}, JSON_TYPE_ABSENT},
		{{"{\"a\":1,}", 8}, JSON_TYPE_ABSENT},
		{{"{'a':1}", 7}, JSON_TYPE_ABSENT},
		{{"{\"a\":\"\\u0000\"}", 14}, JSON_TYPE_ABSENT},
		{{"{\"a\":\"\\ud800\"}", 14}, JSON_TYPE_ABSENT},
		{{"{\"a\":\"\xFF\"}", 9}, JSON_TYPE_ABSENT},
		{{"{\"a\":\"\n\"}", 9}, JSON_TYPE_ABSENT},
		{{"{\"a\":1e400}", 11}, JSON_TYPE_ABSENT},
		{{"{\"a\":01}", 8}, JSON_TYPE_ABSENT},
		{{"{\"a\":+1}", 8}, JSON_TYPE_ABSENT},
		{{"{\"a\":.5}", 8}, JSON_TYPE_ABSENT},
		{{"{\"a\":NaN}", 9}, JSON_TYPE_ABSENT},
		{{"\xEF\xBB\xBF{}", 5}, JSON_TYPE_ABSENT},
		{{"{", 1}, JSON_TYPE_ABSENT},
		{{"nul", 3}, JSON_TYPE_ABSENT},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_node node = {NULL};
		struct error err = {0};
		bool ok = json_read(rows[i].text, &arena, &node, &err);
		if (ok != (rows[i].type != JSON_TYPE_ABSENT) || json_node_type(node) != rows[i].type)
			fail_msg("row %zu: %s", i, err.message);
		if (!ok)
			assert_int_equal(err.code, ERR_BAD_REQUEST);
	}
}

static void errors_name_the_byte(void **state)
{
	(void)state;
	struct json_node node = {NULL};
	struct error err;
	assert_false(json_read(SLICE("{\"a\" 1}"), &arena, &node, &err));
	assert_string_equal(err.message, "The body is not valid JSON: ':' was expected at byte 5.");
}

static void members_mind_case_and_the_last_one_wins(void **state)
{
	(void)state;
	struct json_node root = read_text("{\"a\":1,\"A\":2,\"a\":3,\"\":4,\"\\u00e4\":5}");
	int64_t value = 0;
	assert_true(json_node_i64(json_node_member(root, SLICE("a")), &value) && value == 3);
	assert_true(json_node_i64(json_node_member(root, SLICE("A")), &value) && value == 2);
	assert_true(json_node_i64(json_node_member(root, SLICE("")), &value) && value == 4);
	assert_true(json_node_i64(json_node_member(root, SLICE("\xC3\xA4")), &value) && value == 5);
	assert_int_equal(json_node_type(json_node_member(root, SLICE("b"))), JSON_TYPE_ABSENT);
	assert_int_equal(json_node_type(json_node_member(root, SLICE("aa"))), JSON_TYPE_ABSENT);
	assert_int_equal(json_node_count(root), 5);
	struct json_node list = read_text("[{\"a\":1}]");
	assert_int_equal(json_node_type(json_node_member(list, SLICE("a"))), JSON_TYPE_ABSENT);
}

static void children_are_walked_in_order(void **state)
{
	(void)state;
	static const enum json_type types[] = {JSON_TYPE_NULL,   JSON_TYPE_BOOL,  JSON_TYPE_BOOL,
					       JSON_TYPE_NUMBER, JSON_TYPE_STRING, JSON_TYPE_ARRAY,
					       JSON_TYPE_OBJECT};
	struct json_node root = read_text("[null,true,false,1,\"x\",[1,2],{\"k\":0}]");
	size_t count = 0;
	for (struct json_node child = json_node_first(root); child.item_or_null != NULL;
	     child = json_node_next(child)) {
		assert_int_equal(json_node_type(child), types[count++]);
		assert_false(slice_is_present(json_node_key(child)));
	}
	assert_int_equal(count, ARRAY_COUNT(types));
	assert_int_equal(json_node_count(root), ARRAY_COUNT(types));
	root = read_text("{\"a\":true,\"b\":\"\"}");
	struct json_node a = json_node_first(root), b = json_node_next(a);
	assert_true(slice_eq_cstr(json_node_key(a), "a"));
	assert_true(json_node_bool(a));
	assert_true(slice_eq_cstr(json_node_key(b), "b"));
	assert_true(slice_is_present(json_node_string(b)));
	assert_int_equal(json_node_string(b).len, 0);
	assert_null(json_node_next(b).item_or_null);
}

static void absent_nodes_answer_absent(void **state)
{
	(void)state;
	struct json_node absent = {NULL};
	int64_t value = 7;
	assert_int_equal(json_node_type(absent), JSON_TYPE_ABSENT);
	assert_null(json_node_member(absent, SLICE("a")).item_or_null);
	assert_null(json_node_first(absent).item_or_null);
	assert_null(json_node_next(absent).item_or_null);
	assert_int_equal(json_node_count(absent), 0);
	assert_false(slice_is_present(json_node_key(absent)));
	assert_false(slice_is_present(json_node_string(absent)));
	assert_false(json_node_bool(absent));
	assert_true(json_node_double(absent) == 0);
	assert_false(json_node_i64(absent, &value));
	assert_false(slice_is_present(json_node_print(absent, &arena, 10)));
	/* Values of another type are no less absent. */
	struct json_node text = read_text("\"5\"");
	assert_false(json_node_i64(text, &value));
	assert_true(json_node_double(text) == 0);
	assert_false(slice_is_present(json_node_string(read_text("5"))));
	assert_false(json_node_bool(read_text("1")));
	assert_int_equal(value, 7);
}

static void integers_are_exact_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"3.0", true, 3},
		{"1e3", true, 1000},
		{"1E+3", true, 1000},
		{"15000e-3", true, 15},
		{"1.5e1", true, 15},
		{"1.5", false, 0},
		{"1e-1", false, 0},
		{"999999999999999", true, INT64_C(999999999999999)},
		{"9007199254740992", true, INT64_C(9007199254740992)},
		{"9007199254740993", true, INT64_C(9007199254740993)},
		{"-9007199254740993", true, INT64_C(-9007199254740993)},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"9223372036854775807.0", true, INT64_MAX},
		{"9223372036854775807.5", false, 0},
		{"9.223372036854775807e18", true, INT64_MAX},
		{"9.223372036854775808e18", false, 0},
		{"92233720368547758070e-1", true, INT64_MAX},
		{"0.9223372036854775807e19", true, INT64_MAX},
		{"1e18", true, INT64_C(1000000000000000000)},
		{"1e19", false, 0},
		{"1e300", false, 0},
		{"0e300", true, 0},
		{"0.000e300", true, 0},
		{"-0.0e5", true, 0},
		{"100000000000000000000e-20", true, 1},
		{"1234567890123456.78", false, 0},
		{"123456789012345678901234567890123456789012345678901234567890123", false, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		/* In an object, behind numbers that need no text, and between ones that do. */
		char text[256];
		snprintf(text, sizeof(text), "{\"x\":[1,2.5,%s],\"y\":%s,\"z\":{\"w\":%s}}",
			 rows[i].text, rows[i].text, rows[i].text);
		struct json_node root = read_text(text);
		struct json_node nodes[] = {
			json_node_next(json_node_next(
				json_node_first(json_node_member(root, SLICE("x"))))),
			json_node_member(root, SLICE("y")),
			json_node_first(json_node_member(root, SLICE("z"))),
		};
		for (size_t n = 0; n < ARRAY_COUNT(nodes); n++) {
			int64_t value = 7;
			bool ok = json_node_i64(nodes[n], &value);
			if (ok != rows[i].ok || value != (ok ? rows[i].value : 7))
				fail_msg("%s: %lld", rows[i].text, (long long)value);
		}
	}
}

static void doubles_and_strings_are_read(void **state)
{
	(void)state;
	assert_true(json_node_double(read_text("0.1")) == 0.1);
	assert_true(json_node_double(read_text("-1.7976931348623157e308")) == -1.7976931348623157e308);
	assert_true(json_node_double(read_text("5e-324")) == 5e-324);
	assert_true(signbit(json_node_double(read_text("-0.0"))));
	struct slice text = json_node_string(read_text("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00\""));
	assert_true(slice_eq_cstr(text, "a\"\\/\b\f\n\r\t\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

static void a_body_encoded_twice_keeps_exact_integers(void **state)
{
	(void)state;
	struct json_node root = read_text("\"{\\\"a\\\":9007199254740993,\\\"b\\\":\\\"\\\\n\\\"}\"");
	int64_t value = 0;
	assert_true(json_node_i64(json_node_member(root, SLICE("a")), &value));
	assert_true(value == INT64_C(9007199254740993));
	assert_true(slice_eq_cstr(json_node_string(json_node_member(root, SLICE("b"))), "\n"));
}

static void nesting_is_bounded_as_the_scanner_says(void **state)
{
	(void)state;
	for (size_t extra = 0; extra <= 1; extra++) {
		char text[2 * JSON_SCANNER_DEPTH_MAX + 8] = "";
		size_t depth = JSON_SCANNER_DEPTH_MAX + extra;
		memset(text, '[', depth);
		memcpy(text + depth, "1e18", 4);
		memset(text + depth + 4, ']', depth);
		struct json_node node;
		struct error err;
		bool ok = json_read(slice_make(text, 2 * depth + 4), &arena, &node, &err);
		assert_int_equal(ok, extra == 0);
		if (!ok)
			continue;
		struct slice printed = json_node_print(node, &arena, 1000);
		assert_int_equal(printed.len, 2 * depth + 4);
		assert_memory_equal(printed.ptr, text, printed.len);
	}
}

static void a_body_beyond_the_arena_is_too_large(void **state)
{
	(void)state;
	static char text[20001];
	text[0] = '[';
	for (size_t i = 1; i < 20000; i += 2)
		memcpy(text + i, "1,", 2);
	text[19999] = '1';
	text[20000] = ']';
	for (size_t bytes_max = 0; bytes_max < 600000; bytes_max += 59999) {
		struct arena small;
		struct json_node node;
		struct error err = {0};
		arena_init(&small, bytes_max);
		assert_false(json_read(slice_make(text, sizeof(text)), &small, &node, &err));
		assert_int_equal(err.code, ERR_REQUEST_TOO_LARGE);
		arena_deinit(&small);
	}
	struct json_node node = {NULL};
	struct error err;
	assert_true(json_read(slice_make(text, sizeof(text)), &arena, &node, &err));
	assert_int_equal(json_node_count(node), 10000);
}

static void nodes_are_printed_compactly_and_cut(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t bytes_max;
		const char *printed;
	} rows[] = {
		{" { \"a\" : [ 1 , 2.5 , \"x\\ny\" , null , true , false , { } , [ ] ] } ", 1000,
		 "{\"a\":[1,2.5,\"x\\ny\",null,true,false,{},[]]}"},
		{"[12345678901234567890,1e3,-0.5,9007199254740993]", 1000,
		 "[12345678901234567890,1e3,-0.5,9007199254740993]"},
		{"[[[1],2],3]", 1000, "[[[1],2],3]"},
		{"\"abcdef\"", 8, "\"abcdef\""},
		{"\"abcdef\"", 7, "\"abc\xE2\x80\xA6"},
		{"[1,2,3]", 7, "[1,2,3]"},
		{"[1,2,3]", 6, "[1,\xE2\x80\xA6"},
		{"[1,2,3]", 3, "\xE2\x80\xA6"},
		{"[1,2,3]", 2, "[1"},
		{"[1,2,3]", 0, ""},
		{"\"\\u20ac\\u20ac\\u20ac\"", 9, "\"\xE2\x82\xAC\xE2\x80\xA6"},
		{"{\"a long member name\":1}", 10, "{\"a lon\xE2\x80\xA6"},
		{"\"\\u0001\\u0001\\u0001\\u0001\"", 10, "\"\\u0001\xE2\x80\xA6"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice printed =
			json_node_print(read_text(rows[i].text), &arena, rows[i].bytes_max);
		if (!slice_eq_cstr(printed, rows[i].printed))
			fail_msg("%s: %.*s", rows[i].text, SLICE_FMT(printed));
	}
}

static void a_large_value_is_cut_without_printing_all_of_it(void **state)
{
	(void)state;
	static char text[1000003];
	memset(text, 'k', sizeof(text));
	text[0] = '"';
	text[sizeof(text) - 2] = '"';
	text[sizeof(text) - 1] = '\0';
	struct slice printed = json_node_print(read_text(text), &arena, 100);
	assert_int_equal(printed.len, 100);
	static char object[1000010];
	snprintf(object, sizeof(object), "{%s:1}", text);
	printed = json_node_print(read_text(object), &arena, 100);
	assert_int_equal(printed.len, 100);
}

enum { THREADS = 4, ROUNDS = 200 };

static void *read_often(void *argument)
{
	int64_t number = *(int64_t *)argument;
	struct arena own;
	arena_init(&own, 1 << 20);
	for (int round = 0; round < ROUNDS; round++) {
		struct json_node root;
		struct error err;
		int64_t value;
		struct slice text = arena_printf(&own, "{\"a\":[%lld]}", (long long)number);
		bool ok = json_read(text, &own, &root, &err) &&
			  json_node_i64(json_node_first(json_node_member(root, SLICE("a"))), &value);
		ASSERT(ok && value == number);
		arena_reset(&own);
	}
	arena_deinit(&own);
	return NULL;
}

static void threads_read_into_their_own_arenas(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	int64_t numbers[THREADS];
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = INT64_C(9007199254740993) + i;
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(bodies_are_accepted_or_refused),
		TEST(errors_name_the_byte),
		TEST(members_mind_case_and_the_last_one_wins),
		TEST(children_are_walked_in_order),
		TEST(absent_nodes_answer_absent),
		TEST(integers_are_exact_or_refused),
		TEST(doubles_and_strings_are_read),
		TEST(a_body_encoded_twice_keeps_exact_integers),
		TEST(nesting_is_bounded_as_the_scanner_says),
		TEST(a_body_beyond_the_arena_is_too_large),
		TEST(nodes_are_printed_compactly_and_cut),
		TEST(a_large_value_is_cut_without_printing_all_of_it),
		TEST(threads_read_into_their_own_arenas),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
