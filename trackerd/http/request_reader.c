/* Owns the reading of requests: gathers a head, applies the strict rules, frames the body. */
#include "http/request_reader.h"

#include "http/http1.h"
#include "limits.h"

enum {
	MEMORY_BYTES_MAX =
		HTTP_HEAD_BYTES_MAX + 16 + HTTP_HEADERS_MAX * (int)sizeof(struct http_header),
	MEMORY_KEPT_BYTES_MAX = 1024, /* of an idle connection */
};

enum reader_state {
	STATE_HEAD,
	STATE_BODY_LENGTH,
	STATE_BODY_CHUNKED,
	STATE_END,
	STATE_ERROR,
};

/* Headers with a meaning for framing, gathered in one pass. */
struct framing {
	unsigned host_count;
	unsigned length_count;
	unsigned encoding_count;
	unsigned expect_count;
	struct slice host;
	struct slice length;
	struct slice encoding;
	struct slice expect;
};

static enum reader_event next_of_head(struct request_reader *r, struct slice *bytes);
static enum reader_event next_of_length(struct request_reader *r, struct slice *bytes,
					struct slice *data_out);
static enum reader_event next_of_chunks(struct request_reader *r, struct slice *bytes,
					struct slice *data_out);
static bool check_request_line(struct request_reader *r);
static bool finish_head(struct request_reader *r);
static bool make_room_for_headers(struct request_reader *r);
static void add_header(void *reader, struct slice name, struct slice value);
static struct framing find_framing(const struct http_request *request);
static bool check_host(struct request_reader *r, const struct framing *f);
static bool check_body(struct request_reader *r, const struct framing *f,
		       const struct http1_head *split);
static bool check_expect(struct request_reader *r, const struct framing *f);
static bool set_target(struct request_reader *r, struct slice target);
static struct slice without_authority(struct slice target);
static bool is_host_text(struct slice host);
static bool is_made_of(struct slice text, struct slice others);
static enum http_method method_of(struct slice token);
static struct slice head_bytes(const struct request_reader *r);
static bool refuse(struct request_reader *r, int status, enum error_code code, const char *message);

void request_reader_init(struct request_reader *r)
{
	*r = (struct request_reader){.state = STATE_HEAD};
	buffer_init(&r->memory, MEMORY_BYTES_MAX);
	head_scan_init(&r->scan);
}

void request_reader_deinit(struct request_reader *r)
{
	buffer_deinit(&r->memory);
}

void request_reader_restart(struct request_reader *r)
{
	struct buffer memory = r->memory;
	if (memory.capacity > MEMORY_KEPT_BYTES_MAX) {
		buffer_deinit(&memory);
		buffer_init(&memory, MEMORY_BYTES_MAX);
	}
	buffer_reset(&memory);
	*r = (struct request_reader){.state = STATE_HEAD, .memory = memory};
	head_scan_init(&r->scan);
}

void request_reader_trim(struct request_reader *r)
{
	struct http_request *request = &r->request;
	struct slice path = request->path;
	struct http_header origin = {SLICE("Origin"), http_request_header(request, "Origin")};
	struct buffer trimmed;
	buffer_init(&trimmed, sizeof(origin) + origin.value.len + path.len);
	char *place = buffer_reserve(&trimmed, trimmed.bytes_max);
	if (place == NULL)
		return;
	trimmed.bytes_max = r->memory.bytes_max; /* the next head may be larger again */
	request->header_count = slice_is_present(origin.value) ? 1 : 0;
	char *text = place + sizeof(origin);
	if (origin.value.len > 0)
		memcpy(text, origin.value.ptr, origin.value.len);
	origin.value.ptr = text;
	text += origin.value.len;
	memcpy(text, path.ptr, path.len);
	memcpy(place, &origin, sizeof(origin));
	request->headers = (const struct http_header *)(const void *)place;
	request->path = slice_make(text, path.len);
	request->query = SLICE("");
	buffer_deinit(&r->memory);
	r->memory = trimmed;
}

bool request_reader_has_begun(const struct request_reader *r)
{
	return r->state != STATE_HEAD || head_scan_has_begun(&r->scan);
}

