/* Owns the grammar of JSON that is read: tokens, nesting and what may follow what. */
#include "base/json_scanner.h"

#include "base/utf8.h"

/* What may come next. A level's kind is its bit in is_object_bits. */
enum state {
	WANT_VALUE,	   /* at the start, after ':' and after ',' in an array */
	WANT_VALUE_OR_END, /* after '[' */
	WANT_KEY_OR_END,   /* after '{' */
	WANT_COMMA_OR_END, /* after an item */
	FINISHED,
	FAILED,
};

static enum json_token fail(struct json_scanner *s, const char *text);
static bool fail_in_string(struct json_scanner *s, const char *text);
static void skip_space(struct json_scanner *s);
static enum json_token scan_value(struct json_scanner *s);
static enum json_token scan_key(struct json_scanner *s);
static enum json_token scan_end(struct json_scanner *s, char bracket);
static enum json_token level_begin(struct json_scanner *s, bool is_object);
static void item_done(struct json_scanner *s);
static bool in_object(const struct json_scanner *s);
static enum json_token scan_word(struct json_scanner *s, struct slice word, enum json_token token);
static bool scan_string(struct json_scanner *s);
static bool scan_escape(struct json_scanner *s);
static bool scan_unicode_escape(struct json_scanner *s);
static bool read_hex4(struct slice text, size_t at, uint32_t *out);
static enum json_token scan_number(struct json_scanner *s);
static enum json_token scan_nonfinite(struct json_scanner *s);
static size_t skip_digits(struct slice text, size_t at);
static size_t append_code_point(char *out, uint32_t point);
static size_t resolve_escape(struct slice raw, size_t *at, char *out);

void json_scanner_init(struct json_scanner *s, struct slice text)
{
	*s = (struct json_scanner){.text = text, .state = WANT_VALUE};
}

enum json_token json_scan_next(struct json_scanner *s)
{
	if (s->state == FAILED)
		return JSON_ERROR;
	skip_space(s);
	bool at_end = s->offset == s->text.len;
	if (s->state == FINISHED)
		return at_end ? JSON_END : fail(s, "text after the value");
	if (at_end)
		return fail(s, "the text ends early");
	char byte = s->text.ptr[s->offset];
	switch ((enum state)s->state) {
	case WANT_VALUE_OR_END:
		return byte == ']' ? scan_end(s, byte) : scan_value(s);
	case WANT_KEY_OR_END:
		return byte == '}' ? scan_end(s, byte) : scan_key(s);
	case WANT_COMMA_OR_END:
		if (byte != ',')
			return scan_end(s, byte);
		s->offset++;
		skip_space(s);
		return in_object(s) ? scan_key(s) : scan_value(s);
	case WANT_VALUE:
		return scan_value(s);
	case FINISHED:
	case FAILED:
		break;
	}
	return JSON_ERROR;
}

bool json_scan_skip(struct json_scanner *s)
{
	/* After a BEGIN that level has to end, after a KEY its value, which may open one too. */
	bool after_key = s->state == WANT_VALUE;
	unsigned depth = after_key ? s->depth : s->depth - 1;
	ASSERT(after_key || s->state == WANT_VALUE_OR_END || s->state == WANT_KEY_OR_END ||
	       s->state == FAILED);
	do {
		if (json_scan_next(s) == JSON_ERROR)
			return false;
	} while (s->depth > depth);
	return true;
}

struct slice json_scan_text(const struct json_scanner *s, struct arena *arena)
{
	if (!s->has_escape)
		return s->raw;
	/* Resolving never makes a text longer. */
	char *text = ARENA_NEW(arena, char, s->raw.len);
	size_t len = 0;
	for (size_t at = 0; at < s->raw.len;) {
		size_t plain = slice_find_byte(s->raw, '\\', at) - at;
		memcpy(text + len, s->raw.ptr + at, plain);
		len += plain;
		at += plain;
		if (at < s->raw.len)
			len += resolve_escape(s->raw, &at, text + len);
	}
	return slice_make(text, len);
}

static enum json_token fail(struct json_scanner *s, const char *text)
{
	s->state = FAILED;
	s->error_text_or_null = text;
	return JSON_ERROR;
}

static bool fail_in_string(struct json_scanner *s, const char *text)
{
	(void)fail(s, text); /* the caller's answer says it */
	return false;
}

static void skip_space(struct json_scanner *s)
{
	size_t at = s->offset;
	while (at < s->text.len && (s->text.ptr[at] == ' ' || s->text.ptr[at] == '\n' ||
				    s->text.ptr[at] == '\t' || s->text.ptr[at] == '\r'))
		at++;
	s->offset = at;
}

