/* Owns the growing of buffers. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_BYTES_MIN = 256 };

static bool make_room(struct buffer *b, size_t bytes);
static char *grow(struct buffer *b, size_t capacity);
static void fail(struct buffer *b);

void buffer_init(struct buffer *b, size_t bytes_max)
{
	*b = (struct buffer){.bytes_max = bytes_max};
}

void buffer_init_in_arena(struct buffer *b, struct arena *arena, size_t bytes_max)
{
	*b = (struct buffer){.bytes_max = bytes_max, .arena_or_null = arena};
}

void buffer_deinit(struct buffer *b)
{
	if (b->arena_or_null == NULL)
		free(b->ptr_or_null);
	*b = (struct buffer){.bytes_max = b->bytes_max, .arena_or_null = b->arena_or_null};
}

void buffer_reset(struct buffer *b)
{
	b->len = 0;
	b->failed = false;
}

void buffer_append(struct buffer *b, struct slice bytes)
{
	if (bytes.len == 0 || !make_room(b, bytes.len))
		return;
	memcpy(b->ptr_or_null + b->len, bytes.ptr, bytes.len);
	b->len += bytes.len;
}

void buffer_append_cstr(struct buffer *b, const char *text)
{
	buffer_append(b, slice_from_cstr(text));
}

void buffer_append_byte(struct buffer *b, char byte)
{
	if (make_room(b, 1))
		b->ptr_or_null[b->len++] = byte;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	ASSERT(len >= 0);
	if ((size_t)len < sizeof(text)) {
		buffer_append(b, slice_make(text, (size_t)len));
		return;
	}
	char *long_text = malloc((size_t)len + 1);
	if (long_text == NULL) {
		fail(b);
		return;
	}
	va_start(arguments, format);
	(void)vsnprintf(long_text, (size_t)len + 1, format, arguments); /* same length as before */
	va_end(arguments);
	buffer_append(b, slice_make(long_text, (size_t)len));
	free(long_text);
}

char *buffer_reserve(struct buffer *b, size_t bytes)
{
	return make_room(b, bytes) ? b->ptr_or_null + b->len : NULL;
}

void buffer_commit(struct buffer *b, size_t bytes)
{
	ASSERT(bytes <= b->capacity - b->len);
	b->len += bytes;
}

void buffer_consume(struct buffer *b, size_t bytes)
{
	ASSERT(bytes <= b->len);
	if (bytes == 0)
		return;
	b->len -= bytes;
	memmove(b->ptr_or_null, b->ptr_or_null + bytes, b->len);
}

struct slice buffer_slice(const struct buffer *b)
{
	return b->len == 0 ? SLICE("") : slice_make(b->ptr_or_null, b->len);
}

bool buffer_check(const struct buffer *b, const char *what, struct error *err)
{
	if (b->failed)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "%s is larger than %zu bytes.", what,
				 b->bytes_max);
	return true;
}

char *buffer_take(struct buffer *b, size_t *len_out)
{
	ASSERT(b->arena_or_null == NULL);
	if (b->failed || b->len == 0) {
		*len_out = 0;
		return NULL;
	}
	char *taken = b->ptr_or_null;
	*len_out = b->len;
	*b = (struct buffer){.bytes_max = b->bytes_max};
	return taken;
}

/* Always leaves one byte's worth of memory, so that a reserve of nothing has an address to give. */
static bool make_room(struct buffer *b, size_t bytes)
{
	if (b->failed)
		return false;
	if (b->ptr_or_null != NULL && bytes <= b->capacity - b->len)
		return true;
	if (bytes > b->bytes_max - b->len) {
		fail(b);
		return false;
	}
	size_t needed = b->len + bytes;
	size_t capacity = b->capacity > b->bytes_max / 2 ? b->bytes_max : b->capacity * 2;
	if (capacity < BUFFER_BYTES_MIN)
		capacity = BUFFER_BYTES_MIN < b->bytes_max ? BUFFER_BYTES_MIN : b->bytes_max;
	if (capacity < needed)
		capacity = needed;
	char *grown = grow(b, capacity > 0 ? capacity : 1);
	if (grown == NULL) {
		fail(b);
		return false;
	}
	b->ptr_or_null = grown;
	b->capacity = capacity;
	return true;
}

static char *grow(struct buffer *b, size_t capacity)
{
	if (b->arena_or_null == NULL)
		return realloc(b->ptr_or_null, capacity);
	char *grown = ARENA_NEW(b->arena_or_null, char, capacity);
	if (b->len > 0)
		memcpy(grown, b->ptr_or_null, b->len);
	return grown;
}

static void fail(struct buffer *b)
{
	buffer_deinit(b);
	b->failed = true;
}
