/* Tests regular expressions: rows of pattern and text, refusals, limits, and that no pattern takes long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "db/regex.h"

struct row {
	const char *pattern, *text;
	bool is_found;
};

static const struct row rows[] = {
	{"", "", true}, {"", "a", true}, {"a", "", false}, {"b", "abc", true}, {"ab", "acb", false},
	{"a.c", "xabcx", true}, {"a.c", "a\nc", false}, {".", "\xc3\xa9", true}, {"^..$", "\xc3\xa9", false},
	{"^b", "ab", false}, {"^a", "ab", true}, {"b$", "ab", true}, {"a$", "ab", false}, {"a$", "a\n", true},
	{"a$", "a\n\n", false}, {"^$", "", true}, {"^$", "\n", true}, {"x*", "", true}, {"^a*$", "aaa", true},
	{"^a*$", "aab", false}, {"^a+$", "", false}, {"^a+$", "aa", true}, {"^a?b$", "b", true}, {"^a?b$", "ab", true},
	{"^a?b$", "aab", false}, {"^a{3}$", "aaa", true}, {"^a{3}$", "aa", false}, {"^a{2,}$", "a", false},
	{"^a{2,}$", "aaaa", true}, {"^a{1,2}$", "aa", true}, {"^a{1,2}$", "aaa", false}, {"^a{,2}$", "", true},
	{"^a{,2}$", "aa", true}, {"^a{,2}$", "aaa", false}, {"^a{0}b$", "b", true}, {"^a{0}b$", "ab", false},
	{"a{", "a{", true}, {"a{x}", "a{x}", true}, {"^(ab){2}$", "abab", true}, {"^(?:ab|c)+$", "abcab", true},
	{"^(?:ab|c)+$", "abca", false}, {"cat|dog", "a dog", true}, {"^(a|b|cd)$", "cd", true}, {"^(a|b|cd)$", "c", false},
	{"a||b", "", true}, {"^(|x)y$", "y", true}, {"^(a*)*$", "aaa", true}, {"^(a*)*b$", "aaac", false},
	{"^(a|b?)+c$", "abc", true}, {"a*?b", "aab", true}, {"a{1,2}?b", "aab", true}, {"[abc]", "xxb", true},
	{"[^abc]", "abc", false}, {"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[]]", "]", true}, {"[^]]", "]", false},
	{"[a-]", "-", true}, {"[-a]", "-", true}, {"[\\d-]", "-", true}, {"[\\]]", "]", true}, {"[.]", "a", false},
	{"[\xc3\xa0-\xc3\xbc]", "\xc3\xa9", true}, {"\\d+", "a12", true}, {"^\\D+$", "a1", false}, {"^\\w+$", "a_1\xc3\xa9", true},
	{"^\\w+$", "a-b", false}, {"\\W", "a-b", true}, {"\\s", "a b", true}, {"^\\S+$", "a b", false}, {"[\\w.]+@", "a.b@c", true},
	{"[^\\W]", "-", false}, {"\\bcat\\b", "a cat!", true}, {"\\bcat\\b", "concat", false}, {"\\Bcat", "concat", true},
	{"\\.", "a", false}, {"\\.", ".", true}, {"\\\\", "\\", true}, {"a\\nb", "a\nb", true}, {"\\t", "\t", true}, {"\\(", "(", true},
	{"(?i)ABC", "xabC", true}, {"(?i)[a-c]+$", "xABC", true}, {"(?i)[^a]", "A", false}, {"(?i)\xc3\xa9", "\xc3\x89", false},
	{"^\xff$", "\xff", true},
};

static void test_patterns_find_what_they_describe(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct regex *regex = NULL;
		struct error err;
		if (!regex_new(slice_from_cstr(rows[i].pattern), &regex, &err))
			fail_msg("%s: %s", rows[i].pattern, err.message);
		if (regex_finds(regex, slice_from_cstr(rows[i].text)) != rows[i].is_found)
			fail_msg("%s in %s", rows[i].pattern, rows[i].text);
		regex_free(regex);
	}
}

static const struct {
	const char *pattern, *problem;
} refused[] = {
	{"(", "a '(' is not closed"}, {"(a", "a '(' is not closed"}, {"a)", "')' closes nothing"}, {"[a", "a '[' is not closed"},
	{"[", "a '[' is not closed"}, {"[]", "a '[' is not closed"}, {"*a", "there is nothing to repeat"},
	{"a|+", "there is nothing to repeat"}, {"^*", "there is nothing to repeat"}, {"\\b{2}", "there is nothing to repeat"},
	{"[\\d-z]", "a range begins with a set"}, {"(?", "of groups that begin with (?"}, {"(?=a)", "of groups that begin with (?"},
	{"a(?i)b", "of groups that begin with (?"}, {"a**", "a repetition is repeated"}, {"a{2}{3}", "a repetition is repeated"},
	{"a++", "a repetition is repeated"}, {"a{3,2}", "a repetition has its counts"}, {"[z-a]", "a range is the wrong way"},
	{"a\\", "it ends with a backslash"}, {"\\1", "a letter or digit behind a backslash"},
	{"\\q", "a letter or digit behind a backslash"}, {"[\\q]", "a letter or digit behind a backslash"},
	{"[a-\\d]", "a letter or digit behind a backslash"}, {"(a{500}){2}", "it is too complex"},
};

static void test_other_texts_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct regex *regex = NULL;
		struct error err;
		if (regex_new(slice_from_cstr(refused[i].pattern), &regex, &err))
			fail_msg("accepted: %s", refused[i].pattern);
		assert_null(regex);
		assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
		if (strstr(err.message, refused[i].problem) == NULL)
			fail_msg("%s: %s", refused[i].pattern, err.message);
	}
}

/* `count` times `part`. */
static struct slice repeated(const char *part, size_t count, struct arena *arena)
{
	size_t bytes = strlen(part);
	char *text = ARENA_NEW(arena, char, count * bytes);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * bytes, part, bytes);
	return slice_make(text, count * bytes);
}

