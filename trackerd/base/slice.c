/* Owns comparing, cutting and reading of borrowed bytes. */
#include "base/slice.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

enum {
	/* 767 digits decide every double; the rest is one sticky digit. */
	DIGITS_KEPT_MAX = 780,
	/* Far beyond any double, far below overflow. */
	EXPONENT_LIMIT = 1 << 30,
};

/* A decimal number taken apart: digits × 10^exponent. */
struct decimal {
	char digits[DIGITS_KEPT_MAX + 1]; /* without leading zeros */
	unsigned digit_count;
	int64_t exponent;
	bool negative;
};

static unsigned char ascii_lower(unsigned char byte);
static bool is_digit(char byte);
static bool is_space(char byte);
static bool parse_special_double(struct slice s, double *out);
static bool decimal_read(struct slice s, struct decimal *d);
static bool decimal_read_exponent(struct slice s, size_t *at, int64_t *out);
static void decimal_add_digit(struct decimal *d, char digit, bool after_point);
static bool decimal_to_double(struct decimal *d, double *out);

bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_cstr(struct slice a, const char *b)
{
	return slice_eq(a, slice_from_cstr(b));
}

bool slice_eq_ignoring_case(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower((unsigned char)a.ptr[i]) != ascii_lower((unsigned char)b.ptr[i]))
			return false;
	}
	return true;
}

int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_first(s, prefix.len), prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_eq(slice_from(s, s.len - suffix.len), suffix);
}

size_t slice_find_byte(struct slice s, char byte, size_t from)
{
	if (from >= s.len)
		return s.len;
	const char *found = memchr(s.ptr + from, byte, s.len - from);
	return found == NULL ? s.len : (size_t)(found - s.ptr);
}

bool slice_contains(struct slice s, struct slice part)
{
	if (part.len == 0)
		return true;
	return s.len >= part.len && memmem(s.ptr, s.len, part.ptr, part.len) != NULL;
}

struct slice slice_from(struct slice s, size_t from)
{
	if (s.ptr == NULL)
		return s;
	if (from > s.len)
		from = s.len;
	return slice_make(s.ptr + from, s.len - from);
}