static enum json_token scan_value(struct json_scanner *s)
{
	if (s->offset == s->text.len)
		return fail(s, "the text ends early");
	switch (s->text.ptr[s->offset]) {
	case '{':
		return level_begin(s, true);
	case '[':
		return level_begin(s, false);
	case '"':
		if (!scan_string(s))
			return JSON_ERROR;
		item_done(s);
		return JSON_STRING;
	case 't':
		return scan_word(s, SLICE("true"), JSON_TRUE);
	case 'f':
		return scan_word(s, SLICE("false"), JSON_FALSE);
	case 'n':
		return scan_word(s, SLICE("null"), JSON_NULL);
	default:
		return scan_number(s);
	}
}

static enum json_token scan_key(struct json_scanner *s)
{
	if (s->offset == s->text.len)
		return fail(s, "the text ends early");
	if (s->text.ptr[s->offset] != '"')
		return fail(s, "a member name in quotes was expected");
	if (!scan_string(s))
		return JSON_ERROR;
	skip_space(s);
	if (s->offset == s->text.len)
		return fail(s, "the text ends early");
	if (s->text.ptr[s->offset] != ':')
		return fail(s, "':' was expected");
	s->offset++;
	s->state = WANT_VALUE;
	return JSON_KEY;
}

static enum json_token scan_end(struct json_scanner *s, char bracket)
{
	bool is_object = in_object(s);
	if (bracket != (is_object ? '}' : ']'))
		return fail(s, is_object ? "',' or '}' was expected" : "',' or ']' was expected");
	s->offset++;
	s->depth--;
	item_done(s);
	return is_object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token level_begin(struct json_scanner *s, bool is_object)
{
	if (s->depth == JSON_SCANNER_DEPTH_MAX)
		return fail(s, "nested too deeply");
	uint64_t bit = UINT64_C(1) << s->depth;
	s->is_object_bits = is_object ? s->is_object_bits | bit : s->is_object_bits & ~bit;
	s->depth++;
	s->offset++;
	s->state = is_object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return is_object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static void item_done(struct json_scanner *s)
{
	s->state = s->depth == 0 ? FINISHED : WANT_COMMA_OR_END;
}

static bool in_object(const struct json_scanner *s)
{
	return (s->is_object_bits >> (s->depth - 1) & 1) != 0;
}

static enum json_token scan_word(struct json_scanner *s, struct slice word, enum json_token token)
{
	if (!slice_starts_with(slice_from(s->text, s->offset), word))
		return fail(s, "a value was expected");
	s->offset += word.len;
	item_done(s);
	return token;
}

/* Is any of the eight bytes a quote, a backslash, a control character or not ASCII? */
static inline bool is_special_word(uint64_t word)
{
	uint64_t const ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t quote = word ^ (ones * '"');
	uint64_t backslash = word ^ (ones * '\\');
	/* A byte below n borrows into its top bit; false alarms only cost the slow path. */
	return (((quote - ones) | (backslash - ones) | (word - ones * 0x20) | word) & tops) != 0;
}

/* At the opening quote; leaves the offset behind the closing one, or at what is wrong. */
static bool scan_string(struct json_scanner *s)
{
	const char *ptr = s->text.ptr;
	size_t len = s->text.len;
	size_t start = ++s->offset;
	s->has_escape = false;
	for (;;) {
		uint64_t word;
		size_t at = s->offset;
		for (; len - at >= sizeof(word); at += sizeof(word)) {
			memcpy(&word, ptr + at, sizeof(word));
			if (is_special_word(word))
				break;
		}
		while (at < len && (unsigned char)ptr[at] >= 0x20 &&
		       (unsigned char)ptr[at] < 0x80 && ptr[at] != '"' && ptr[at] != '\\')
			at++;
		s->offset = at;
		if (at == len)
			return fail_in_string(s, "a string does not end");
		if (ptr[at] == '"')
			break;
		if (ptr[at] == '\\') {
			s->has_escape = true;
			if (!scan_escape(s))
				return false;
			continue;
		}
		if ((unsigned char)ptr[at] < 0x20)
			return fail_in_string(s, "a control character in a string");
		size_t bytes = utf8_sequence_bytes(ptr + at, len - at);
		if (bytes == 0)
			return fail_in_string(s, "not UTF-8");
		s->offset = at + bytes;
	}
	s->raw = slice_make(ptr + start, s->offset - start);
	s->offset++;
	return true;
}

static bool scan_escape(struct json_scanner *s)
{
	if (s->text.len - s->offset < 2)
		return fail_in_string(s, "a string does not end");
	switch (s->text.ptr[s->offset + 1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		s->offset += 2;
		return true;
	case 'u':
		return scan_unicode_escape(s);
	default:
		return fail_in_string(s, "an unknown escape in a string");
	}
}

static bool scan_unicode_escape(struct json_scanner *s)
{
	uint32_t unit, second;
	if (!read_hex4(s->text, s->offset + 2, &unit))
		return fail_in_string(s, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail_in_string(s, "\\u0000 is not supported");
	if (unit < 0xD800 || unit > 0xDFFF) {
		s->offset += 6;
		return true;
	}
	/* A pair: the first half D800 to DBFF, the second DC00 to DFFF. */
	struct slice next = slice_first(slice_from(s->text, s->offset + 6), 2);
	if (unit > 0xDBFF || !slice_eq(next, SLICE("\\u")) ||
	    !read_hex4(s->text, s->offset + 8, &second) || second < 0xDC00 || second > 0xDFFF)
		return fail_in_string(s, "half of a surrogate pair in a string");
	s->offset += 12;
	return true;
}

static bool read_hex4(struct slice text, size_t at, uint32_t *out)
{
	if (at > text.len || text.len - at < 4)
		return false;
	uint32_t value = 0;
	for (size_t i = at; i < at + 4; i++) {
		char digit = text.ptr[i];
		value <<= 4;
		if (digit >= '0' && digit <= '9')
			value |= (uint32_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value |= (uint32_t)(digit - 'a' + 10);
		else if (digit >= 'A' && digit <= 'F')
			value |= (uint32_t)(digit - 'A' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

static enum json_token scan_number(struct json_scanner *s)
{
	struct slice text = s->text;
	size_t start = s->offset;
	size_t at = start + (text.ptr[start] == '-');
	size_t digits = at;
	bool has_exponent = false;
	at = skip_digits(text, at);
	if (at == digits)
		return s->takes_any_number ? scan_nonfinite(s) : fail(s, "a value was expected");
	if (text.ptr[digits] == '0' && at > digits + 1)
		return fail(s, "a number starts with 0");
	if (at < text.len && text.ptr[at] == '.') {
		digits = ++at;
		at = skip_digits(text, at);
		if (at == digits)
			return fail(s, "a number ends in '.'");
	}
	if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
		has_exponent = true;
		at++;
		at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
		digits = at;
		at = skip_digits(text, at);
		if (at == digits)
			return fail(s, "a number has no digits in its exponent");
	}
	struct slice raw = slice_make(text.ptr + start, at - start);
	if (raw.len > JSON_SCANNER_NUMBER_BYTES_MAX)
		return fail(s, "a number is too long");
	double value; /* without exponent 63 digits always fit */
	if (has_exponent && !s->takes_any_number && !slice_parse_double(raw, &value))
		return fail(s, "a number is too large");
	s->raw = raw;
	s->has_escape = false;
	s->offset = at;
	item_done(s);
	return JSON_NUMBER;
}

static enum json_token scan_nonfinite(struct json_scanner *s)
{
	const struct slice words[] = {SLICE("NaN"), SLICE("Infinity"), SLICE("-Infinity")};
	struct slice rest = slice_from(s->text, s->offset);
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (!slice_starts_with(rest, words[i]))
			continue;
		s->raw = slice_first(rest, words[i].len);
		s->has_escape = false;
		s->has_nonfinite = true;
		return scan_word(s, words[i], JSON_NUMBER);
	}
	return fail(s, "a value was expected");
}

static size_t skip_digits(struct slice text, size_t at)
{
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
		at++;
	return at;
}

static size_t append_code_point(char *out, uint32_t point)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xC0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3F));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xE0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (point & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (point & 0x3F));
	return 4;
}

/* The escape at *at, which was checked by scan_escape, as UTF-8. */
static size_t resolve_escape(struct slice raw, size_t *at, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	char kind = raw.ptr[*at + 1];
	if (kind != 'u') {
		const char *found = strchr(names, kind);
		ASSERT(found != NULL);
		out[0] = meanings[found - names];
		*at += 2;
		return 1;
	}
	uint32_t point = 0, second;
	bool is_hex = read_hex4(raw, *at + 2, &point);
	ASSERT(is_hex);
	*at += 6;
	if (point >= 0xD800 && point <= 0xDBFF) {
		is_hex = read_hex4(raw, *at + 2, &second);
		ASSERT(is_hex);
		*at += 6;
		point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00);
	}
	return append_code_point(out, point);
}
