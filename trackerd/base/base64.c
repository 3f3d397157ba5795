/* Owns the reading and writing of base64. */
#include "base/base64.h"

#include <stdint.h>

struct slice base64url_encode(struct slice bytes, struct arena *arena)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *text = ARENA_NEW(arena, char, bytes.len / 3 * 4 + 4);
	size_t text_len = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		bits = (bits << 8) | (unsigned char)bytes.ptr[i];
		bit_count += 8;
		while (bit_count >= 6) {
			bit_count -= 6;
			text[text_len++] = digits[(bits >> bit_count) & 63];
		}
	}
	if (bit_count > 0)
		text[text_len++] = digits[(bits << (6 - bit_count)) & 63];
	return slice_make(text, text_len);
}

/* The value of a digit, or -1; `last_two` are the digits of 62 and 63. */
static int digit_value(char byte, const char *last_two)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	if (byte == last_two[0])
		return 62;
	return byte == last_two[1] ? 63 : -1;
}

static bool decode(struct slice text, const char *last_two, struct arena *arena, struct slice *out)
{
	char *bytes = ARENA_NEW(arena, char, text.len / 4 * 3 + 3);
	size_t len = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_value(text.ptr[i], last_two);
		if (digit < 0)
			return false;
		bits = (bits << 6) | (uint32_t)digit;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			bytes[len++] = (char)(bits >> bit_count);
		}
	}
	if (text.len % 4 == 1 || (bits & ((1U << bit_count) - 1)) != 0)
		return false;
	*out = slice_make(bytes, len);
	return true;
}

bool base64url_decode(struct slice text, struct arena *arena, struct slice *out)
{
	return decode(text, "-_", arena, out);
}

bool base64_decode(struct slice text, struct arena *arena, struct slice *out)
{
	struct slice digits = text;
	for (int i = 0; i < 2 && slice_ends_with(digits, SLICE("=")); i++)
		digits.len--;
	return text.len % 4 == 0 && decode(digits, "+/", arena, out);
}
