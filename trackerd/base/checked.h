/* Arithmetic on sizes and conversions between widths that say when they do not fit.
 *
 * Each function returns false, leaving *out untouched, where the exact result does not fit. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

static inline MUST_CHECK bool checked_add_size(size_t a, size_t b, size_t *out)
{
	size_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

static inline MUST_CHECK bool checked_mul_size(size_t a, size_t b, size_t *out)
{
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

static inline MUST_CHECK bool checked_add_i64(int64_t a, int64_t b, int64_t *out)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

static inline MUST_CHECK bool checked_sub_i64(int64_t a, int64_t b, int64_t *out)
{
	int64_t difference;
	if (__builtin_sub_overflow(a, b, &difference))
		return false;
	*out = difference;
	return true;
}

/* A double becomes an int64 only if it is integral and |x| <= 2^53, so that it was exact. */
static inline MUST_CHECK bool checked_i64_from_double(double x, int64_t *out)
{
	if (!(x >= -9007199254740992.0 && x <= 9007199254740992.0))
		return false;
	int64_t whole = (int64_t)x;
	if ((double)whole != x)
		return false;
	*out = whole;
	return true;
}

/* Sizes that are known to fit, because a limit was checked before; asserts otherwise. */
static inline int64_t i64_from_size(size_t size)
{
	ASSERT(size <= (size_t)INT64_MAX);
	return (int64_t)size;
}

static inline size_t size_from_i64(int64_t value)
{
	ASSERT(value >= 0);
	return (size_t)value;
}

#endif
