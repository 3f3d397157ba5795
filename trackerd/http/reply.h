/* The head of a reply as text, and the JSON bodies of the server's own refusals. Loop thread. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/buffer.h"
#include "http/http_message.h"
#include "http/request_reader.h"

enum { REPLY_HEAD_BYTES_MAX = 64 * 1024 };

/* The Date header is made once a second, not once a reply. Zeroed at first. */
struct reply_date {
	int64_t second;
	char text[30]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* How the length of the body is told. */
enum reply_framing {
	REPLY_LENGTH,      /* Content-Length */
	REPLY_CHUNKED,
	REPLY_UNTIL_CLOSE, /* HTTP/1.0 and length unknown */
	REPLY_NO_BODY,     /* 204, 304, 1xx: neither length nor body */
};

enum reply_connection { REPLY_KEEP, REPLY_KEEP_SAID /* HTTP/1.0 wants to hear it */, REPLY_CLOSE };

/* What http/ adds to the reply that the handler made. */
struct reply_frame {
	enum reply_framing framing;
	int64_t content_length; /* with REPLY_LENGTH */
	enum reply_connection connection;
	const char *request_id;
};

/* Status and headers up to and with the empty line, appended to `out`. */
void reply_head_append(struct buffer *out, const struct http_reply *reply,
		       const struct reply_frame *frame, struct reply_date *date);
bool reply_status_has_body(int status);
/* Fills `body` (initialised) with {"error_code":…,"message":…} and sets up *reply for it. */
void reply_refusal_make(const struct refusal *refusal, struct http_reply *reply,
			struct buffer *body);

#endif
