/* Owns the names of methods, and the looking up and adding of headers. */
#include "http/http_message.h"

static bool is_header_text(struct slice text);

const char *http_method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",	    [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT",	    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "OTHER",
	};
	ASSERT((size_t)method < ARRAY_COUNT(names));
	return names[method];
}

struct slice http_request_header(const struct http_request *request, const char *name)
{
	struct slice wanted = slice_from_cstr(name);
	for (unsigned i = 0; i < request->header_count; i++) {
		if (slice_eq_ignoring_case(request->headers[i].name, wanted))
			return request->headers[i].value;
	}
	return (struct slice){0};
}

void http_reply_header(struct http_reply *reply, struct slice name, struct slice value)
{
	ASSERT(reply->header_count < HTTP_REPLY_HEADERS_MAX);
	ASSERT(name.len > 0 && is_header_text(name) && is_header_text(value));
	reply->headers[reply->header_count++] = (struct http_header){name, value};
}

static bool is_header_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}
