/* Tests the order, escapes and numbers of JSON that is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/json_scanner.h"
#include "base/json_writer.h"
#include "support/death.h"

struct written {
	struct buffer text;
	struct json_writer w;
};

static struct json_writer *start(struct written *t)
{
	buffer_init(&t->text, 1 << 20);
	json_writer_init(&t->w, &t->text);
	return &t->w;
}

static void expect(struct written *t, const char *expected)
{
	assert_true(json_writer_is_complete(&t->w));
	buffer_append_byte(&t->text, '\0');
	assert_string_equal(t->text.ptr_or_null, expected);
	buffer_deinit(&t->text);
}

static void commas_and_colons_are_placed(void **state)
{
	(void)state;
	struct written t;
	struct json_writer *w = start(&t);
	json_object_begin(w);
	json_put_string(w, "s", SLICE("x"));
	json_put_string(w, "absent", (struct slice){NULL, 0});
	json_put_string(w, "empty", SLICE(""));
	json_put_cstr(w, "c", "y");
	json_put_cstr(w, "null", NULL);
	json_put_int(w, "i", -7);
	json_put_double(w, "d", 0.5);
	json_put_bool(w, "t", true);
	json_key(w, "a");
	json_array_begin(w);
	json_null(w);
	json_bool(w, false);
	json_object_begin(w);
	json_object_end(w);
	json_array_begin(w);
	json_array_end(w);
	json_raw(w, SLICE("{\"r\":1}"));
	json_array_end(w);
	json_key_slice(w, SLICE("k"));
	json_int(w, 1);
	json_object_end(w);
	expect(&t, "{\"s\":\"x\",\"empty\":\"\",\"c\":\"y\",\"i\":-7,\"d\":0.5,\"t\":true,"
		   "\"a\":[null,false,{},[],{\"r\":1}],\"k\":1}");
}

static void single_values_are_whole_texts(void **state)
{
	(void)state;
	struct written t;
	struct json_writer *w = start(&t);
	assert_false(json_writer_is_complete(w));
	json_string(w, SLICE("x"));
	expect(&t, "\"x\"");
	w = start(&t);
	json_array_begin(w);
	assert_false(json_writer_is_complete(w));
	json_array_end(w);
	expect(&t, "[]");
}

static void strings_are_escaped_and_repaired(void **state)
{
	(void)state;
	static const struct {
		struct slice value;
		const char *json;
	} rows[] = {
		{{"", 0}, "\"\""},
		{{NULL, 0}, "\"\""},
		{{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
		{{"\n\r\t\b\f\0\x1F\x7F", 8}, "\"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\x7F\""},
		{{"\xC3\xA4\xF0\x9F\x98\x80", 6}, "\"\xC3\xA4\xF0\x9F\x98\x80\""},
		{{"a\xFF" "b", 3}, "\"a\xEF\xBF\xBD" "b\""},
		{{"\xE2\x82", 2}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
		{{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct written t;
		json_string(start(&t), rows[i].value);
		expect(&t, rows[i].json);
	}
	struct written t;
	struct json_writer *w = start(&t);
	json_object_begin(w);
	json_put_int(w, "a\"b\n", 1);
	json_object_end(w);
	expect(&t, "{\"a\\\"b\\n\":1}");
}

static void numbers_have_their_shortest_form(void **state)
{
	(void)state;
	struct written t;
	struct json_writer *w = start(&t);
	json_array_begin(w);
	json_int(w, 0);
	json_int(w, INT64_MAX);
	json_int(w, INT64_MIN);
	json_double(w, 5);
	json_double(w, 0);
	json_double(w, 0.1);
	json_double(w, 1e22);
	json_double(w, (double)NAN);
	json_double(w, (double)INFINITY);
	json_double(w, -(double)INFINITY);
	json_array_end(w);
	expect(&t, "[0,9223372036854775807,-9223372036854775808,5.0,0.0,0.1,1e+22,"
		   "\"NaN\",\"Infinity\",\"-Infinity\"]");
}

static void values_nest_to_the_limit(void **state)
{
	(void)state;
	struct written t;
	struct json_writer *w = start(&t);
	for (int i = 0; i < JSON_WRITER_DEPTH_MAX; i++) {
		if (i % 2 == 0) {
			json_array_begin(w);
			json_int(w, i);
		} else {
			json_object_begin(w);
			json_key(w, "k");
		}
	}
	json_null(w);
	for (int i = JSON_WRITER_DEPTH_MAX - 1; i >= 0; i--) {
		if (i % 2 == 0)
			json_array_end(w);
		else
			json_object_end(w);
	}
	assert_true(json_writer_is_complete(w));
	struct json_scanner s;
	json_scanner_init(&s, buffer_slice(&t.text));
	enum json_token token;
	while ((token = json_scan_next(&s)) > JSON_END)
		;
	assert_int_equal(token, JSON_END);
	buffer_deinit(&t.text);
}

static void running_out_of_buffer_is_told_by_the_buffer(void **state)
{
	(void)state;
	struct buffer text;
	struct json_writer w;
	buffer_init(&text, 4);
	json_writer_init(&w, &text);
	json_array_begin(&w);
	json_string(&w, SLICE("too long"));
	json_array_end(&w);
	assert_true(text.failed);
	buffer_deinit(&text);
}

enum mistake {
	VALUE_WITHOUT_KEY,
	KEY_IN_ARRAY,
	KEY_AT_TOP,
	KEY_AFTER_KEY,
	END_AFTER_KEY,
	WRONG_END,
	END_OF_NOTHING,
	TWO_VALUES,
	TOO_DEEP,
	EMPTY_RAW,
	MISTAKES
};

static void make_mistake(void *argument)
{
	struct written t;
	struct json_writer *w = start(&t);
	enum mistake mistake = *(enum mistake *)argument;
	if (mistake == VALUE_WITHOUT_KEY || mistake == KEY_AFTER_KEY || mistake == END_AFTER_KEY)
		json_object_begin(w);
	if (mistake == KEY_IN_ARRAY || mistake == WRONG_END)
		json_array_begin(w);
	if (mistake == KEY_AFTER_KEY || mistake == END_AFTER_KEY)
		json_key(w, "k");
	if (mistake == KEY_IN_ARRAY || mistake == KEY_AT_TOP || mistake == KEY_AFTER_KEY)
		json_key(w, "k");
	if (mistake == WRONG_END || mistake == END_AFTER_KEY)
		json_object_end(w);
	if (mistake == END_OF_NOTHING)
		json_array_end(w);
	if (mistake == EMPTY_RAW)
		json_raw(w, SLICE(""));
	if (mistake == VALUE_WITHOUT_KEY || mistake == TWO_VALUES)
		json_int(w, 1);
	if (mistake == TWO_VALUES)
		json_int(w, 1);
	for (int i = 0; mistake == TOO_DEEP && i <= JSON_WRITER_DEPTH_MAX; i++)
		json_array_begin(w);
}

static void our_own_mistakes_assert(void **state)
{
	(void)state;
	for (int i = 0; i < MISTAKES; i++) {
		enum mistake mistake = (enum mistake)i;
		if (!dies_of_assertion(make_mistake, &mistake))
			fail_msg("mistake %d did not assert", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_colons_are_placed),
		cmocka_unit_test(single_values_are_whole_texts),
		cmocka_unit_test(strings_are_escaped_and_repaired),
		cmocka_unit_test(numbers_have_their_shortest_form),
		cmocka_unit_test(values_nest_to_the_limit),
		cmocka_unit_test(running_out_of_buffer_is_told_by_the_buffer),
		cmocka_unit_test(our_own_mistakes_assert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
