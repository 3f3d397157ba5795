/* Tests the way of spans from traces.json of both versions to OpenTelemetry's JSON: rows of stored and given texts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/span_json.h"

static const struct {
	const char *stored, *given;
} rows[] = {
	{"{}", "{}"},
	{"{\"spans\":[]}", "{}"},
	{"{\"spans\":7}", "{}"},
	{"{\"spans\":[{}]}", "{\"spans\":[{\"name\":\"\",\"status\":{}}]}"},
	/* Version 3. */
	{"{\"spans\":[{\"trace_id\":\"lxqQuGgSdu7x47oQ4xkaiA==\",\"span_id\":\"k7BNiWRIHXs=\",\"parent_span_id\":null,"
	 "\"name\":\"f\",\"start_time_unix_nano\":1795430873114113260,\"end_time_unix_nano\":1795430873180070547,"
	 "\"events\":[],\"status\":{\"code\":\"STATUS_CODE_UNSET\",\"message\":\"\"},\"attributes\":{},\"links\":[]}]}",
	 "{\"spans\":[{\"trace_id\":\"lxqQuGgSdu7x47oQ4xkaiA==\",\"span_id\":\"k7BNiWRIHXs=\",\"name\":\"f\","
	 "\"start_time_unix_nano\":1795430873114113260,\"end_time_unix_nano\":1795430873180070547,\"status\":{}}]}"},
	/* Version 2. */
	{"{\"spans\":[{\"name\":\"in\",\"context\":{\"span_id\":\"93b04d8964481d7b\","
	 "\"trace_id\":\"0x971a90b8681276eef1e3ba10e3191a88\"},\"parent_id\":\"69a9a95079f6f5a9\",\"start_time\":1,"
	 "\"end_time\":null,\"status_code\":\"ERROR\",\"status_message\":\"no\"}],\"request\":null}",
	 "{\"spans\":[{\"trace_id\":\"lxqQuGgSdu7x47oQ4xkaiA==\",\"span_id\":\"k7BNiWRIHXs=\","
	 "\"parent_span_id\":\"aampUHn29ak=\",\"name\":\"in\",\"start_time_unix_nano\":1,"
	 "\"status\":{\"message\":\"no\",\"code\":\"STATUS_CODE_ERROR\"}}]}"},
	/* Ids that are none are left out. */
	{"{\"spans\":[{\"context\":{\"span_id\":\"93b\",\"trace_id\":\"xy\"},\"parent_id\":"
	 "\"000000000000000000000000000000000000\"}]}",
	 "{\"spans\":[{\"name\":\"\",\"status\":{}}]}"},
	/* Attributes: what their texts hold. */
	{"{\"spans\":[{\"attributes\":{\"b\":\"true\",\"i\":\"-7\",\"d\":\"0.5\",\"e\":\"1e3\",\"s\":\"\\\"x\\\"\","
	 "\"n\":\"null\",\"raw\":\"{no\",\"typed\":3,\"big\":\"9223372036854775808\"}}]}",
	 "{\"spans\":[{\"name\":\"\",\"attributes\":[{\"key\":\"b\",\"value\":{\"bool_value\":true}},"
	 "{\"key\":\"i\",\"value\":{\"int_value\":-7}},{\"key\":\"d\",\"value\":{\"double_value\":0.5}},"
	 "{\"key\":\"e\",\"value\":{\"double_value\":1000.0}},{\"key\":\"s\",\"value\":{\"string_value\":\"x\"}},"
	 "{\"key\":\"n\"},{\"key\":\"raw\",\"value\":{\"string_value\":\"{no\"}},"
	 "{\"key\":\"typed\",\"value\":{\"int_value\":3}},"
	 "{\"key\":\"big\",\"value\":{\"double_value\":9.223372036854776e+18}}],\"status\":{}}]}"},
	/* A text that holds the JSON of a text that looks like JSON stays a text. */
	{"{\"spans\":[{\"attributes\":{\"s\":\"\\\"{\\\\\\\"a\\\\\\\": 1}\\\"\"}}]}",
	 "{\"spans\":[{\"name\":\"\",\"attributes\":[{\"key\":\"s\",\"value\":{\"string_value\":\"{\\\"a\\\": 1}\"}}],"
	 "\"status\":{}}]}"},
	{"{\"spans\":[{\"attributes\":{\"l\":\"[1,[],{}]\",\"o\":\"{\\\"k\\\":null,\\\"m\\\":{\\\"n\\\":false}}\"}}]}",
	 "{\"spans\":[{\"name\":\"\",\"attributes\":[{\"key\":\"l\",\"value\":{\"array_value\":{\"values\":["
	 "{\"int_value\":1},{\"array_value\":{}},{\"kvlist_value\":{}}]}}},{\"key\":\"o\",\"value\":{\"kvlist_value\":"
	 "{\"values\":[{\"key\":\"k\"},{\"key\":\"m\",\"value\":{\"kvlist_value\":{\"values\":[{\"key\":\"n\",\"value\":"
	 "{\"bool_value\":false}}]}}}]}}}],\"status\":{}}]}"},
	/* Those of events and links are values themselves. */
	{"{\"spans\":[{\"events\":[{\"name\":\"e\",\"timestamp\":5,\"attributes\":{\"q\":\"1\"}}],"
	 "\"links\":[{\"trace_id\":\"tr-01\",\"span_id\":\"0203\",\"attributes\":{\"z\":[\"1\"]}}]}]}",
	 "{\"spans\":[{\"name\":\"\",\"events\":[{\"time_unix_nano\":5,\"name\":\"e\",\"attributes\":[{\"key\":\"q\","
	 "\"value\":{\"string_value\":\"1\"}}]}],\"links\":[{\"trace_id\":\"AQ==\",\"span_id\":\"AgM=\",\"attributes\":"
	 "[{\"key\":\"z\",\"value\":{\"array_value\":{\"values\":[{\"string_value\":\"1\"}]}}}]}],\"status\":{}}]}"},
};

