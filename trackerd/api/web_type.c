/* Owns the table of content types of web pages' files. */
#include "api/web_type.h"

static const struct {
	const char *suffix, *content_type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".txt", "text/plain; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".gif", "image/gif"},
	{".jpg", "image/jpeg"},
	{".ico", "image/x-icon"},
	{".woff", "font/woff"},
	{".woff2", "font/woff2"},
	{".ttf", "font/ttf"},
	{".wasm", "application/wasm"},
};

const char *web_type_of(struct slice path)
{
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (slice_ends_with(path, slice_from_cstr(types[i].suffix)))
			return types[i].content_type;
	}
	return "application/octet-stream";
}
