/* A slice is a borrowed run of bytes: pointer and length, passed by value.
 *
 * Invariants: `ptr` may be NULL only with `len` 0; a NULL `ptr` means "absent" where a table says so,
 * an empty slice with a non-NULL `ptr` is an empty string. Slices are not NUL-terminated; at the
 * borders to libc, libuv and SQLite a terminated copy is made (arena_cstr). No function here
 * allocates, keeps its arguments or depends on the locale. All are thread-safe. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

struct slice {
	const char *ptr;
	size_t len;
};

/* A slice of a string literal; a char pointer does not compile. */
#define SLICE(literal) ((struct slice){"" literal "", sizeof(literal) - 1})
/* The two arguments of a "%.*s". Lengths beyond INT_MAX are cut. */
#define SLICE_FMT(s) \
	(int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), ((s).ptr == NULL ? "" : (s).ptr)

static inline struct slice slice_make(const char *ptr, size_t len)
{
	return (struct slice){ptr, len};
}

static inline struct slice slice_from_cstr(const char *text)
{
	return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

static inline bool slice_is_present(struct slice s)
{
	return s.ptr != NULL;
}

/* An absent slice as an empty text. */
static inline struct slice slice_or_empty(struct slice s)
{
	return s.ptr != NULL ? s : SLICE("");
}

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_cstr(struct slice a, const char *b);
/* ASCII case is ignored; bytes above 127 compare as they are. */
bool slice_eq_ignoring_case(struct slice a, struct slice b);
/* memcmp order, shorter first: <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);
bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);
/* Index of the first `byte` at or after `from`; s.len if there is none. */
size_t slice_find_byte(struct slice s, char byte, size_t from);
bool slice_contains(struct slice s, struct slice part);
/* From index `from` to the end; `from` > len gives an empty slice. */
struct slice slice_from(struct slice s, size_t from);
/* At most the first `len` bytes. */
struct slice slice_first(struct slice s, size_t len);
/* Without ASCII white space at both ends. */
struct slice slice_trim(struct slice s);
/* Cuts `*rest` at the first `separator`: *head_out gets what is before it, *rest what is after.
 * Returns false when *rest was already used up (ptr NULL). "a,b" gives "a", "b"; "" gives "". */
bool slice_next(struct slice *rest, char separator, struct slice *head_out);

/* For hash tables: FNV-1a (Fowler, Noll, Vo), 64 bits, folded so that the low bits are good. Not against those who
 * look for collisions. */
uint64_t slice_hash(struct slice s);

/* Numbers: the whole slice must be one number; no white space, no locale, no "0x". */
MUST_CHECK bool slice_parse_i64(struct slice s, int64_t *out);
MUST_CHECK bool slice_parse_u64(struct slice s, uint64_t *out);
/* Also takes NaN, Infinity, -Infinity (in any case), as the MLflow wire does; "1e400" is refused. */
MUST_CHECK bool slice_parse_double(struct slice s, double *out);

/* The value of one hexadecimal digit in either case, or -1. */
int slice_hex_digit(char digit);

/* Is this well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, <= U+10FFFF)? */
bool slice_is_utf8(struct slice s);
/* Number of code points of well-formed UTF-8. */
size_t slice_utf8_length(struct slice s);
/* The longest prefix of well-formed UTF-8 with at most `count` code points. */
struct slice slice_utf8_first(struct slice s, size_t count);

#endif
