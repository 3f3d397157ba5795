/* Owns the table of error codes and the making of their sentences. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define ELLIPSIS "\xE2\x80\xA6"

static const struct {
	const char *name;
	int http_status;
} codes[] = {
	// clang-format off
	[ERR_NONE] = {"NONE", 200},
#define X(name, status) [ERR_##name] = {#name, status},
	ERROR_CODES(X)
#undef X
	// clang-format on
};

static void cut_at_code_point(char *text, size_t bytes);

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
	char message[ERROR_MESSAGE_BYTES_MAX]; /* apart, since an argument may be the old message */
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (len < 0)
		message[0] = '\0';
	else if ((size_t)len >= sizeof(message))
		cut_at_code_point(message, sizeof(message) - 1);
	err->code = code;
	memcpy(err->message, message, strlen(message) + 1);
	return false;
}

bool error_prefix(struct error *err, const char *format, ...)
{
	char message[ERROR_MESSAGE_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (len < 0)
		return false;
	size_t used = (size_t)len < sizeof(message) ? (size_t)len : sizeof(message) - 1;
	len = snprintf(message + used, sizeof(message) - used, ": %s", err->message);
	if (len < 0)
		return false;
	if ((size_t)len >= sizeof(message) - used)
		cut_at_code_point(message, sizeof(message) - 1);
	memcpy(err->message, message, strlen(message) + 1);
	return false;
}

void error_clear(struct error *err)
{
	err->code = ERR_NONE;
	err->message[0] = '\0';
}

const char *error_code_name(enum error_code code)
{
	ASSERT((size_t)code < ARRAY_COUNT(codes));
	return codes[code].name;
}

int error_http_status(enum error_code code)
{
	ASSERT((size_t)code < ARRAY_COUNT(codes));
	return codes[code].http_status;
}

enum error_code error_code_from_name(struct slice name)
{
	for (size_t i = ERR_NONE + 1; i < ARRAY_COUNT(codes); i++) {
		if (slice_eq_cstr(name, codes[i].name))
			return (enum error_code)i;
	}
	return ERR_INTERNAL_ERROR;
}

const char *error_quote(struct slice value, char *quoted, size_t quoted_bytes)
{
	size_t const ellipsis_bytes = sizeof(ELLIPSIS) - 1;
	size_t used = 0, used_before_ellipsis = 0;
	ASSERT(quoted_bytes > 0);
	for (size_t at = 0; at < value.len;) {
		size_t bytes = utf8_sequence_bytes(value.ptr + at, value.len - at);
		unsigned char byte = (unsigned char)value.ptr[at];
		bool plain = bytes > 1 || (bytes == 1 && byte >= 0x20 && byte != 0x7F);
		size_t width = plain ? bytes : 1;
		if (used + width > quoted_bytes - 1) {
			/* Does not fit: go back to where the ellipsis does. */
			used = used_before_ellipsis;
			if (used + ellipsis_bytes <= quoted_bytes - 1) {
				memcpy(quoted + used, ELLIPSIS, ellipsis_bytes);
				used += ellipsis_bytes;
			}
			break;
		}
		if (plain)
			memcpy(quoted + used, value.ptr + at, width);
		else
			quoted[used] = '?';
		used += width;
		at += plain ? width : 1;
		if (used + ellipsis_bytes <= quoted_bytes - 1)
			used_before_ellipsis = used;
	}
	quoted[used] = '\0';
	return quoted;
}

/* Drops the unfinished code point that a cut left at the end of `bytes` bytes. */
static void cut_at_code_point(char *text, size_t bytes)
{
	size_t start = bytes;
	while (start > 0 && bytes - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xC0 &&
	    utf8_sequence_bytes(text + start - 1, bytes - start + 1) == 0)
		bytes = start - 1;
	text[bytes] = '\0';
}
