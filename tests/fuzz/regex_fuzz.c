/* Fuzzes regular expressions: "pattern newline text". What both take is held against the C library's own. */
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "db/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATTERN_BYTES_MAX = 60, TEXT_BYTES_MAX = 60 };

static bool is_repetition(char c)
{
	return c == '*' || c == '+' || c == '?';
}

/* Is it made of what means the same in both? The C library gives some signs other meanings; "x+?" is a modest x+ to us,
 * and to it an x+ or nothing. */
static bool is_common(struct slice pattern)
{
	static const char common[] = "abcxyz019.()|*+?";
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.ptr[i] == '\0' || strchr(common, pattern.ptr[i]) == NULL)
			return false;
		if (i > 0 && is_repetition(pattern.ptr[i]) && is_repetition(pattern.ptr[i - 1]))
			return false;
	}
	return pattern.len > 0 && pattern.len <= PATTERN_BYTES_MAX;
}

/* Alternatives of nothing, and groups of nothing, are undefined in POSIX. */
static bool has_empty_part(struct slice pattern)
{
	char before = '|';
	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];
		bool begins = before == '|' || before == '(';
		if (begins && strchr("|)*+?", c) != NULL)
			return true;
		before = c;
	}
	return before == '|' || before == '(';
}

static void check_against_library(struct slice pattern, struct slice text, bool is_found)
{
	char *pattern_text = strndup(pattern.ptr, pattern.len),
	     *text_text = strndup(text.ptr, text.len);
	regex_t library;
	ASSERT(pattern_text != NULL && text_text != NULL);
	if (regcomp(&library, pattern_text, REG_EXTENDED | REG_NOSUB) == 0) {
		ASSERT((regexec(&library, text_text, 0, NULL, 0) == 0) == is_found);
		regfree(&library);
	}
	free(pattern_text);
	free(text_text);
}

static bool is_plain_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len <= TEXT_BYTES_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice whole = slice_make((const char *)data, size);
	size_t newline = slice_find_byte(whole, '\n', 0);
	struct slice pattern = slice_first(whole, newline), text = slice_from(whole, newline + 1);
	struct regex *regex = NULL;
	struct error err;
	if (!regex_new(pattern, &regex, &err)) {
		ASSERT(regex == NULL && err.code == ERR_INVALID_PARAMETER_VALUE);
		return 0;
	}
	bool is_found = regex_finds(regex, text);
	ASSERT(regex_finds(regex, text) == is_found);
	if (is_common(pattern) && !has_empty_part(pattern) && is_plain_text(text))
		check_against_library(pattern, text, is_found);
	regex_free(regex);
	return 0;
}