enum reader_event request_reader_next(struct request_reader *r, struct slice *bytes,
				      struct slice *data_out)
{
	switch ((enum reader_state)r->state) {
	case STATE_HEAD:
		return next_of_head(r, bytes);
	case STATE_BODY_LENGTH:
		return next_of_length(r, bytes, data_out);
	case STATE_BODY_CHUNKED:
		return next_of_chunks(r, bytes, data_out);
	case STATE_END:
		return READER_END;
	case STATE_ERROR:
		break;
	}
	return READER_ERROR;
}

static enum reader_event next_of_head(struct request_reader *r, struct slice *bytes)
{
	while (bytes->len > 0) {
		size_t taken = 0;
		size_t room = HTTP_HEAD_BYTES_MAX - r->memory.len;
		enum head_scan_result result =
			head_scan_next(&r->scan, slice_first(*bytes, room), &taken);
		buffer_append(&r->memory, slice_first(*bytes, taken));
		*bytes = slice_from(*bytes, taken);
		bool ok = true;
		if (r->memory.failed)
			ok = refuse(r, 503, ERR_TEMPORARILY_UNAVAILABLE,
				    "The server is out of memory.");
		else if (result == HEAD_SCAN_BROKEN)
			ok = refuse(r, 400, ERR_BAD_REQUEST, head_scan_problem(&r->scan));
		else if (result == HEAD_SCAN_LINE)
			ok = check_request_line(r);
		else if (result == HEAD_SCAN_END)
			ok = finish_head(r);
		else if (r->memory.len == HTTP_HEAD_BYTES_MAX)
			ok = refuse(r, 431, ERR_HEADERS_TOO_LARGE,
				    "The request line and headers are larger than 16 KiB.");
		if (!ok)
			return READER_ERROR;
		if (result == HEAD_SCAN_END)
			return READER_HEAD;
	}
	return READER_MORE;
}

static enum reader_event next_of_length(struct request_reader *r, struct slice *bytes,
					struct slice *data_out)
{
	if (bytes->len == 0)
		return READER_MORE;
	uint64_t left = (uint64_t)r->body_left_bytes;
	*data_out = slice_first(*bytes, left < bytes->len ? (size_t)left : bytes->len);
	*bytes = slice_from(*bytes, data_out->len);
	r->body_left_bytes -= (int64_t)data_out->len;
	if (r->body_left_bytes == 0)
		r->state = STATE_END;
	return READER_DATA;
}

static enum reader_event next_of_chunks(struct request_reader *r, struct slice *bytes,
					struct slice *data_out)
{
	switch (chunked_next(&r->chunked, bytes, data_out)) {
	case CHUNKED_MORE:
		return READER_MORE;
	case CHUNKED_DATA:
		return READER_DATA;
	case CHUNKED_END:
		r->state = STATE_END;
		return READER_END;
	case CHUNKED_BROKEN:
		break;
	}
	(void)refuse(r, 400, ERR_BAD_REQUEST, r->chunked.problem_or_null);
	return READER_ERROR;
}

