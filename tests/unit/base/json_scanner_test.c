/* Tests which texts are JSON and which tokens they have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/json_scanner.h"
#include "support/death.h"

/* One letter a token: { } [ ] k s n t f 0 and . for the end, ! for an error. */
static void scan_letters(struct slice text, char letters[256])
{
	static const char names[] = "!.{}[]ksntf0";
	struct json_scanner s;
	size_t count = 0;
	enum json_token token;
	json_scanner_init(&s, text);
	do {
		token = json_scan_next(&s);
		letters[count++] = names[token];
	} while (token > JSON_END && count < 250);
	letters[count] = '\0';
	assert_int_equal(json_scan_next(&s), token); /* the end and an error stay */
}

static void texts_have_their_tokens(void **state)
{
	(void)state;
	static const struct {
		const char *text, *letters;
	} rows[] = {
		{"{}", "{}."},
		{"[]", "[]."},
		{" [ ] ", "[]."},
		{"{\"a\":1}", "{kn}."},
		{" {\r\n\t\"a\" : [ 1 , \"x\" , { } ] , \"b\" : null } ", "{k[ns{}]k0}."},
		{"\"x\"", "s."},
		{"\"\"", "s."},
		{"true", "t."},
		{"false ", "f."},
		{"null", "0."},
		{"-0.5e+10", "n."},
		{"[[[]],[]]", "[[[]][]]."},
		{"{\"a\":{\"b\":{}}}", "{k{k{}}}."},
		{"{\"a\":1,\"a\":2}", "{knkn}."},
		{"{\"\":1}", "{kn}."},
		{"[1,2", "[nn!"},
		{"", "!"},
		{" ", "!"},
		{"[", "[!"},
		{"{", "{!"},
		{"]", "!"},
		{"}", "!"},
		{"[}", "[!"},
		{"{]", "{!"},
		{"[1}", "[n!"},
		{"{\"a\":1]", "{kn!"},
		{"[1 2]", "[n!"},
		{"[1,]", "[n!"},
		{"[,1]", "[!"},
		{"{\"a\":1,}", "{kn!"},
		{"{,}", "{!"},
		{"{1:2}", "{!"},
		{"{a:1}", "{!"},
		{"{'a':1}", "{!"},
		{"{\"a\"}", "{!"},
		{"{\"a\" 1}", "{!"},
		{"{\"a\":}", "{k!"},
		{"{\"a\":1 \"b\":2}", "{kn!"},
		{"{\"a", "{!"},
		{"{\"a\"", "{!"},
		{"{\"a\":", "{k!"},
		{"{\"a\":1", "{kn!"},
		{"{\"a\":1,", "{kn!"},
		{"[1],", "[n]!"},
		{"{}{}", "{}!"},
		{"{} x", "{}!"},
		{"1 1", "n!"},
		{"tru", "!"},
		{"True", "!"},
		{"nul", "!"},
		{"nullx", "0!"},
		{"NaN", "!"},
		{"Infinity", "!"},
		{"// c\n1", "!"},
		{"/**/1", "!"},
		{"\xEF\xBB\xBF{}", "!"},
		{"\v1", "!"},
		{"\f1", "!"},
		{"\xC2\xA0" "1", "!"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char letters[256];
		scan_letters(slice_from_cstr(rows[i].text), letters);
		if (strcmp(letters, rows[i].letters) != 0)
			fail_msg("%s: %s", rows[i].text, letters);
	}
	char letters[256];
	scan_letters((struct slice){NULL, 0}, letters);
	assert_string_equal(letters, "!");
	scan_letters(SLICE("1\0"), letters);
	assert_string_equal(letters, "n!");
}

static void numbers_are_strict(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{"0", true},          {"-0", true},       {"10", true},        {"0.0", true},
		{"1.25", true},       {"1e5", true},      {"1E5", true},       {"1e+5", true},
		{"1e-5", true},       {"0e0", true},      {"1e308", true},     {"1e-999", true},
		{"-1.7976931348623157e308", true},        {"0e999", true},
		{"00", false},        {"01", false},      {"-01", false},      {"+1", false},
		{"1.", false},        {".5", false},      {"-", false},        {"-a", false},
		{"1e", false},        {"1e+", false},     {"1.e5", false},     {"1e5.5", false},
		{"0x1", false},       {"1_0", false},     {"1e309", false},    {"-1e309", false},
		{"1.8e308", false},   {"1e99999999999999999999", false},       {"--1", false},
		{"-Infinity", false}, {"1..2", false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_scanner s;
		json_scanner_init(&s, slice_from_cstr(rows[i].text));
		bool ok = json_scan_next(&s) == JSON_NUMBER && slice_eq_cstr(s.raw, rows[i].text) &&
			  json_scan_next(&s) == JSON_END;
		if (ok != rows[i].ok)
			fail_msg("%s", rows[i].text);
	}
}

static void numbers_may_be_any_for_who_asks(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok, has_nonfinite;
	} rows[] = {
		{"NaN", true, true},	    {"Infinity", true, true}, {"-Infinity", true, true},
		{"1e309", true, false},	    {"-1e999", true, false},  {"\"NaN\"", true, false},
		{"[NaN,1,-2]", true, true}, {"-NaN", false, false},   {"+Infinity", false, false},
		{"nan", false, false},	    {"Inf", false, false},    {"-Infinit", false, false},
		{"NaNs", false, true},	    {"{NaN:1}", false, false}, {"", false, false},
		{"-", false, false},	    {"01", false, false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_scanner s;
		enum json_token token;
		json_scanner_init(&s, slice_from_cstr(rows[i].text));
		s.takes_any_number = true;
		do {
			token = json_scan_next(&s);
		} while (token > JSON_END);
		if ((token == JSON_END) != rows[i].ok || s.has_nonfinite != rows[i].has_nonfinite)
			fail_msg("%s", rows[i].text);
	}
}

static void numbers_may_be_as_long_as_the_limit(void **state)
{
	(void)state;
	char text[JSON_SCANNER_NUMBER_BYTES_MAX + 2];
	memset(text, '9', sizeof(text));
	for (size_t extra = 0; extra <= 1; extra++) {
		struct json_scanner s;
		json_scanner_init(&s, slice_make(text, JSON_SCANNER_NUMBER_BYTES_MAX + extra));
		assert_int_equal(json_scan_next(&s), extra == 0 ? JSON_NUMBER : JSON_ERROR);
	}
}

static void strings_are_strict_and_resolved(void **state)
{
	(void)state;
	static const struct {
		struct slice json;
		struct slice text_or_absent;
	} rows[] = {
		{{"\"\"", 2}, {"", 0}},
		{{"\"abc\"", 5}, {"abc", 3}},
		{{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 18}, {"\"\\/\b\f\n\r\t", 8}},
		{{"\"x\\u0041y\"", 10}, {"xAy", 3}},
		{{"\"\\u00e4\\u00E4\"", 14}, {"\xC3\xA4\xC3\xA4", 4}},
		{{"\"\\u20AC\"", 8}, {"\xE2\x82\xAC", 3}},
		{{"\"\\ud83d\\ude00!\"", 15}, {"\xF0\x9F\x98\x80!", 5}},
		{{"\"\\uD800\\uDC00\"", 14}, {"\xF0\x90\x80\x80", 4}},
		{{"\"\\udbff\\udfff\"", 14}, {"\xF4\x8F\xBF\xBF", 4}},
		{{"\"\\uffff\\u0001\\u007f\"", 20}, {"\xEF\xBF\xBF\x01\x7F", 5}},
		{{"\"\xF0\x9F\x98\x80\x7F\"", 7}, {"\xF0\x9F\x98\x80\x7F", 5}},
		{{"\"0123456\xC3\xA4""89abcdef\\n\"", 21}, {"0123456\xC3\xA4""89abcdef\n", 18}},
		{{"\"\\u0000\"", 8}, {NULL, 0}},
		{{"\"\\ud800\"", 8}, {NULL, 0}},
		{{"\"\\udc00\"", 8}, {NULL, 0}},
		{{"\"\\ud800x\"", 9}, {NULL, 0}},
		{{"\"\\ud800\\n\"", 10}, {NULL, 0}},
		{{"\"\\ud800\\u0041\"", 14}, {NULL, 0}},
		{{"\"\\ud800\\ud800\"", 14}, {NULL, 0}},
		{{"\"\\ud800\\u\"", 10}, {NULL, 0}},
		{{"\"\\udc00\\ud800\"", 14}, {NULL, 0}},
		{{"\"\\u12\"", 6}, {NULL, 0}},
		{{"\"\\u12g4\"", 8}, {NULL, 0}},
		{{"\"\\u 123\"", 8}, {NULL, 0}},
		{{"\"\\u", 3}, {NULL, 0}},
		{{"\"\\u123", 6}, {NULL, 0}},
		{{"\"\\x41\"", 6}, {NULL, 0}},
		{{"\"\\'\"", 4}, {NULL, 0}},
		{{"\"\\U0041\"", 8}, {NULL, 0}},
		{{"\"\\", 2}, {NULL, 0}},
		{{"\"\\\"", 3}, {NULL, 0}},
		{{"\"", 1}, {NULL, 0}},
		{{"\"abcdefghijk", 12}, {NULL, 0}},
		{{"\"a\nb\"", 5}, {NULL, 0}},
		{{"\"a\0b\"", 5}, {NULL, 0}},
		{{"\"a\x1F" "b\"", 5}, {NULL, 0}},
		{{"\"\t\"", 3}, {NULL, 0}},
		{{"\"\xFF\"", 3}, {NULL, 0}},
		{{"\"\xC3\"", 3}, {NULL, 0}},
		{{"\"\xED\xA0\x80\"", 5}, {NULL, 0}},
		{{"\"\xC0\xAF\"", 4}, {NULL, 0}},
		{{"\"\xF4\x90\x80\x80\"", 6}, {NULL, 0}},
		{{"'a'", 3}, {NULL, 0}},
	};
	struct arena arena;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		/* The text at the end of its own heap block: reading beyond shows. */
		char *copy = arena_alloc(&arena, 1, rows[i].json.len);
		memcpy(copy, rows[i].json.ptr, rows[i].json.len);
		struct json_scanner s;
		json_scanner_init(&s, slice_make(copy, rows[i].json.len));
		bool ok = json_scan_next(&s) == JSON_STRING;
		if (ok != slice_is_present(rows[i].text_or_absent))
			fail_msg("row %zu: %s", i, rows[i].json.ptr);
		if (ok && !slice_eq(json_scan_text(&s, &arena), rows[i].text_or_absent))
			fail_msg("row %zu resolved wrongly", i);
	}
	arena_deinit(&arena);
}

