/* Owns the parser library: http_parser, or llhttp where the system has it. */
#include "http/http1.h"

#ifdef HAVE_LLHTTP
#include <llhttp.h>
typedef llhttp_t library_parser;
typedef llhttp_settings_t library_settings;
#else
#include <http_parser.h>
typedef http_parser library_parser;
typedef http_parser_settings library_settings;
#endif

struct splitter {
	struct http1_head *head;
	struct slice name;
	struct slice value;
	bool in_value;
	bool complete;
	void (*field_cb)(void *ctx, struct slice name, struct slice value);
	void *ctx;
};

static int on_target(library_parser *parser, const char *at, size_t len);
static int on_name(library_parser *parser, const char *at, size_t len);
static int on_value(library_parser *parser, const char *at, size_t len);
static int on_head_end(library_parser *parser);
static void tell_field(struct splitter *s);
static struct slice joined(struct slice first, const char *at, size_t len);

static const library_settings settings = {
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head_end,
};

bool http1_split(struct slice bytes, struct http1_head *out,
		 void (*field_cb)(void *ctx, struct slice name, struct slice value), void *ctx)
{
	struct http1_head head = {.content_length = -1};
	struct splitter s = {.head = &head, .field_cb = field_cb, .ctx = ctx};
	library_parser parser;
#ifdef HAVE_LLHTTP
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &s;
	if (llhttp_execute(&parser, bytes.ptr, bytes.len) != HPE_OK)
		return false;
#else
	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = &s;
	size_t taken = http_parser_execute(&parser, &settings, bytes.ptr, bytes.len);
	if (taken != bytes.len || HTTP_PARSER_ERRNO(&parser) != HPE_OK)
		return false;
#endif
	if (!s.complete)
		return false;
	*out = head;
	return true;
}

static int on_target(library_parser *parser, const char *at, size_t len)
{
	struct splitter *s = parser->data;
	s->head->target = joined(s->head->target, at, len);
	return 0;
}

static int on_name(library_parser *parser, const char *at, size_t len)
{
	struct splitter *s = parser->data;
	/* A header without a value may come without on_value. */
	if (s->in_value || (slice_is_present(s->name) && at != s->name.ptr + s->name.len))
		tell_field(s);
	s->name = joined(s->name, at, len);
	return 0;
}

static int on_value(library_parser *parser, const char *at, size_t len)
{
	struct splitter *s = parser->data;
	s->value = joined(s->value, at, len);
	s->in_value = true;
	return 0;
}

static int on_head_end(library_parser *parser)
{
	struct splitter *s = parser->data;
	if (slice_is_present(s->name))
		tell_field(s);
	s->head->version_minor = parser->http_minor;
	s->head->chunked = (parser->flags & F_CHUNKED) != 0;
#ifdef HAVE_LLHTTP
	bool has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
	s->head->keep_alive = llhttp_should_keep_alive(parser) != 0;
#else
	bool has_length = (parser->flags & F_CONTENTLENGTH) != 0;
	s->head->keep_alive = http_should_keep_alive(parser) != 0;
#endif
	if (has_length && parser->content_length <= INT64_MAX)
		s->head->content_length = (int64_t)parser->content_length;
	/* Protocols are never switched: what follows stays HTTP/1, whatever Upgrade says. */
	parser->upgrade = 0;
	s->complete = true;
	return 0;
}

static void tell_field(struct splitter *s)
{
	struct slice value = s->in_value ? slice_trim(s->value) : slice_from(s->name, s->name.len);
	s->field_cb(s->ctx, s->name, value);
	s->name = (struct slice){0};
	s->value = (struct slice){0};
	s->in_value = false;
}

/* Pieces of one element are neighbours, since the head lies in one piece. */
static struct slice joined(struct slice first, const char *at, size_t len)
{
	if (!slice_is_present(first))
		return slice_make(at, len);
	return slice_make(first.ptr, (size_t)(at - first.ptr) + len);
}
