/* A growable run of bytes with a ceiling that is named at birth, on the heap or in an arena.
 *
 * The first append that would pass `bytes_max`, or that gets no memory, frees the content and sets
 * `failed`; later appends do nothing. So a caller appends freely and checks once at the end
 * (buffer_check). One thread at a time. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct buffer {
	char *ptr_or_null;
	size_t len;
	size_t capacity;
	size_t bytes_max;
	bool failed;
	struct arena *arena_or_null; /* where the bytes are instead of on the heap */
};

void buffer_init(struct buffer *b, size_t bytes_max);
/* The bytes die with the arena, and so may what buffer_slice gives: for texts made below an arena's guard. What it
 * outgrew stays in the arena, up to as much again. Exhaustion is the arena's (arena_alloc). */
void buffer_init_in_arena(struct buffer *b, struct arena *arena, size_t bytes_max);
/* Frees the content; the buffer may be initialised again. */
void buffer_deinit(struct buffer *b);
/* Forgets content and failure, keeps the memory. */
void buffer_reset(struct buffer *b);
void buffer_append(struct buffer *b, struct slice bytes);
void buffer_append_cstr(struct buffer *b, const char *text);
void buffer_append_byte(struct buffer *b, char byte);
void buffer_printf(struct buffer *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Makes room for `bytes` more and returns where they go, or NULL when that failed; follow with
 * buffer_commit of how many were written. */
char *buffer_reserve(struct buffer *b, size_t bytes);
void buffer_commit(struct buffer *b, size_t bytes);
/* Drops the first `bytes` bytes. */
void buffer_consume(struct buffer *b, size_t bytes);
/* Borrowed until the next change. */
struct slice buffer_slice(const struct buffer *b);
/* False, with REQUEST_TOO_LARGE and `what` in the sentence, if an append failed. */
MUST_CHECK bool buffer_check(const struct buffer *b, const char *what, struct error *err);
/* Gives the heap memory (free with free()) and leaves the buffer empty; NULL if failed or empty. Not for one in an
 * arena. */
char *buffer_take(struct buffer *b, size_t *len_out);

#endif
