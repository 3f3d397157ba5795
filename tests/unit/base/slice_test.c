/* Tests comparing, cutting and reading of slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random_id.h"
#include "base/slice.h"

static const struct slice ABSENT = {NULL, 0};

static void slices_compare_by_bytes_then_length(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{"", "", 0},     {"a", "a", 0},   {"a", "b", -1},   {"b", "a", 1},
		{"a", "aa", -1}, {"aa", "a", 1},  {"", "a", -1},    {"\x80", "a", 1},
		{"Z", "a", -1},  {"ab", "b", -1},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice a = slice_from_cstr(rows[i].a), b = slice_from_cstr(rows[i].b);
		int order = slice_compare(a, b);
		assert_int_equal((order > 0) - (order < 0), rows[i].order);
		assert_int_equal(slice_eq(a, b), rows[i].order == 0);
		assert_int_equal(slice_eq_cstr(a, rows[i].b), rows[i].order == 0);
	}
	assert_true(slice_eq(ABSENT, SLICE("")));
	assert_int_equal(slice_compare(ABSENT, SLICE("")), 0);
}

static void ignoring_case_folds_ascii_only(void **state)
{
	(void)state;
	assert_true(slice_eq_ignoring_case(SLICE("Content-LENGTH"), SLICE("content-length")));
	assert_false(slice_eq_ignoring_case(SLICE("a"), SLICE("ab")));
	assert_true(slice_eq_ignoring_case(slice_make("aX", 1), slice_make("Ay", 1)));
	assert_false(slice_eq_ignoring_case(SLICE("@"), SLICE("`")));
	assert_false(slice_eq_ignoring_case(SLICE("["), SLICE("{")));
	assert_false(slice_eq_ignoring_case(SLICE("\xC3\x84"), SLICE("\xC3\xA4")));
	assert_true(slice_eq_ignoring_case(SLICE("\xC3\x84"), SLICE("\xC3\x84")));
}

static void prefixes_suffixes_and_parts_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
		bool starts, ends, contains;
	} rows[] = {
		{"abcabc", "abc", true, true, true},  {"abc", "", true, true, true},
		{"", "", true, true, true},           {"", "a", false, false, false},
		{"abc", "abcd", false, false, false}, {"xabcx", "abc", false, false, true},
		{"aab", "ab", false, true, true},     {"ab", "a", true, false, true},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice text = slice_from_cstr(rows[i].text);
		struct slice part = slice_from_cstr(rows[i].part);
		assert_int_equal(slice_starts_with(text, part), rows[i].starts);
		assert_int_equal(slice_ends_with(text, part), rows[i].ends);
		assert_int_equal(slice_contains(text, part), rows[i].contains);
	}
	assert_int_equal(slice_find_byte(SLICE("a,b,c"), ',', 0), 1);
	assert_int_equal(slice_find_byte(SLICE("a,b,c"), ',', 2), 3);
	assert_int_equal(slice_find_byte(SLICE("a,b,c"), ',', 4), 5);
	assert_int_equal(slice_find_byte(SLICE("a,b,c"), ',', 99), 5);
	assert_int_equal(slice_find_byte(ABSENT, ',', 0), 0);
}

static void cuts_stay_inside(void **state)
{
	(void)state;
	assert_true(slice_eq_cstr(slice_from(SLICE("abc"), 1), "bc"));
	assert_true(slice_eq_cstr(slice_from(SLICE("abc"), 3), ""));
	assert_true(slice_eq_cstr(slice_from(SLICE("abc"), 4), ""));
	assert_true(slice_is_present(slice_from(SLICE("abc"), 4)));
	assert_false(slice_is_present(slice_from(ABSENT, 4)));
	assert_true(slice_eq_cstr(slice_first(SLICE("abc"), 2), "ab"));
	assert_true(slice_eq_cstr(slice_first(SLICE("abc"), 3), "abc"));
	assert_true(slice_eq_cstr(slice_first(SLICE("abc"), 4), "abc"));
	assert_true(slice_eq_cstr(slice_trim(SLICE(" \t\r\n\v\fa b \n")), "a b"));
	assert_true(slice_eq_cstr(slice_trim(SLICE(" \n ")), ""));
	assert_int_equal(slice_trim(ABSENT).len, 0);
}

static void next_walks_parts_between_separators(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *parts[5];
	} rows[] = {
		{"a,b", {"a", "b"}}, {"", {""}},          {"a", {"a"}},
		{"a,", {"a", ""}},   {",", {"", ""}},     {",,b", {"", "", "b"}},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice rest = slice_from_cstr(rows[i].text), head;
		size_t count = 0;
		while (slice_next(&rest, ',', &head)) {
			assert_non_null(rows[i].parts[count]);
			assert_true(slice_eq_cstr(head, rows[i].parts[count++]));
		}
		assert_null(rows[i].parts[count]);
	}
	struct slice rest = ABSENT, head = SLICE("untouched");
	assert_false(slice_next(&rest, ',', &head));
	assert_true(slice_eq_cstr(head, "untouched"));
}

static void integers_are_read_up_to_their_limits(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"007", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"18446744073709551616", false, 0},
		{"99999999999999999999999", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{"--1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
		{"0x10", false, 0},
		{"\xD9\xA1", false, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t value = -77;
		assert_int_equal(slice_parse_i64(slice_from_cstr(rows[i].text), &value), rows[i].ok);
		assert_int_equal(value, rows[i].ok ? rows[i].value : -77);
	}
	uint64_t big = 5;
	assert_true(slice_parse_u64(SLICE("18446744073709551615"), &big));
	assert_true(big == UINT64_MAX);
	assert_false(slice_parse_u64(SLICE("18446744073709551616"), &big));
	assert_false(slice_parse_u64(SLICE("-1"), &big));
	assert_false(slice_parse_u64(ABSENT, &big));
	assert_true(big == UINT64_MAX);
}

static void doubles_are_read_exactly(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{"0", 0.0},
		{"1", 1.0},
		{"-1.5", -1.5},
		{"0.1", 0.1},
		{"5.", 5.0},
		{".5", 0.5},
		{"1e3", 1000.0},
		{"1E+3", 1000.0},
		{"15e-1", 1.5},
		{"1e22", 1e22},
		{"1e23", 1e23},
		{"123456789012345678", 123456789012345678.0},
		{"9007199254740993", 9007199254740992.0},
		{"9007199254740993.00000000000000000000000000000000001", 9007199254740994.0},
		{"1.7976931348623157e308", DBL_MAX},
		{"2.2250738585072014e-308", DBL_MIN},
		{"5e-324", 5e-324},
		{"2.4703282292062327e-324", 0.0},
		{"2.4703282292062328e-324", 5e-324},
		{"1e-400", 0.0},
		{"0e999999999999999999999", 0.0},
		{"0.0000000000000000000000000000001e31", 1.0},
		{"100000000000000000000000000000000e-32", 1.0},
		{"Infinity", (double)INFINITY},
		{"infinity", (double)INFINITY},
		{"-INFINITY", -(double)INFINITY},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		double value = 77;
		assert_true(slice_parse_double(slice_from_cstr(rows[i].text), &value));
		if (memcmp(&value, &rows[i].value, sizeof(value)) != 0)
			fail_msg("%s: %.17g", rows[i].text, value);
	}
	double value = 0;
	assert_true(slice_parse_double(SLICE("nan"), &value));
	assert_true(isnan(value));
	assert_true(slice_parse_double(SLICE("-0"), &value));
	assert_true(value == 0 && signbit(value));
}

static void what_is_no_double_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",    "-",    ".",      "-.",    "e5",   "1e",       "1e+",  "1.2.3", "1 ",  " 1",
		"0x1", "1,5",  "+1",     "1e400", "-1e400", "inf",    "-nan", "1e1.5", "--1", "1_0",
		"1e309", "1.8e308", "1e99999999999999999999", "Infinityx", "NaNs",
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		double value = 77;
		if (slice_parse_double(slice_from_cstr(rows[i]), &value))
			fail_msg("'%s' was read as %g", rows[i], value);
		assert_true(value == 77.0);
	}
	double value = 77;
	assert_false(slice_parse_double(ABSENT, &value));
}

static void doubles_agree_with_strtod_on_random_texts(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "%s%llu.%llue%d", random_below(2) ? "-" : "",
				   (unsigned long long)random_below(UINT64_MAX >> random_below(63)),
				   (unsigned long long)random_below(UINT64_MAX >> random_below(63)),
				   (int)random_below(660) - 330);
		double value = 77, expected = strtod(text, NULL);
		bool ok = slice_parse_double(slice_make(text, (size_t)len), &value);
		if (ok != !isinf(expected) || (ok && memcmp(&value, &expected, sizeof(value)) != 0))
			fail_msg("%s: %.17g", text, value);
	}
}

/* More digits than are kept: the last one alone decides between two neighbours. */
static void thousands_of_digits_round_correctly(void **state)
{
	(void)state;
	static char text[5000];
	int len = snprintf(text, sizeof(text), "9007199254740993.%04000d1", 0);
	double value;
	assert_true(slice_parse_double(slice_make(text, (size_t)len), &value));
	assert_true(value == 9007199254740994.0);
	assert_true(slice_parse_double(slice_make(text, (size_t)len - 1), &value));
	assert_true(value == 9007199254740992.0);
}

