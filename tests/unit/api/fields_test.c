/* Tests the decoding of requests by tables of fields: rows of body, outcome and message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "api/fields.h"
#include "json/json_reader.h"
#include "store/entities.h"

struct point {
	struct slice key;
	struct opt_double value;
};

static const struct field point_fields[] = {
	FIELD_TEXT(struct point, key, FIELD_REQUIRED),
	FIELD_DOUBLE(struct point, value, FIELD_REQUIRED),
	FIELDS_END,
};

static const struct field_enum colours[] = {{"RED", 1}, {"BLUE", 2}, {NULL, 0}};

struct request {
	struct slice run_id, text;
	struct opt_i64 start_time, colour;
	struct opt_bool flag;
	struct text_list names;
	struct object_list points, labels;
	struct slice raw, colour_json;
};

static const struct field fields[] = {
	FIELD_TEXT(struct request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct request, text, FIELD_OPTIONAL),
	FIELD_I64(struct request, start_time, FIELD_OPTIONAL),
	{"colour", FIELD_TYPE_RAW, FIELD_OPTIONAL, offsetof(struct request, colour_json), NULL, 0, NULL, NULL},
	FIELD_ENUM(struct request, colour, FIELD_OPTIONAL, colours),
	FIELD_BOOL(struct request, flag, FIELD_OPTIONAL),
	FIELD_TEXTS(struct request, names, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct request, points, FIELD_OPTIONAL, point_fields, struct point),
	FIELD_MAP(struct request, labels, FIELD_OPTIONAL),
	FIELD_RAW(struct request, raw, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool decode(const char *body, struct request *request, struct arena *arena, struct error *err)
{
	memset(request, 0, sizeof(*request));
	*err = (struct error){ERR_NONE, ""};
	return fields_decode_json(fields, slice_from_cstr(body), arena, request, err);
}

/* Bodies that fail, with the beginning of the message. */
static const struct {
	const char *body;
	enum error_code code;
	const char *message;
} failures[] = {
	{"", ERR_INVALID_PARAMETER_VALUE, "Missing value for required parameter 'run_id'. See the API docs"},
	{"{}", ERR_INVALID_PARAMETER_VALUE, "Missing value for required parameter 'run_id'."},
	{"{\"run_id\":\"\"}", ERR_INVALID_PARAMETER_VALUE, "Missing value for required parameter 'run_id'."},
	{"{\"run_id\":null}", ERR_INVALID_PARAMETER_VALUE, "Missing value for required parameter 'run_id'."},
	{"{\"run_id\":31}", ERR_INVALID_PARAMETER_VALUE, "Invalid value 31 for parameter 'run_id' supplied"},
	{"{\"run_id\":\"r\",\"start_time\":\"foo\"}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value \"foo\" for parameter 'start_time' supplied"},
	{"{\"run_id\":\"r\",\"start_time\":1.5}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value 1.5 for parameter 'start_time' supplied"},
	{"{\"run_id\":\"r\",\"names\":\"5\"}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value \"5\" for parameter 'names' supplied"},
	{"{\"run_id\":\"r\",\"names\":[\"a\",7]}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value 7 for parameter 'names[1]' supplied"},
	{"{\"run_id\":\"r\",\"points\":[{\"key\":\"k\",\"value\":1},{\"key\":\"k\"}]}", ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'points[1].value'."},
	{"{\"run_id\":\"r\",\"points\":[{\"key\":\"k\",\"value\":true}]}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value true for parameter 'points[0].value' supplied"},
	{"{\"run_id\":\"r\",\"points\":{}}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value {} for parameter 'points' supplied"},
	{"{\"run_id\":\"r\",\"points\":[1]}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value 1 for parameter 'points[0]' supplied"},
	{"{\"run_id\":\"r\",\"colour\":\"GREEN\"}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value \"GREEN\" for parameter 'colour' supplied"},
	{"{\"run_id\":\"r\",\"flag\":\"perhaps\"}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value \"perhaps\" for parameter 'flag' supplied"},
	{"{\"run_id\":\"r\",\"labels\":{\"a b\":7}}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value 7 for parameter 'labels.a b' supplied"},
	{"{\"run_id\":\"r\",\"labels\":{\"a\":null}}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value null for parameter 'labels.a' supplied"},
	{"{\"run_id\":\"r\",\"labels\":[]}", ERR_INVALID_PARAMETER_VALUE,
	 "Invalid value [] for parameter 'labels' supplied"},
	{"[1]", ERR_BAD_REQUEST, "The request body must be a JSON object."},
	{"{\"run_id\":", ERR_BAD_REQUEST, ""},
	{"{\"run_id\":\"r\"} trailing", ERR_BAD_REQUEST, ""},
	{"{\"run_id\":\"a\\u0000b\"}", ERR_BAD_REQUEST, ""},
	{"{\"run_id\":\"r\",\"start_time\":1e400}", ERR_BAD_REQUEST, ""},
};

static void test_bad_bodies_are_refused_in_mlflows_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		struct arena arena;
		struct request request;
		struct error err;
		arena_init(&arena, 1024 * 1024);
		if (decode(failures[i].body, &request, &arena, &err))
			fail_msg("accepted: %s", failures[i].body);
		if (err.code != failures[i].code ||
		    strncmp(err.message, failures[i].message, strlen(failures[i].message)) != 0)
			fail_msg("%s: %s %s", failures[i].body, error_code_name(err.code), err.message);
		arena_deinit(&arena);
	}
}

