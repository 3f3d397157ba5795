/* The contract between http/ and whoever answers: one exchange is one request and its reply.
 *
 * Everything here runs on the loop thread. Life of an exchange:
 *
 *   head_cb ──▶ collect or stream the body ──▶ … ──▶ reply (or begin, write…, end) ──▶ release
 *                                    └── abandoned_cb when the peer goes away first
 *
 * The handler owns one reference from head_cb until http_exchange_release, which it calls exactly once: after
 * it replied, or after abandoned_cb when nothing of its own is in flight any more. The connection is closed
 * and freed only when that happened. One request is in flight per connection; pipelined bytes wait.
 * All slices of the request live as long as the exchange, unless it is parked. After abandoned_cb every call but
 * release and http_exchange_request is a no-op.
 *
 * abandoned_cb and written_cb come from the loop, never from inside a call of the handler's own. abandoned_cb does not
 * come after the handler's last word (reply, end, abort) or release; between a loss and its abandoned_cb calls are
 * no-ops already, and http_exchange_is_abandoned says so. Releasing in that gap is right, too. */
#ifndef HTTP_HTTP_MESSAGE_H
#define HTTP_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

/* "GET"; "OTHER" for HTTP_OTHER. Static text. */
const char *http_method_name(enum http_method method);

struct http_header {
	struct slice name; /* as received; compare with slice_eq_ignoring_case */
	struct slice value; /* without white space at both ends */
};

struct http_request {
	enum http_method method;
	struct slice path;  /* raw (percent-encoded), starts with '/', leading "//" collapsed */
	struct slice query; /* raw, after '?', may be empty */
	const struct http_header *headers;
	unsigned header_count;
	bool has_body;          /* Content-Length > 0 or chunked */
	int64_t content_length; /* -1 when chunked; 0 without body */
	struct slice peer;      /* "127.0.0.1:51234" */
	char id[17];            /* request id: 16 hexadecimal digits, echoed as X-Request-Id and logged */
};

/* First header of that name; absent slice if none. */
struct slice http_request_header(const struct http_request *request, const char *name);

enum { HTTP_REPLY_HEADERS_MAX = 16 };

struct http_reply {
	int status;
	const char *content_type; /* NULL for none */
	struct http_header headers[HTTP_REPLY_HEADERS_MAX]; /* more headers; slices are copied by the call */
	unsigned header_count;
	int64_t content_length;   /* for http_exchange_begin: -1 = chunked */
	bool close;               /* close the connection after this reply */
};

/* Adds a header; values with control characters assert. */
void http_reply_header(struct http_reply *reply, struct slice name, struct slice value);

struct http_exchange;

const struct http_request *http_exchange_request(const struct http_exchange *x);
void http_exchange_context_set(struct http_exchange *x, void *context);
void *http_exchange_context(const struct http_exchange *x);

/* Exactly one of the following two is called for a request with a body, in head_cb or later; a reply
 * without either drains or closes. Without a body, collect calls back at once with an empty slice. */

/* Gathers the whole body. Beyond bytes_max: replies 413 itself, then abandoned_cb. body_cb borrows `body`
 * for the life of the exchange. Sends "100 Continue" when the peer expects it. */
void http_exchange_collect(struct http_exchange *x, size_t bytes_max,
			   void (*body_cb)(struct http_exchange *x, struct slice body));
/* Hands out the body as it comes, in pieces of at most 64 KiB, then end_cb. */
void http_exchange_stream(struct http_exchange *x, int64_t bytes_max,
			  void (*data_cb)(struct http_exchange *x, struct slice bytes),
			  void (*end_cb)(struct http_exchange *x));
/* Stops reading the socket; data_cb may still be called for bytes that were already read in this turn. */
void http_exchange_pause(struct http_exchange *x);
void http_exchange_resume(struct http_exchange *x);

/* The reply is long in coming, or has no end: from now on a peer that shuts its side, having sent all, counts as gone.
 * Without this it may still read what it asked for. Of the request's texts only path, peer, id and the header Origin
 * stay, for reply and log; slices of them that were taken before are not valid any more. */
void http_exchange_park(struct http_exchange *x);

/* Called when the peer vanished, a timeout passed, the body broke the rules, or the server stops hard. */
void http_exchange_on_abandoned(struct http_exchange *x, void (*abandoned_cb)(struct http_exchange *x));
bool http_exchange_is_abandoned(const struct http_exchange *x);

/* A whole reply. Takes the content of body_or_null (left empty). HEAD sends headers only; 204 and 304 have no
 * body. Adds Date, Content-Length, X-Request-Id, Connection as needed. */
void http_exchange_reply(struct http_exchange *x, const struct http_reply *reply, struct buffer *body_or_null);
/* The same with bytes that outlive the exchange (static files). */
void http_exchange_reply_static(struct http_exchange *x, const struct http_reply *reply, struct slice body);

/* A streamed reply: begin, then write one piece at a time: each waits for its written_cb; then end. With a
 * content_length exactly that many bytes must be written; `end` with too few, or http_exchange_abort, cuts the
 * connection so that the peer sees the failure. write takes the content of `piece`. */
void http_exchange_begin(struct http_exchange *x, const struct http_reply *reply);
void http_exchange_write(struct http_exchange *x, struct buffer *piece,
			 void (*written_cb)(struct http_exchange *x));
void http_exchange_end(struct http_exchange *x);
void http_exchange_abort(struct http_exchange *x);

void http_exchange_release(struct http_exchange *x);

#endif