/* As soon as the line is there, so that an HTTP/0.9 peer is told and does not wait for a timeout. */
static bool check_request_line(struct request_reader *r)
{
	struct slice line = head_bytes(r);
	line.len -= 2;
	struct slice method = {0}, target = {0};
	bool has_method = slice_next(&line, ' ', &method);
	bool has_target = has_method && slice_next(&line, ' ', &target);
	if (!has_target || method.len == 0 || target.len == 0 || !slice_is_present(line))
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The request line is not 'METHOD target HTTP/1.1'.");
	bool is_http = line.len == 8 && slice_starts_with(line, SLICE("HTTP/")) &&
		       line.ptr[6] == '.' && line.ptr[5] >= '0' && line.ptr[5] <= '9' &&
		       line.ptr[7] >= '0' && line.ptr[7] <= '9';
	if (!is_http)
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The request line does not end in a version of HTTP.");
	if (line.ptr[5] != '1' || line.ptr[7] > '1')
		return refuse(r, 505, ERR_BAD_REQUEST,
			      "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
	if (!is_made_of(method, SLICE("!#$%&'*+-.^_`|~")))
		return refuse(r, 400, ERR_BAD_REQUEST, "The method is not a word.");
	r->request.method = method_of(method);
	if (r->request.method == HTTP_OTHER)
		return refuse(r, 501, ERR_NOT_IMPLEMENTED, "This method is not known here.");
	r->is_http10 = line.ptr[7] == '0';
	return true;
}

/* The rules about a head as a whole. */
static bool finish_head(struct request_reader *r)
{
	if (r->scan.field_count > HTTP_HEADERS_MAX)
		return refuse(r, 431, ERR_HEADERS_TOO_LARGE,
			      "The request has more than 100 headers.");
	if (!make_room_for_headers(r))
		return refuse(r, 503, ERR_TEMPORARILY_UNAVAILABLE, "The server is out of memory.");
	struct slice bytes = head_bytes(r);
	/* From here on `memory` neither grows nor moves. */
	struct http1_head split;
	if (!http1_split(bytes, &split, add_header, r) ||
	    r->request.header_count != r->scan.field_count ||
	    split.version_minor != (r->is_http10 ? 0U : 1U))
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The head of the request is not understandable.");
	struct framing framing = find_framing(&r->request);
	if (!set_target(r, split.target) || !check_host(r, &framing) ||
	    !check_body(r, &framing, &split) || !check_expect(r, &framing))
		return false;
	r->keep_alive = split.keep_alive;
	return true;
}

static bool make_room_for_headers(struct request_reader *r)
{
	size_t align = sizeof(void *);
	size_t padding = (align - r->memory.len % align) % align;
	size_t bytes = padding + r->scan.field_count * sizeof(struct http_header);
	char *place = buffer_reserve(&r->memory, bytes);
	if (place == NULL)
		return false;
	r->request.headers = (const struct http_header *)(const void *)(place + padding);
	return true;
}

static void add_header(void *reader, struct slice name, struct slice value)
{
	struct request_reader *r = reader;
	if (r->request.header_count >= r->scan.field_count) {
		/* The library sees more headers than we: refused. */
		r->request.header_count = HTTP_HEADERS_MAX + 1;
		return;
	}
	/* Only this module writes to the array that the request shows as const. */
	struct http_header *headers = (struct http_header *)(uintptr_t)r->request.headers;
	headers[r->request.header_count++] = (struct http_header){name, value};
}

static struct framing find_framing(const struct http_request *request)
{
	struct framing f = {0};
	struct {
		struct slice name;
		unsigned *count;
		struct slice *value;
	} rows[] = {
		{SLICE("Host"), &f.host_count, &f.host},
		{SLICE("Content-Length"), &f.length_count, &f.length},
		{SLICE("Transfer-Encoding"), &f.encoding_count, &f.encoding},
		{SLICE("Expect"), &f.expect_count, &f.expect},
	};
	for (unsigned i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];
		for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
			if (header->name.len != rows[k].name.len ||
			    !slice_eq_ignoring_case(header->name, rows[k].name))
				continue;
			++*rows[k].count;
			*rows[k].value = header->value;
		}
	}
	return f;
}

static bool check_host(struct request_reader *r, const struct framing *f)
{
	if (f->host_count == 0 && !r->is_http10)
		return refuse(r, 400, ERR_BAD_REQUEST, "The request has no Host header.");
	if (f->host_count > 1)
		return refuse(r, 400, ERR_BAD_REQUEST, "The request has several Host headers.");
	if (f->host_count == 1 && !is_host_text(f->host))
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The Host header is not a host name or address.");
	return true;
}

static bool check_body(struct request_reader *r, const struct framing *f,
		       const struct http1_head *split)
{
	if (f->length_count > 1)
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The request has several Content-Length headers.");
	if (f->encoding_count > 1)
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The request has several Transfer-Encoding headers.");
	if (f->encoding_count > 0 && f->length_count > 0)
		return refuse(r, 400, ERR_BAD_REQUEST,
			      "The request has both Content-Length and Transfer-Encoding.");
	if (f->encoding_count > 0) {
		if (r->is_http10)
			return refuse(r, 400, ERR_BAD_REQUEST,
				      "HTTP/1.0 has no Transfer-Encoding.");
		if (!slice_eq_ignoring_case(f->encoding, SLICE("chunked")) || !split->chunked)
			return refuse(r, 400, ERR_BAD_REQUEST,
				      "The only Transfer-Encoding known here is 'chunked'.");
		r->request.has_body = true;
		r->request.content_length = -1;
		r->state = STATE_BODY_CHUNKED;
		chunked_init(&r->chunked);
		return true;
	}
	int64_t length = 0;
	if (f->length_count > 0) {
		bool is_digits =
			f->length.len > 0 && f->length.ptr[0] >= '0' && f->length.ptr[0] <= '9';
		if (!is_digits || !slice_parse_i64(f->length, &length) ||
		    length != split->content_length)
			return refuse(r, 400, ERR_BAD_REQUEST,
				      "The Content-Length is not a whole number of bytes.");
	} else if (split->content_length > 0 || split->chunked) {
		return refuse(r, 400, ERR_BAD_REQUEST, "The length of the body is not clear.");
	}
	r->request.content_length = length;
	r->request.has_body = length > 0;
	r->body_left_bytes = length;
	r->state = length > 0 ? STATE_BODY_LENGTH : STATE_END;
	return true;
}