static void test_every_form_of_a_value_is_taken(void **state)
{
	struct arena arena;
	struct request r;
	struct error err;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	assert_true(decode("{\"run_uuid\":\"u\",\"startTime\":\"1.7e+12\",\"colour\":2,\"flag\":\"TRUE\","
			   "\"names\":[],\"points\":[{\"key\":\"k\",\"value\":\"NaN\"}],\"unknown\":[{}]}",
			   &r, &arena, &err));
	assert_true(slice_eq_cstr(r.run_id, "u"));
	assert_true(r.start_time.value == 1700000000000);
	assert_int_equal(r.colour.value, 2);
	assert_true(r.flag.is_set && r.flag.value);
	assert_true(r.names.is_set && r.names.count == 0);
	assert_int_equal(r.points.count, 1);
	assert_true(isnan(((struct point *)r.points.items)[0].value.value));
	assert_false(slice_is_present(r.text));

	assert_true(decode("{\"run_id\":\"r\",\"start_time\":9223372036854775807,\"colour\":\"RED\",\"text\":\"\"}", &r,
			   &arena, &err));
	assert_true(r.start_time.value == INT64_MAX);
	assert_int_equal(r.colour.value, 1);
	assert_true(slice_is_present(r.text) && r.text.len == 0);

	assert_true(decode("\"{\\\"run_id\\\": \\\"twice\\\"}\"", &r, &arena, &err)); /* encoded twice */
	assert_true(slice_eq_cstr(r.run_id, "twice"));
	arena_deinit(&arena);
}

/* However many members there are, the last field of the table is found. */
static void test_repeated_unknown_and_null_members_hide_nothing(void **state)
{
	static const char *const bodies[] = {
		"{\"raw\":7,\"run_id\":\"r\"}",
		"{\"run_id\":\"x\",\"run_id\":\"r\",\"raw\":7}",
		"{\"run_id\":null,\"run_uuid\":\"r\",\"raw\":7}",
		"{\"text\":null,\"flag\":null,\"run_id\":\"r\",\"raw\":7}",
		"{\"start_time\":1,\"startTime\":2,\"run_id\":\"r\",\"raw\":7}",
		"{\"other\":1,\"another\":2,\"run_id\":\"r\",\"raw\":7}",
	};
	struct arena arena;
	struct request r;
	struct error err;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		assert_true(decode(bodies[i], &r, &arena, &err));
		assert_true(slice_eq_cstr(r.run_id, "r"));
		assert_true(slice_eq_cstr(r.raw, "7"));
	}
	arena_deinit(&arena);
}

static void test_two_rows_of_a_name_take_one_member(void **state)
{
	struct arena arena;
	struct request r;
	struct error err;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	assert_true(decode("{\"run_id\":\"r\",\"colour\":\"BLUE\"}", &r, &arena, &err));
	assert_true(slice_eq_cstr(r.colour_json, "\"BLUE\""));
	assert_int_equal(r.colour.value, 2);
	arena_deinit(&arena);
}