/* What comes of a stored text, as the member of an object at the depth where replies have it. */
static struct slice given_of(struct slice stored, struct arena *arena)
{
	const struct json_value *spans = NULL;
	struct error err;
	struct buffer text;
	struct json_writer w;
	assert_true(span_json_parse(stored, arena, &spans, &err));
	buffer_init_in_arena(&text, arena, 1024 * 1024);
	json_writer_init(&w, &text);
	json_object_begin(&w);
	span_json_put(&w, spans, arena);
	json_object_end(&w);
	assert_true(json_writer_is_complete(&w));
	return buffer_slice(&text);
}

static void test_spans_of_both_versions_become_opentelemetrys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct arena arena;
		arena_init(&arena, 4 * 1024 * 1024);
		struct slice given = given_of(slice_from_cstr(rows[i].stored), &arena);
		if (!slice_eq_cstr(given, rows[i].given))
			fail_msg("%s becomes %.*s", rows[i].stored, SLICE_FMT(given));
		arena_deinit(&arena);
	}
}

/* An event's attribute in `depth` objects, at the place of replies that stands deepest. */
static struct slice nested_event(unsigned depth, struct arena *arena)
{
	struct slice value = SLICE("1");
	for (unsigned i = 0; i < depth; i++)
		value = arena_printf(arena, "{\"k\":%.*s}", SLICE_FMT(value));
	return arena_printf(arena, "{\"spans\":[{\"events\":[{\"attributes\":{\"a\":%.*s}}]}]}", SLICE_FMT(value));
}

static void test_values_that_are_nested_too_deeply_stay_texts(void **state)
{
	struct arena arena;
	struct json_writer w;
	struct buffer text;
	struct error err;
	(void)state;
	arena_init(&arena, 4 * 1024 * 1024);
	struct slice deepest = given_of(nested_event(SPAN_VALUE_NESTING_MAX, &arena), &arena);
	assert_true(slice_contains(deepest, SLICE("\"int_value\":1")));
	struct slice deeper = given_of(nested_event(SPAN_VALUE_NESTING_MAX + 1, &arena), &arena);
	assert_false(slice_contains(deeper, SLICE("int_value")));
	assert_true(slice_contains(deeper, SLICE("{\"string_value\":\"{\\\"k\\\":{")));

	/* The deepest reply has them in a list of traces. */
	const struct json_value *spans;
	assert_true(span_json_parse(nested_event(SPAN_VALUE_NESTING_MAX, &arena), &arena, &spans, &err));
	buffer_init_in_arena(&text, &arena, 1024 * 1024);
	json_writer_init(&w, &text);
	json_object_begin(&w);
	json_key(&w, "traces");
	json_array_begin(&w);
	json_object_begin(&w);
	span_json_put(&w, spans, &arena);
	json_object_end(&w);
	json_array_end(&w);
	json_object_end(&w);
	assert_true(json_writer_is_complete(&w));
	arena_deinit(&arena);
}

static void test_broken_texts_are_refused(void **state)
{
	static const char *const broken[] = {"", "[]", "{\"spans\":[", "{\"spans\":[]} x", "null"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
		struct arena arena;
		struct error err;
		const struct json_value *spans = NULL;
		arena_init(&arena, 1024 * 1024);
		assert_false(span_json_parse(slice_from_cstr(broken[i]), &arena, &spans, &err));
		assert_int_equal(err.code, ERR_BAD_REQUEST);
		arena_deinit(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans_of_both_versions_become_opentelemetrys),
		cmocka_unit_test(test_values_that_are_nested_too_deeply_stay_texts),
		cmocka_unit_test(test_broken_texts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
