/* Owns the making of the URLs that we hand out. */
#include "api/public_url.h"

#include "api/api.h"

#define ARTIFACTS_PATH "/api/2.0/mlflow-artifacts/artifacts/"

bool public_url(const struct api *api, const struct http_request *request, struct arena *arena,
		struct slice *out, struct error *err)
{
	struct slice host = http_request_header(request, "Host");
	struct slice proto = http_request_header(request, "X-Forwarded-Proto");
	const char *scheme = slice_eq_ignoring_case(proto, SLICE("https")) ? "https" : "http";
	if (api->public_url.len > 0) {
		*out = api->public_url;
		return true;
	}
	if (host.len == 0)
		return error_set(err, ERR_BAD_REQUEST,
				 "The request has no Host header, so no URL can be made from it.");
	*out = arena_printf(arena, "%s://%.*s", scheme, SLICE_FMT(host));
	return true;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

static struct slice percent_encode(struct slice path, struct arena *arena)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = ARENA_NEW(arena, char, 3 * path.len);
	size_t len = 0;
	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.ptr[i];
		if (is_plain(path.ptr[i])) {
			out[len++] = path.ptr[i];
			continue;
		}
		out[len++] = '%';
		out[len++] = digits[byte >> 4];
		out[len++] = digits[byte & 15];
	}
	return slice_make(out, len);
}

struct slice public_url_of_artifact(struct slice root, struct slice path, struct arena *arena)
{
	struct slice base = arena_concat(arena, root, SLICE(ARTIFACTS_PATH));
	return arena_concat(arena, base, percent_encode(path, arena));
}

void public_url_headers(const struct http_request *request, struct json_writer *w)
{
	json_key(w, "headers");
	json_object_begin(w);
	json_put_string(w, "Authorization", http_request_header(request, "Authorization"));
	json_object_end(w);
}