static void test_a_map_keeps_the_order_of_its_members(void **state)
{
	struct arena arena;
	struct request r;
	struct error err;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	assert_true(decode("{\"run_id\":\"r\",\"labels\":{\"b\":\"1\",\"a\":\"\",\"b\":\"2\"}}", &r, &arena, &err));
	const struct key_value *labels = r.labels.items;
	assert_int_equal(r.labels.count, 3);
	assert_true(slice_eq_cstr(labels[0].key, "b") && slice_eq_cstr(labels[0].value, "1"));
	assert_true(slice_eq_cstr(labels[1].key, "a") && slice_is_present(labels[1].value) && labels[1].value.len == 0);
	assert_true(slice_eq_cstr(labels[2].value, "2"));

	assert_true(decode("{\"run_id\":\"r\",\"labels\":{}}", &r, &arena, &err));
	assert_true(r.labels.is_set && r.labels.count == 0);
	assert_true(decode("{\"run_id\":\"r\",\"labels\":null}", &r, &arena, &err));
	assert_false(r.labels.is_set);
	arena_deinit(&arena);
}

/* Any value, in what it is kept as. */
static const struct {
	const char *given, *kept;
} raw_values[] = {
	{"12345678901234567890123", "12345678901234567890123"},
	{"9007199254740993", "9007199254740993"},
	{"0.1", "0.1"},
	{"false", "false"},
	{"\"a\\u00e9\\n\"", "\"a\xc3\xa9\\n\""},
	{"\"\"", "\"\""},
	{"[]", "[]"},
	{" { \"z\" : [ 1, {\"a\": null} ], \"a\": \"x\" } ", "{\"z\":[1,{\"a\":null}],\"a\":\"x\"}"},
};

static void test_a_raw_field_takes_any_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(raw_values); i++) {
		struct arena arena;
		struct request r;
		struct error err;
		arena_init(&arena, 1024 * 1024);
		struct slice body = arena_printf(&arena, "{\"run_id\":\"r\",\"raw\":%s}", raw_values[i].given);
		assert_true(decode(arena_cstr(&arena, body), &r, &arena, &err));
		if (!slice_eq_cstr(r.raw, raw_values[i].kept))
			fail_msg("%s is kept as %.*s", raw_values[i].given, SLICE_FMT(r.raw));
		assert_true(decode("{\"run_id\":\"r\",\"raw\":null}", &r, &arena, &err));
		assert_false(slice_is_present(r.raw));
		arena_deinit(&arena);
	}
}

static void test_query_strings_fill_the_same_struct(void **state)
{
	struct arena arena;
	struct request r;
	struct error err;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	memset(&r, 0, sizeof(r));
	assert_true(fields_decode_query(fields, SLICE("run_id=a%20b&names=x&names=y&names=z&flag=True&startTime=-3"),
					&arena, &r, &err));
	assert_true(slice_eq_cstr(r.run_id, "a b"));
	assert_int_equal(r.names.count, 3);
	assert_true(slice_eq_cstr(r.names.items[2], "z"));
	assert_true(r.flag.value);
	assert_int_equal(r.start_time.value, -3);

	memset(&r, 0, sizeof(r));
	assert_false(fields_decode_query(fields, SLICE("run_id=a&flag=yes"), &arena, &r, &err));
	assert_string_equal(err.message, "Invalid boolean value: yes, must be 'true' or 'false'.");
	memset(&r, 0, sizeof(r));
	assert_false(fields_decode_query(fields, SLICE("text=a"), &arena, &r, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	memset(&r, 0, sizeof(r));
	assert_false(fields_decode_query(fields, SLICE("run_id=%zz"), &arena, &r, &err));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_bodies_are_refused_in_mlflows_words),
		cmocka_unit_test(test_every_form_of_a_value_is_taken),
		cmocka_unit_test(test_repeated_unknown_and_null_members_hide_nothing),
		cmocka_unit_test(test_two_rows_of_a_name_take_one_member),
		cmocka_unit_test(test_a_map_keeps_the_order_of_its_members),
		cmocka_unit_test(test_a_raw_field_takes_any_value),
		cmocka_unit_test(test_query_strings_fill_the_same_struct),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