static void doubles_do_not_depend_on_the_locale(void **state)
{
	(void)state;
	static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};
	size_t i = 0;
	while (i < ARRAY_COUNT(locales) && setlocale(LC_NUMERIC, locales[i]) == NULL)
		i++;
	if (i == ARRAY_COUNT(locales))
		skip(); /* the machine has no locale with a decimal comma */
	double value = 0;
	assert_true(slice_parse_double(SLICE("1234567890.12345678901234"), &value));
	assert_true(value == 1234567890.12345678901234);
	(void)setlocale(LC_NUMERIC, "C");
}

static void utf8_is_well_formed_or_not(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		bool ok;
	} rows[] = {
		{{"", 0}, true},
		{{"a\0b", 3}, true},
		{{"\x7F", 1}, true},
		{{"\xC2\x80", 2}, true},
		{{"\xDF\xBF", 2}, true},
		{{"\xE0\xA0\x80", 3}, true},
		{{"\xED\x9F\xBF", 3}, true},
		{{"\xEE\x80\x80", 3}, true},
		{{"\xEF\xBF\xBF", 3}, true},
		{{"\xF0\x90\x80\x80", 4}, true},
		{{"\xF4\x8F\xBF\xBF", 4}, true},
		{{"\x80", 1}, false},
		{{"\xC0\x80", 2}, false},     /* overlong */
		{{"\xC1\xBF", 2}, false},     /* overlong */
		{{"\xC2", 1}, false},         /* cut */
		{{"\xC2\x41", 2}, false},
		{{"\xE0\x9F\xBF", 3}, false}, /* overlong */
		{{"\xE2\x82", 2}, false},     /* cut */
		{{"\xE2\x82\x41", 3}, false},
		{{"\xED\xA0\x80", 3}, false}, /* surrogate */
		{{"\xED\xBF\xBF", 3}, false}, /* surrogate */
		{{"\xF0\x8F\xBF\xBF", 4}, false}, /* overlong */
		{{"\xF4\x90\x80\x80", 4}, false}, /* beyond U+10FFFF */
		{{"\xF5\x80\x80\x80", 4}, false},
		{{"\xF0\x9F\x98", 3}, false}, /* cut */
		{{"\xF0\x9F\x98\x41", 4}, false},
		{{"\xFF", 1}, false},
		{{"ok\xFE", 3}, false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (slice_is_utf8(rows[i].text) != rows[i].ok)
			fail_msg("row %zu", i);
	}
}