static bool check_expect(struct request_reader *r, const struct framing *f)
{
	if (f->expect_count == 0 || r->is_http10)
		return true;
	if (f->expect_count > 1 || !slice_eq_ignoring_case(f->expect, SLICE("100-continue")))
		return refuse(r, 417, ERR_BAD_REQUEST,
			      "The only expectation known here is '100-continue'.");
	r->expects_continue = r->request.has_body;
	return true;
}

static bool set_target(struct request_reader *r, struct slice target)
{
	if (slice_eq(target, SLICE("*")) && r->request.method == HTTP_OPTIONS) {
		r->request.path = SLICE("/");
		r->request.query = SLICE("");
		return true;
	}
	if (target.len > 0 && target.ptr[0] != '/') {
		target = without_authority(target);
		if (!slice_is_present(target))
			return refuse(r, 400, ERR_BAD_REQUEST,
				      "The target does not begin with '/'.");
	}
	if (target.len == 0 || memchr(target.ptr, '#', target.len) != NULL)
		return refuse(r, 400, ERR_BAD_REQUEST, "The target has a fragment.");
	size_t question = slice_find_byte(target, '?', 0);
	struct slice path = slice_first(target, question);
	while (path.len > 1 && path.ptr[0] == '/' && path.ptr[1] == '/')
		path = slice_from(path, 1);
	r->request.path = path.len > 0 ? path : SLICE("/");
	r->request.query = question < target.len ? slice_from(target, question + 1) : SLICE("");
	return true;
}

/* "/path?query" of "http://host/path?query"; absent if that is not its form. */
static struct slice without_authority(struct slice target)
{
	struct slice scheme = SLICE("http://");
	if (!slice_eq_ignoring_case(slice_first(target, scheme.len), scheme))
		return (struct slice){0};
	struct slice rest = slice_from(target, scheme.len);
	size_t end = 0;
	while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' &&
	       rest.ptr[end] != '#')
		end++;
	if (!is_host_text(slice_first(rest, end)))
		return (struct slice){0};
	return end == rest.len ? SLICE("/") : slice_from(rest, end);
}

/* What RFC 3986 lets stand in "host:port"; no user, no path, no white space. */
static bool is_host_text(struct slice host)
{
	return host.len > 0 && is_made_of(host, SLICE("-._~%!$&'()*+,;=:[]"));
}

/* Only ASCII letters, digits and the `others`? */
static bool is_made_of(struct slice text, struct slice others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_word =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_word && slice_find_byte(others, c, 0) == others.len)
			return false;
	}
	return true;
}

static enum http_method method_of(struct slice token)
{
	static const struct {
		struct slice name;
		enum http_method method;
	} rows[] = {
		// clang-format off
		{{"GET", 3}, HTTP_GET},
		{{"POST", 4}, HTTP_POST},
		{{"PUT", 3}, HTTP_PUT},
		{{"HEAD", 4}, HTTP_HEAD},
		{{"PATCH", 5}, HTTP_PATCH},
		{{"DELETE", 6}, HTTP_DELETE},
		{{"OPTIONS", 7}, HTTP_OPTIONS},
		// clang-format on
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (slice_eq(token, rows[i].name))
			return rows[i].method;
	}
	return HTTP_OTHER;
}

/* What was gathered so far, without an empty line before the request line. */
static struct slice head_bytes(const struct request_reader *r)
{
	struct slice bytes = buffer_slice(&r->memory);
	return bytes.len > 0 && bytes.ptr[0] == '\r' ? slice_from(bytes, 2) : bytes;
}

static bool refuse(struct request_reader *r, int status, enum error_code code, const char *message)
{
	r->state = STATE_ERROR;
	r->refusal = (struct refusal){.status = status, .code = code, .message = message};
	return false;
}
