/* Owns the serving of the embedded web page: caching, and its Content-Security-Policy. */
#include "api/page.h"

#include "api/api.h"
#include "api/web_type.h"
#include "web_embedded.h"

/* Nothing but our own files and our own API: no inline script or style, no plug-ins, no frames. A page that is to show
 * another server (?server=) comes from a static host, with a policy of its own (web/README.md). */
#define CONTENT_SECURITY_POLICY                                                                    \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "    \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct web_file *find_file(struct slice path)
{
	if (slice_eq(path, SLICE("/")))
		path = SLICE("/index.html");
	for (unsigned i = 0; i < web_files_count; i++) {
		if (slice_eq_cstr(path, web_files[i].path))
			return &web_files[i];
	}
	return NULL;
}

static void page_take_over_on_loop(struct api *api, struct http_exchange *x,
				   const struct route_match *match)
{
	const struct http_request *request = http_exchange_request(x);
	const struct web_file *file = find_file(request->path);
	struct error err;
	(void)match;
	if (file == NULL) {
		char quoted[200];
		(void)error_set(&err, ERR_ENDPOINT_NOT_FOUND, "There is no endpoint or page %s.",
				error_quote(request->path, quoted, sizeof(quoted)));
		api_reply_error(api, x, &err);
		return;
	}
	struct slice etag = slice_from_cstr(file->etag);
	struct http_reply reply = {.status = 200,
				   .content_type = web_type_of(slice_from_cstr(file->path))};
	api_reply_headers(api, x, &reply);
	http_reply_header(&reply, SLICE("ETag"), etag);
	http_reply_header(&reply, SLICE("Cache-Control"), SLICE("no-cache"));
	http_reply_header(&reply, SLICE("Content-Security-Policy"), SLICE(CONTENT_SECURITY_POLICY));
	http_reply_header(&reply, SLICE("Referrer-Policy"), SLICE("no-referrer"));
	if (slice_eq(http_request_header(request, "If-None-Match"), etag))
		reply.status = 304;
	http_exchange_reply_static(x, &reply,
				   slice_make(file->begin, (size_t)(file->end - file->begin)));
	http_exchange_release(x);
}

const struct endpoint page_file = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = page_take_over_on_loop,
	.summary = "The web page and its files",
};
