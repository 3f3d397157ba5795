/* Owns the text of reply heads. */
#include "http/reply.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_writer.h"

static struct slice reason_of(int status);
static const char *date_text(struct reply_date *date);
static void append_number(struct buffer *out, uint64_t value);
static void append_header(struct buffer *out, struct slice name, struct slice value);

bool reply_status_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

void reply_head_append(struct buffer *out, const struct http_reply *reply,
		       const struct reply_frame *frame, struct reply_date *date)
{
	ASSERT(reply->status >= 100 && reply->status <= 599);
	buffer_append(out, SLICE("HTTP/1.1 "));
	append_number(out, (uint64_t)reply->status);
	buffer_append_byte(out, ' ');
	buffer_append(out, reason_of(reply->status));
	buffer_append(out, SLICE("\r\nDate: "));
	buffer_append(out, slice_make(date_text(date), sizeof(date->text) - 1));
	if (reply->content_type != NULL) {
		buffer_append(out, SLICE("\r\nContent-Type: "));
		buffer_append_cstr(out, reply->content_type);
	}
	if (frame->framing == REPLY_LENGTH) {
		ASSERT(frame->content_length >= 0);
		buffer_append(out, SLICE("\r\nContent-Length: "));
		append_number(out, (uint64_t)frame->content_length);
	} else if (frame->framing == REPLY_CHUNKED) {
		buffer_append(out, SLICE("\r\nTransfer-Encoding: chunked"));
	}
	if (frame->connection == REPLY_CLOSE)
		buffer_append(out, SLICE("\r\nConnection: close"));
	else if (frame->connection == REPLY_KEEP_SAID)
		buffer_append(out, SLICE("\r\nConnection: keep-alive"));
	buffer_append(out, SLICE("\r\nX-Request-Id: "));
	buffer_append_cstr(out, frame->request_id);
	for (unsigned i = 0; i < reply->header_count; i++)
		append_header(out, reply->headers[i].name, reply->headers[i].value);
	buffer_append(out, SLICE("\r\n\r\n"));
}

void reply_refusal_make(const struct refusal *refusal, struct http_reply *reply,
			struct buffer *body)
{
	struct json_writer w;
	json_writer_init(&w, body);
	json_object_begin(&w);
	json_put_cstr(&w, "error_code", error_code_name(refusal->code));
	json_put_cstr(&w, "message", refusal->message);
	json_object_end(&w);
	*reply = (struct http_reply){
		.status = refusal->status, .content_type = "application/json", .close = true};
	if (refusal->status == 503)
		http_reply_header(reply, SLICE("Retry-After"), SLICE("1"));
}

// clang-format off
static struct slice reason_of(int status)
{
	static const struct {
		int status;
		struct slice reason;
	} rows[] = {
#define ROW(status, text) {status, {text, sizeof(text) - 1}}
		ROW(200, "OK"), ROW(201, "Created"), ROW(202, "Accepted"), ROW(204, "No Content"),
		ROW(206, "Partial Content"), ROW(301, "Moved Permanently"), ROW(302, "Found"),
		ROW(303, "See Other"), ROW(304, "Not Modified"), ROW(307, "Temporary Redirect"),
		ROW(308, "Permanent Redirect"), ROW(400, "Bad Request"), ROW(401, "Unauthorized"),
		ROW(403, "Forbidden"), ROW(404, "Not Found"), ROW(405, "Method Not Allowed"),
		ROW(406, "Not Acceptable"), ROW(408, "Request Timeout"), ROW(409, "Conflict"),
		ROW(410, "Gone"), ROW(412, "Precondition Failed"), ROW(413, "Content Too Large"),
		ROW(415, "Unsupported Media Type"), ROW(416, "Range Not Satisfiable"),
		ROW(417, "Expectation Failed"), ROW(422, "Unprocessable Content"),
		ROW(429, "Too Many Requests"), ROW(431, "Request Header Fields Too Large"),
		ROW(500, "Internal Server Error"), ROW(501, "Not Implemented"),
		ROW(502, "Bad Gateway"), ROW(503, "Service Unavailable"),
		ROW(504, "Gateway Timeout"), ROW(505, "HTTP Version Not Supported"),
		ROW(507, "Insufficient Storage"),
#undef ROW
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].status == status)
			return rows[i].reason;
	}
	return SLICE("Unnamed");
}
// clang-format on

/* RFC 9110 §5.6.7; English names whatever the locale. */
static const char *date_text(struct reply_date *date)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t second = clock_wall_ms(clock_system()) / 1000;
	struct tm tm;
	time_t when = (time_t)second;
	if (second == date->second || gmtime_r(&when, &tm) == NULL)
		return date->text;
	char text[96]; /* room for any int, so that the compiler sees no cut */
	(void)snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900,
		       tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(date->text, text, sizeof(date->text) - 1);
	date->second = second;
	return date->text;
}

static void append_number(struct buffer *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buffer_append(out, slice_make(digits + at, sizeof(digits) - at));
}

static void append_header(struct buffer *out, struct slice name, struct slice value)
{
	buffer_append(out, SLICE("\r\n"));
	buffer_append(out, name);
	buffer_append(out, SLICE(": "));
	buffer_append(out, value);
}