/* The fast path looks at eight bytes at once: everything special at every place of two words. */
static void special_bytes_are_found_at_every_place(void **state)
{
	(void)state;
	for (size_t length = 1; length <= 24; length++) {
		for (size_t place = 0; place < length; place++) {
			for (int byte = 0; byte < 256; byte++) {
				char text[32];
				memset(text, 'a', sizeof(text));
				text[0] = '"';
				text[1 + place] = (char)byte;
				text[1 + length] = '"';
				struct json_scanner s;
				json_scanner_init(&s, slice_make(text, length + 2));
				bool one_byte = json_scan_next(&s) == JSON_STRING &&
						s.raw.len == length && s.offset == length + 2;
				bool expected = byte >= 0x20 && byte < 0x80 && byte != '"' &&
						byte != '\\';
				if (one_byte != expected)
					fail_msg("byte %d at %zu of %zu", byte, place, length);
			}
		}
	}
}

static void errors_say_what_and_where(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t offset;
		const char *error;
	} rows[] = {
		{"{\"a\" 1}", 5, "':' was expected"},
		{"[1 2]", 3, "',' or ']' was expected"},
		{"{} x", 3, "text after the value"},
		{"[1", 2, "the text ends early"},
		{"[\"a\\u0000\"]", 3, "\\u0000 is not supported"},
		{"[\"a\xFF\"]", 3, "not UTF-8"},
		{"[01]", 1, "a number starts with 0"},
		{"[1e999]", 1, "a number is too large"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_scanner s;
		json_scanner_init(&s, slice_from_cstr(rows[i].text));
		while (json_scan_next(&s) > JSON_END)
			;
		assert_string_equal(s.error_text_or_null, rows[i].error);
		assert_int_equal(s.offset, rows[i].offset);
	}
}

