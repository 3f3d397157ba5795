/* Reads one code point of UTF-8: the rule that slices, errors, logs and JSON share. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the well-formed sequence at the start of `len` > 0 bytes, or 0 if there is none.
 * RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static inline size_t utf8_sequence_bytes(const char *ptr, size_t len)
{
	const unsigned char *b = (const unsigned char *)ptr;
	if (b[0] < 0x80)
		return 1;
	if (b[0] < 0xC2 || b[0] > 0xF4)
		return 0;
	if (len < 2 || (b[1] & 0xC0) != 0x80)
		return 0;
	if (b[0] < 0xE0)
		return 2;
	if (len < 3 || (b[2] & 0xC0) != 0x80)
		return 0;
	if (b[0] < 0xF0) {
		/* E0 below A0 is overlong, ED above 9F a surrogate. */
		if ((b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F))
			return 0;
		return 3;
	}
	if (len < 4 || (b[3] & 0xC0) != 0x80)
		return 0;
	/* F0 below 90 is overlong, F4 above 8F beyond Unicode. */
	if ((b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F))
		return 0;
	return 4;
}

#endif