static void code_points_are_counted_and_cut(void **state)
{
	(void)state;
	struct slice text = SLICE("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z");
	assert_int_equal(slice_utf8_length(text), 5);
	static const size_t bytes_of_first[] = {0, 1, 3, 6, 10, 11, 11};
	for (size_t count = 0; count < ARRAY_COUNT(bytes_of_first); count++)
		assert_int_equal(slice_utf8_first(text, count).len, bytes_of_first[count]);
	assert_int_equal(slice_utf8_first(SLICE("ab\xFF" "cd"), 10).len, 2);
	assert_int_equal(slice_utf8_first(SLICE("ab\xE2\x82"), 10).len, 2);
}

static void test_hex_digits_have_values_in_either_case(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
		int expected = -1;
		for (int value = 0; value < 16; value++) {
			if (byte == lower[value] || byte == upper[value])
				expected = value;
		}
		assert_int_equal(slice_hex_digit((char)byte), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_digits_have_values_in_either_case),
		cmocka_unit_test(slices_compare_by_bytes_then_length),
		cmocka_unit_test(ignoring_case_folds_ascii_only),
		cmocka_unit_test(prefixes_suffixes_and_parts_are_found),
		cmocka_unit_test(cuts_stay_inside),
		cmocka_unit_test(next_walks_parts_between_separators),
		cmocka_unit_test(integers_are_read_up_to_their_limits),
		cmocka_unit_test(doubles_are_read_exactly),
		cmocka_unit_test(what_is_no_double_is_refused),
		cmocka_unit_test(doubles_agree_with_strtod_on_random_texts),
		cmocka_unit_test(thousands_of_digits_round_correctly),
		cmocka_unit_test(doubles_do_not_depend_on_the_locale),
		cmocka_unit_test(utf8_is_well_formed_or_not),
		cmocka_unit_test(code_points_are_counted_and_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
