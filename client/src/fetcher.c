/* Owns the paths of requests that read from the server. */
#include "src/fetcher.h"

#include <stdio.h>

#include "base/buffer.h"
#include "src/transport.h"

bool fetcher_get(const struct fetcher *f, struct arena *arena, struct json_value **reply,
		 struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool ok = fetcher_getv(f, arena, reply, err, format, arguments);
	va_end(arguments);
	return ok;
}

bool fetcher_getv(const struct fetcher *f, struct arena *arena, struct json_value **reply,
		  struct error *err, const char *format, va_list arguments)
{
	char text[1024];
	va_list again;
	va_copy(again, arguments);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	ASSERT(len >= 0);
	char *whole = text;
	if ((size_t)len >= sizeof(text)) {
		whole = arena_alloc(arena, (size_t)len + 1, 1);
		(void)vsnprintf(whole, (size_t)len + 1, format, again);
	}
	va_end(again);
	return f->get(f->context, whole, arena, reply, err);
}

bool fetcher_check(const struct fetcher *f, struct error *err)
{
	return !stop_is_asked(&f->stop) || error_set(err, ERR_CANCELLED, "interrupted");
}

static const char *encode(struct arena *arena, struct slice text,
			  void (*encode_fn)(struct slice text, struct buffer *out))
{
	struct buffer out;
	buffer_init_in_arena(&out, arena, text.len * 3 + 1); /* "%XX" for each byte */
	encode_fn(text, &out);
	return arena_cstr(arena, buffer_slice(&out));
}

const char *fetcher_encode_value(struct arena *arena, struct slice value)
{
	return encode(arena, value, transport_encode_value);
}

const char *fetcher_encode_path(struct arena *arena, struct slice path)
{
	return encode(arena, path, transport_encode_path);
}
