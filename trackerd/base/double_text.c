/* Owns the shortest decimal text of a double.
 *
 * A double m·2^e is the best reading of every number between the middles to its neighbours. Scaled by
 * 10^k so that it has 17 digits before the point, those two middles and the value itself are exact
 * fixed-point numbers of at most 118 bits as long as 5^k fits 63 bits. So for the magnitudes that
 * metrics have, the shortest number in between is found with a few integer operations; the others
 * take the long way round through printf. */
#include "base/double_text.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
	MANTISSA_BITS = 52,
	EXPONENT_BIAS = 1075, /* of the mantissa seen as an integer */
	SCALE_MAX = 27,	      /* 5^27 < 2^63 */
	DIGITS_MAX = 17,
};

static const double EXACT_MIN = 1e-10;
static const double EXACT_BELOW = 9007199254740992.0; /* 2^53: all scales are divisions */

__extension__ typedef unsigned __int128 uint128;

/* digits × 10^exponent, digits without trailing zeros. */
struct shortest {
	uint64_t digits;
	int exponent;
};

static struct shortest shortest_exact(double magnitude);
static struct shortest shortest_between(uint128 low, uint128 middle, uint128 high, unsigned shift,
					bool ends_included, int exponent);
static struct shortest shortest_by_printf(double magnitude);
static struct shortest without_trailing_zeros(uint64_t digits, int exponent);
static size_t write_number(struct shortest number, char *text);
static size_t write_digits(uint64_t digits, char *text);

size_t double_text(double value, char text[DOUBLE_TEXT_BYTES_MAX])
{
	ASSERT(isfinite(value));
	size_t len = 0;
	if (signbit(value))
		text[len++] = '-';
	double magnitude = fabs(value);
	if (magnitude < 1e15 && magnitude == (double)(uint64_t)magnitude) {
		len += write_digits((uint64_t)magnitude, text + len);
		memcpy(text + len, ".0", 2);
		return len + 2;
	}
	bool exact = magnitude >= EXACT_MIN && magnitude < EXACT_BELOW;
	struct shortest number = exact ? shortest_exact(magnitude) : shortest_by_printf(magnitude);
	return len + write_number(number, text + len);
}

static struct shortest shortest_exact(double magnitude)
{
	static const uint64_t ten_to_16 = UINT64_C(10000000000000000);
	uint64_t bits;
	memcpy(&bits, &magnitude, sizeof(bits));
	int exponent = (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS;
	uint64_t fraction = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	uint64_t mantissa = fraction | (UINT64_C(1) << MANTISSA_BITS);

	/* The scale: log10(2) is 1233/4096, and one more when that came out too low. */
	int scale = 16 - (((exponent + MANTISSA_BITS) * 1233) >> 12);
	if (scale > SCALE_MAX)
		scale = SCALE_MAX;
	uint128 five_power;
	unsigned shift;
	for (;; scale--) {
		five_power = 1;
		for (int i = 0; i < scale; i++)
			five_power *= 5;
		/* In quarters of the last mantissa bit; 10^k = 5^k·2^k. */
		shift = (unsigned)(2 - exponent - scale);
		if ((4 * mantissa * five_power) >> shift < 10 * (uint128)ten_to_16)
			break;
	}
	uint128 middle = 4 * mantissa * five_power;
	/* Below a power of two the neighbour is only half as far away. */
	uint128 low = middle - (fraction == 0 ? 1 : 2) * five_power;
	uint128 high = middle + 2 * five_power;
	return shortest_between(low, middle, high, shift, (mantissa & 1) == 0, -scale);
}

/* The number with the fewest digits between the fixed-point numbers low and high, the nearest to
 * middle among those. Reading rounds half to even: the ends belong to an even mantissa. */
static struct shortest shortest_between(uint128 low, uint128 middle, uint128 high, unsigned shift,
					bool ends_included, int exponent)
{
	uint128 part_mask = ((uint128)1 << shift) - 1;
	uint64_t first = (uint64_t)(low >> shift);
	uint64_t last = (uint64_t)(high >> shift);
	if ((low & part_mask) != 0 || !ends_included)
		first++;
	if ((high & part_mask) == 0 && !ends_included)
		last--;
	uint64_t power = 1;
	while (last / (power * 10) * (power * 10) >= first) {
		power *= 10;
		exponent++;
	}
	/* Round the middle to a multiple of power; if that is outside, there is another. */
	uint64_t whole = (uint64_t)(middle >> shift);
	uint64_t count = whole / power, rest = whole % power;
	bool has_part = (middle & part_mask) != 0;
	bool up = power == 1 ? (middle & part_mask) > part_mask / 2
			     : rest > power / 2 || (rest == power / 2 && (has_part || (count & 1)));
	if (up)
		count++;
	if (count * power > last || count * power < first)
		count = last / power;
	return without_trailing_zeros(count, exponent);
}

static struct shortest shortest_by_printf(double magnitude)
{
	char text[40];
	/* 15 digits are exact for normal doubles; smaller ones have fewer bits and need fewer. */
	for (int digits = magnitude < DBL_MIN ? 1 : DBL_DIG; digits <= DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, magnitude);
		if (strtod(text, NULL) == magnitude)
			break;
	}
	/* Whatever the locale's decimal point is, it is no digit. */
	uint64_t digits = 0;
	int fraction_digits = -1;
	const char *at = text;
	for (; *at != 'e'; at++) {
		if (*at >= '0' && *at <= '9') {
			digits = digits * 10 + (uint64_t)(*at - '0');
			fraction_digits++;
		}
	}
	return without_trailing_zeros(digits, (int)strtol(at + 1, NULL, 10) - fraction_digits);
}

static struct shortest without_trailing_zeros(uint64_t digits, int exponent)
{
	while (digits % 10 == 0) {
		digits /= 10;
		exponent++;
	}
	return (struct shortest){digits, exponent};
}

static size_t write_number(struct shortest number, char *text)
{
	char digits[20];
	size_t count = write_digits(number.digits, digits);
	int point = (int)count + number.exponent; /* digits before the point */
	size_t len = 0;
	if (point > 16 || point < -3) {
		text[len++] = digits[0];
		if (count > 1) {
			text[len++] = '.';
			memcpy(text + len, digits + 1, count - 1);
			len += count - 1;
		}
		int exponent = point - 1;
		text[len++] = 'e';
		text[len++] = exponent < 0 ? '-' : '+';
		uint64_t size = (uint64_t)(exponent < 0 ? -exponent : exponent);
		if (size < 10)
			text[len++] = '0';
		return len + write_digits(size, text + len);
	}
	if (point <= 0) {
		memcpy(text, "0.000", 5);
		len = (size_t)(2 - point);
		memcpy(text + len, digits, count);
		return len + count;
	}
	size_t whole = (size_t)point < count ? (size_t)point : count;
	memcpy(text, digits, whole);
	len = whole;
	while (len < (size_t)point)
		text[len++] = '0';
	text[len++] = '.';
	if (whole == count) {
		text[len++] = '0';
		return len;
	}
	memcpy(text + len, digits + whole, count - whole);
	return len + count - whole;
}

static size_t write_digits(uint64_t digits, char *text)
{
	char reversed[20];
	size_t count = 0;
	do {
		reversed[count++] = (char)('0' + digits % 10);
		digits /= 10;
	} while (digits > 0);
	for (size_t i = 0; i < count; i++)
		text[i] = reversed[count - 1 - i];
	return count;
}