static void nesting_is_allowed_up_to_the_limit(void **state)
{
	(void)state;
	for (size_t extra = 0; extra <= 1; extra++) {
		for (int object = 0; object <= 1; object++) {
			char text[1024];
			size_t len = 0, depth = JSON_SCANNER_DEPTH_MAX + extra;
			for (size_t i = 0; i < depth; i++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
							object ? "{\"k\":" : "[");
			len += (size_t)snprintf(text + len, sizeof(text) - len, "1");
			for (size_t i = 0; i < depth; i++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
							object ? "}" : "]");
			struct json_scanner s;
			json_scanner_init(&s, slice_make(text, len));
			enum json_token token;
			while ((token = json_scan_next(&s)) > JSON_END)
				;
			assert_int_equal(token, extra == 0 ? JSON_END : JSON_ERROR);
		}
	}
}

static void skipping_passes_whole_values(void **state)
{
	(void)state;
	struct json_scanner s;
	json_scanner_init(&s, SLICE("{\"a\":{\"b\":[1,{}]},\"c\":2,\"d\":[[],[3]],\"e\":4}"));
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_BEGIN);
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(json_scan_skip(&s)); /* the value of a, an object */
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(slice_eq_cstr(s.raw, "c"));
	assert_true(json_scan_skip(&s)); /* a number */
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_int_equal(json_scan_next(&s), JSON_ARRAY_BEGIN);
	assert_true(json_scan_skip(&s)); /* the array that was opened */
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_true(slice_eq_cstr(s.raw, "e"));
	assert_int_equal(json_scan_next(&s), JSON_NUMBER);
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_END);
	assert_int_equal(json_scan_next(&s), JSON_END);

	json_scanner_init(&s, SLICE("{}"));
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_BEGIN);
	assert_true(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_END);

	json_scanner_init(&s, SLICE("{\"a\":[1,2}"));
	assert_int_equal(json_scan_next(&s), JSON_OBJECT_BEGIN);
	assert_int_equal(json_scan_next(&s), JSON_KEY);
	assert_false(json_scan_skip(&s));
	assert_int_equal(json_scan_next(&s), JSON_ERROR);
	assert_false(json_scan_skip(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_their_tokens),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(numbers_may_be_any_for_who_asks),
		cmocka_unit_test(numbers_may_be_as_long_as_the_limit),
		cmocka_unit_test(strings_are_strict_and_resolved),
		cmocka_unit_test(special_bytes_are_found_at_every_place),
		cmocka_unit_test(errors_say_what_and_where),
		cmocka_unit_test(nesting_is_allowed_up_to_the_limit),
		cmocka_unit_test(skipping_passes_whole_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