struct slice slice_first(struct slice s, size_t len)
{
	return slice_make(s.ptr, len < s.len ? len : s.len);
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool slice_next(struct slice *rest, char separator, struct slice *head_out)
{
	if (rest->ptr == NULL)
		return false;
	size_t at = slice_find_byte(*rest, separator, 0);
	*head_out = slice_first(*rest, at);
	*rest = at < rest->len ? slice_from(*rest, at + 1) : (struct slice){NULL, 0};
	return true;
}

bool slice_parse_u64(struct slice s, uint64_t *out)
{
	if (s.len == 0)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

uint64_t slice_hash(struct slice s)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

bool slice_parse_i64(struct slice s, int64_t *out)
{
	bool negative = s.len > 0 && s.ptr[0] == '-';
	uint64_t magnitude;
	if (!slice_parse_u64(negative ? slice_from(s, 1) : s, &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	/* Negated as unsigned, since -INT64_MIN does not exist. */
	*out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

bool slice_parse_double(struct slice s, double *out)
{
	struct decimal d;
	if (!decimal_read(s, &d))
		return parse_special_double(s, out);
	return decimal_to_double(&d, out);
}

int slice_hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool slice_is_utf8(struct slice s)
{
	for (size_t at = 0; at < s.len;) {
		size_t bytes = utf8_sequence_bytes(s.ptr + at, s.len - at);
		if (bytes == 0)
			return false;
		at += bytes;
	}
	return true;
}

size_t slice_utf8_length(struct slice s)
{
	size_t count = 0;
	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
	return count;
}

struct slice slice_utf8_first(struct slice s, size_t count)
{
	size_t at = 0;
	for (; at < s.len && count > 0; count--) {
		size_t bytes = utf8_sequence_bytes(s.ptr + at, s.len - at);
		if (bytes == 0)
			break;
		at += bytes;
	}
	return slice_first(s, at);
}

static unsigned char ascii_lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool parse_special_double(struct slice s, double *out)
{
	static const struct {
		struct slice name;
		double value;
	} specials[] = {
		{{"nan", 3}, (double)NAN},
		{{"infinity", 8}, (double)INFINITY},
		{{"-infinity", 9}, -(double)INFINITY},
	};
	for (size_t i = 0; i < ARRAY_COUNT(specials); i++) {
		if (slice_eq_ignoring_case(s, specials[i].name)) {
			*out = specials[i].value;
			return true;
		}
	}
	return false;
}

/* [-] digits [. digits] [e [+-] digits], with a digit on at least one side of the point. */
static bool decimal_read(struct slice s, struct decimal *d)
{
	d->digit_count = 0;
	d->exponent = 0;
	d->negative = s.len > 0 && s.ptr[0] == '-';
	bool any_digit = false, after_point = false;
	size_t at = d->negative ? 1 : 0;
	for (; at < s.len; at++) {
		if (is_digit(s.ptr[at])) {
			any_digit = true;
			decimal_add_digit(d, s.ptr[at], after_point);
		} else if (s.ptr[at] == '.' && !after_point) {
			after_point = true;
		} else {
			break;
		}
	}
	int64_t exponent = 0;
	if (!any_digit || !decimal_read_exponent(s, &at, &exponent) || at != s.len)
		return false;
	d->exponent += exponent;
	return true;
}

static bool decimal_read_exponent(struct slice s, size_t *at, int64_t *out)
{
	if (*at == s.len || (s.ptr[*at] != 'e' && s.ptr[*at] != 'E'))
		return true;
	++*at;
	bool negative = *at < s.len && s.ptr[*at] == '-';
	if (*at < s.len && (s.ptr[*at] == '-' || s.ptr[*at] == '+'))
		++*at;
	size_t first = *at;
	int64_t value = 0;
	for (; *at < s.len && is_digit(s.ptr[*at]); ++*at) {
		if (value < EXPONENT_LIMIT)
			value = value * 10 + (s.ptr[*at] - '0');
	}
	*out = negative ? -value : value;
	return *at > first;
}

static void decimal_add_digit(struct decimal *d, char digit, bool after_point)
{
	if (after_point)
		d->exponent--;
	if (d->digit_count == 0 && digit == '0')
		return;
	if (d->digit_count < DIGITS_KEPT_MAX) {
		d->digits[d->digit_count++] = digit;
		return;
	}
	/* Beyond the digits that decide, it only matters whether anything is left at all. */
	d->exponent++;
	if (digit != '0')
		d->digits[DIGITS_KEPT_MAX - 1] = '1';
}

static bool decimal_to_double(struct decimal *d, double *out)
{
	// clang-format off
	static const double powers_of_ten[] = {
		1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	};
	// clang-format on
	double value;
	if (d->digit_count <= 15 && d->exponent >= -22 && d->exponent <= 22) {
		/* Both numbers are exact doubles, so that the one operation rounds correctly. */
		int64_t mantissa = 0;
		for (unsigned i = 0; i < d->digit_count; i++)
			mantissa = mantissa * 10 + (d->digits[i] - '0');
		value = d->exponent < 0 ? (double)mantissa / powers_of_ten[-d->exponent]
					: (double)mantissa * powers_of_ten[d->exponent];
	} else {
		/* No decimal point in the text: strtod's answer does not depend on the locale. */
		char text[DIGITS_KEPT_MAX + 32];
		snprintf(text, sizeof(text), "%.*se%lld", (int)d->digit_count, d->digits,
			 (long long)d->exponent);
		value = strtod(d->digit_count == 0 ? "0" : text, NULL);
		if (isinf(value))
			return false;
	}
	*out = d->negative ? -value : value;
	return true;
}
