/* An exchange from the inside: what connection.c tells it. The outside is http_message.h. Loop
 * thread.
 *
 * An exchange is over when three things happened, in any order: the last byte of the reply went
 * to the kernel (or the connection is lost), the body was read to its end (or the connection
 * will close), and the handler released it. The body's bytes go where the sink says:
 *
 *     NONE ──collect──▶ COLLECT ─┐
 *       └────stream───▶ STREAM ──┴─ reply ─▶ DISCARD     (NONE ─ reply ─▶ DISCARD as well)
 *
 * A handler is told of a loss by abandoned_cb from the loop itself, never from inside one of its
 * own calls, and not at all after its last word (reply, end, abort). */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/http_message.h"
#include "http/request_reader.h"

/* A body that the handler did not want is read up to here, so that the connection can be kept. */
enum { BODY_DISCARD_BYTES_MAX = 256 * 1024 };

enum body_sink { SINK_NONE, SINK_COLLECT, SINK_STREAM, SINK_DISCARD };

struct http_exchange {
	bool active;    /* from the head until it is over */
	bool released;
	bool abandoned;
	bool answered;  /* the handler's last word, or our refusal, was said */
	bool begun;     /* the head of the reply is made */
	bool reply_done;
	bool body_done;
	bool paused;
	bool parked;
	bool writing;   /* a piece is on its way; written_cb is due */
	bool tell_abandoned; /* deferred calls */
	bool tell_written;
	bool is_chunked;     /* the reply */
	bool omits_body;     /* the reply: HEAD, 204, 304 */
	uint8_t sink;
	int status; /* 0 until begun */

	void *context;
	void (*abandoned_cb)(struct http_exchange *x);
	void (*body_cb)(struct http_exchange *x, struct slice body);
	void (*data_cb)(struct http_exchange *x, struct slice bytes);
	void (*end_cb)(struct http_exchange *x);
	void (*written_cb)(struct http_exchange *x);

	struct buffer body;      /* SINK_COLLECT */
	int64_t body_bytes_max;
	int64_t received_bytes;  /* of the body */
	int64_t discarded_bytes; /* of those */
	int64_t sent_bytes;      /* of the reply's body */
	int64_t reply_left_bytes; /* of a Content-Length that the reply promised; -1 without */
	struct buffer held;      /* a streamed reply's head until its first piece; then chunk sizes */
	uint64_t begun_ns;
	uint64_t finished_ns;    /* 0 until the reply is done */
};

/* The head is read: calls head_cb. */
void exchange_open(struct http_exchange *x);
/* Would bytes of the body be taken? */
bool exchange_wants_body(const struct http_exchange *x);
void exchange_take_data(struct http_exchange *x, struct slice bytes);
void exchange_take_end(struct http_exchange *x);
/* Something of the peer's is wrong or late: answers if no reply was begun, and abandons. */
void exchange_refuse(struct http_exchange *x, const struct refusal *refusal);
/* The connection is closing hard. */
void exchange_lose(struct http_exchange *x);
/* The deferred calls, from the loop; the exchange is active and not released. May free the
 * connection. */
void exchange_run_deferred(struct http_exchange *x);
/* A piece went out before its writer's call returns: exchange_piece_written follows from the loop, so that writer and
 * written_cb do not recurse. */
void exchange_piece_went_at_once(struct http_exchange *x);
/* A piece that was queued went out. */
void exchange_piece_written(struct http_exchange *x);
/* All of the reply went out. */
void exchange_reply_done(struct http_exchange *x);
/* Ends the exchange if all that must have happened did. May free the connection. */
void exchange_settle(struct http_exchange *x);

#endif
