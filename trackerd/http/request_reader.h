/* Turns the bytes of one connection into requests: bytes in, events out, no socket.
 *
 *     before ─▶ head ─▶ READER_HEAD ─▶ body ─▶ READER_DATA… ─▶ READER_END ─ request_reader_restart ─▶ before
 *
 * Strict on purpose: whatever two servers could understand differently is refused. head_scan.c
 * checks each byte of the head, http1.c lets the library split it, this module applies the rules
 * about the whole, and chunked.c or a count frames the body. Cut the input anywhere, the events
 * are the same (data may come in other pieces). One per connection; one thread at a time. */
#ifndef HTTP_REQUEST_READER_H
#define HTTP_REQUEST_READER_H

#include "base/buffer.h"
#include "base/error.h"
#include "http/chunked.h"
#include "http/head_scan.h"
#include "http/http_message.h"

enum reader_event {
	READER_MORE,  /* all bytes taken; more are needed */
	READER_HEAD,  /* request and the flags below are filled */
	READER_DATA,  /* *data_out is a part of the bytes given, not empty */
	READER_END,   /* the request's body is complete; the bytes behind it were not taken */
	READER_ERROR, /* refusal is filled; nothing more can be read from this connection */
};

/* What to answer to a request that breaks the rules. */
struct refusal {
	int status;
	enum error_code code;
	const char *message; /* static */
};

struct request_reader {
	/* Valid from READER_HEAD until restart; slices point into `memory`. `peer` and `id` are
	 * the owner's. */
	struct http_request request;
	bool is_http10;
	bool keep_alive;       /* the peer would go on with this connection */
	bool expects_continue; /* it waits for "100 Continue" before it sends the body */
	struct refusal refusal;

	/* Private. */
	uint8_t state;
	struct head_scan scan;
	struct chunked chunked;
	int64_t body_left_bytes;
	struct buffer memory; /* the head, then the array of headers */
};

void request_reader_init(struct request_reader *r);
void request_reader_deinit(struct request_reader *r);
/* For the next request on the connection. Keeps little memory, however large the last head was. */
void request_reader_restart(struct request_reader *r);
/* After READER_HEAD: of the request's texts only path and Origin stay, in memory of their size; they may move. For who
 * keeps a request for long. Without memory for it, nothing happens. */
void request_reader_trim(struct request_reader *r);
/* Has a byte of a request come since the last restart? */
bool request_reader_has_begun(const struct request_reader *r);
/* Takes a front part of *bytes and tells the first thing found in it. After READER_HEAD, call it
 * again for the body; for a request without one that gives READER_END at once. */
enum reader_event request_reader_next(struct request_reader *r, struct slice *bytes,
				      struct slice *data_out);

#endif
