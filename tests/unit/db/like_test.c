/* Tests LIKE patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/like.h"

#include <string.h>

static void patterns_match_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool minding_case, ignoring_case;
	} rows[] = {
		{"", "", true, true},
		{"", "a", false, false},
		{"a", "", false, false},
		{"a", "a", true, true},
		{"a", "A", false, true},
		{"A", "a", false, true},
		{"a", "ab", false, false},
		{"ab", "a", false, false},
		{"%", "", true, true},
		{"%", "anything", true, true},
		{"%%", "", true, true},
		{"%%%", "abc", true, true},
		{"_", "", false, false},
		{"_", "a", true, true},
		{"_", "ab", false, false},
		{"__", "ab", true, true},
		{"_%", "", false, false},
		{"_%", "abc", true, true},
		{"%_", "abc", true, true},
		{"%_%", "", false, false},
		{"a%", "abc", true, true},
		{"a%", "Abc", false, true},
		{"%c", "abc", true, true},
		{"%b%", "abc", true, true},
		{"%bc", "abcbc", true, true},
		{"%ab%ab", "abab", true, true},
		{"%ab%ab", "ab", false, false},
		{"a%b%c", "a1b2b3c", true, true},
		{"a%b%c", "a1b2b3", false, false},
		{"a_c", "abc", true, true},
		{"a_c", "a\xC3\xA4" "c", true, true},   /* one code point of two bytes */
		{"a__c", "a\xC3\xA4" "c", false, false},
		{"a_c", "a\xE2\x82\xAC" "c", true, true},
		{"a_c", "a\xF0\x9F\x98\x80" "c", true, true},
		{"a_c", "a\xFF" "c", true, true},       /* broken UTF-8 counts by bytes */
		{"%\xC3\xA4%", "x\xC3\xA4y", true, true},
		{"\xC3\x84", "\xC3\xA4", false, false}, /* only ASCII is folded */
		{"%_b", "\xC3\xA4" "ab", true, true},
		{"100%", "100 %", true, true},
		{"a\\%", "a%", false, false},           /* no escape character */
		{"a\\%", "a\\b", true, true},
		{"[", "{", false, false},
		{"@", "`", false, false},
		{"Resnet%V2", "resnet-50-v2", false, true},
		{"*", "abc", false, false},
		{"?", "a", false, false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice pattern = slice_from_cstr(rows[i].pattern);
		struct slice text = slice_from_cstr(rows[i].text);
		if (like_matches(pattern, text, false) != rows[i].minding_case ||
		    like_matches(pattern, text, true) != rows[i].ignoring_case)
			fail_msg("'%s' LIKE '%s'", rows[i].text, rows[i].pattern);
	}
	/* What lies behind the ends of slices does not count. */
	assert_false(like_matches(SLICE("ab"), slice_make("ab", 1), false));
	assert_false(like_matches(slice_make("ab", 1), SLICE("ab"), false));
	assert_false(like_matches(SLICE("a_"), slice_make("ab", 1), false));
}

static bool matches_slowly(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '%')
		return matches_slowly(pattern + 1, text) ||
		       (*text != '\0' && matches_slowly(pattern, text + 1));
	return *text != '\0' && (*pattern == '_' || *pattern == *text) &&
	       matches_slowly(pattern + 1, text + 1);
}

/* All patterns of up to 5 of the characters a b % _, all texts of up to 6 of a b. */
static void all_small_patterns_agree_with_the_definition(void **state)
{
	(void)state;
	for (unsigned p = 0; p < 1u << 10; p++) {
		for (size_t pattern_len = 0; pattern_len <= 5; pattern_len++) {
			char pattern[6] = "";
			for (size_t i = 0; i < pattern_len; i++)
				pattern[i] = "ab%_"[p >> (2 * i) & 3];
			for (unsigned t = 0; t < 1u << 6; t++) {
				char text[7] = "";
				size_t text_len = p % 7;
				for (size_t i = 0; i < text_len; i++)
					text[i] = "ab"[t >> i & 1];
				if (like_matches(slice_from_cstr(pattern), slice_from_cstr(text),
						 false) != matches_slowly(pattern, text))
					fail_msg("'%s' LIKE '%s'", text, pattern);
			}
		}
	}
}

/* Naive backtracking would not end before the sun does. */
static void many_wildcards_take_polynomial_time(void **state)
{
	(void)state;
	char pattern[200], text[5000];
	for (size_t i = 0; i < sizeof(pattern); i += 2)
		memcpy(pattern + i, "%a", 2);
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', sizeof(text));
	assert_false(like_matches(slice_make(pattern, sizeof(pattern)),
				  slice_make(text, sizeof(text)), false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_or_not),
		cmocka_unit_test(all_small_patterns_agree_with_the_definition),
		cmocka_unit_test(many_wildcards_take_polynomial_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
