/* Owns the paths of requests that read from the server. */
#include "src/fetcher.h"

#include <stdio.h>

#include "base/buffer.h"
#include "src/reply.h"
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

static enum error_code code_of_status(long status)
{
	switch (status) {
	case 401:
		return ERR_UNAUTHENTICATED;
	case 403:
		return ERR_PERMISSION_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_RESOURCE_CONFLICT;
	case 408:
	case 504:
		return ERR_REQUEST_TIMEOUT;
	case 503:
		return ERR_TEMPORARILY_UNAVAILABLE;
	default:
		return status < 500 ? ERR_BAD_REQUEST : ERR_INTERNAL_ERROR;
	}
}

bool fetcher_fail(struct error *err, const char *url, long status, struct slice body)
{
	char name[64], message[ERROR_MESSAGE_BYTES_MAX];
	(void)reply_text(body, "error_code", name, sizeof(name));
	(void)reply_text(body, "message", message, sizeof(message));
	enum error_code code = error_code_from_name(slice_from_cstr(name));
	if (name[0] == '\0' || code == ERR_INTERNAL_ERROR)
		code = code_of_status(status);
	if (message[0] == '\0')
		return error_set(err, code, "%s answered with status %ld", url, status);
	return error_set(err, code, "%s", message);
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