static bool is_taken(struct slice pattern)
{
	struct regex *regex = NULL;
	struct error err;
	bool ok = regex_new(pattern, &regex, &err);
	regex_free(regex);
	return ok;
}

static void test_limits_are_exact(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	/* Bytes: brackets of two-byte characters are one instruction each. */
	assert_true(is_taken(repeated("[abc\xc3\xa9\xc3\xa9\xc3\xa9]", 1, &arena)));
	assert_true(is_taken(repeated("\xc3\xa9", REGEX_PATTERN_BYTES_MAX / 2, &arena)));
	assert_false(is_taken(repeated("\xc3\xa9", REGEX_PATTERN_BYTES_MAX / 2 + 1, &arena)));
	/* Program: the last instruction is the end. */
	assert_true(is_taken(arena_printf(&arena, "a{%d}", REGEX_PROGRAM_MAX - 1)));
	assert_false(is_taken(arena_printf(&arena, "a{%d}", REGEX_PROGRAM_MAX)));
	assert_false(is_taken(SLICE("a{99999999999999999999}")));
	/* Groups. */
	for (size_t depth = REGEX_GROUPS_DEEP_MAX; depth <= REGEX_GROUPS_DEEP_MAX + 1; depth++) {
		struct slice pattern = arena_concat(&arena, repeated("(", depth, &arena), repeated(")", depth, &arena));
		assert_int_equal(is_taken(pattern), depth <= REGEX_GROUPS_DEEP_MAX);
	}
	/* Ranges. */
	assert_true(is_taken(repeated("\\w", REGEX_PATTERN_BYTES_MAX / 2, &arena)));
	arena_deinit(&arena);
}

/* What takes a backtracking matcher longer than the world has been there. */
static void test_no_pattern_takes_long(void **state)
{
	static const char *const patterns[] = {"^(a+)+$", "^(a|aa)+$", "(a*)*b", "^(a?){300}a{300}b", "(.*)(.*)(.*)(.*)x"};
	struct arena arena;
	(void)state;
	arena_init(&arena, 1024 * 1024);
	struct slice text = arena_concat(&arena, repeated("a", 8000, &arena), SLICE("!"));
	clock_t begin = clock();
	for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
		struct regex *regex = NULL;
		struct error err;
		assert_true(regex_new(slice_from_cstr(patterns[i]), &regex, &err));
		assert_false(regex_finds(regex, text));
		regex_free(regex);
	}
	/* A large class that is copied often: "[bcd…a]{0,400}!!". */
	struct regex *regex = NULL;
	struct error err;
	struct slice members = repeated("bcdefghij", 100, &arena);
	struct slice class = arena_concat(&arena, arena_concat(&arena, SLICE("["), members), SLICE("a]{0,400}!!"));
	assert_true(regex_new(class, &regex, &err));
	assert_false(regex_finds(regex, text));
	regex_free(regex);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 20); /* 0.1 s without sanitizers */
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_find_what_they_describe),
		cmocka_unit_test(test_other_texts_are_refused_with_a_reason),
		cmocka_unit_test(test_limits_are_exact),
		cmocka_unit_test(test_no_pattern_takes_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
