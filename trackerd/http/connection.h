/* One connection: reads bytes into requests, sends replies in order, keeps time. Loop thread.
 *
 *      ┌────────────────────────────────────────────┐
 *      ▼                                            │ over, connection kept
 *    IDLE ── first byte ──▶ HEAD ── complete ──▶ EXCHANGE ── over, "close" ──▶ LINGER ──▶ CLOSED ──▶ freed
 *      │                      └── refused ──────────┼──────────────────────────▶ ▲          ▲
 *      └──────── end of input, timeout, reset ──────┴──────────────────────────────────────┘
 *
 * LINGER has sent everything and shut its side; it reads and drops what the peer still sends for
 * a while, because closing with unread bytes makes the kernel reset the connection and can cost
 * the peer the reply. CLOSED waits for libuv's close callback and for the handler's release;
 * then the memory goes. */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <uv.h>

#include "http/exchange.h"
#include "http/http_server.h"
#include "http/reply.h"
#include "http/request_reader.h"

enum {
	CONNECTION_SCRATCH_BYTES = 64 * 1024,	 /* one read; shared by all connections */
	CONNECTION_UNREAD_BYTES_MAX = 16 * 1024, /* pipelined bytes beyond it stay in the kernel */
	CONNECTION_TURN_REQUESTS = 64,		 /* begun at once, then others have their turn */
	CONNECTION_LINGER_MS = 2000,
	/* Most clients send a body to its end before they look for a reply: what is refused at its head still comes. */
	CONNECTION_LINGER_BYTES_MAX = 64 * 1024 * 1024,
	CONNECTION_REFUSED_MAX =
		64, /* told so at the same time, beyond connections_max; more are reset */
};

enum connection_phase {
	CONNECTION_IDLE,
	CONNECTION_HEAD,
	CONNECTION_EXCHANGE,
	CONNECTION_LINGER,
	CONNECTION_CLOSED,
};

struct connection {
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	struct http_server *server;
	struct connection *previous_or_null; /* all connections of the server */
	struct connection *next_or_null;
	struct connection *next_deferred_or_null;
	uint8_t phase;
	bool is_reading;
	bool is_processing; /* bytes are being taken: calls from handlers do not start it again */
	bool is_deferred;   /* in the server's list */
	bool is_handle_closed;
	bool is_shut;		  /* our side; all is sent */
	bool at_end;		  /* the peer has shut its side */
	bool closes;		  /* after this exchange */
	uint8_t turn_requests;	  /* begun in this turn */
	unsigned queued_count;	  /* writes that libuv holds */
	size_t queued_bytes_seen; /* by the last sweep */
	int64_t queued_since_ms;  /* last progress of writing */
	int64_t since_ms;	  /* last progress of reading, or begin of the phase */
	int64_t lingered_bytes;
	struct buffer
		unread; /* came while nobody wanted it: in EXCHANGE, or in IDLE when its turn was over */
	struct request_reader reader;
	struct http_exchange exchange;
	char peer[64];
};

/* Bytes to send: `head` is copied if it cannot go at once; `body` is the content of
 * *owner_or_null, which is taken in any case, or outlives the connection; `tail` is static. */
struct connection_message {
	struct slice head;
	struct slice body;
	struct buffer *owner_or_null;
	struct slice tail;
};

enum connection_send_kind {
	SEND_INTERIM, /* nobody waits for it */
	SEND_PIECE,   /* exchange_piece_written, always later, from the loop */
	SEND_LAST,    /* exchange_reply_done, perhaps before the call returns */
};

struct http_server {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uv_timer_t sweep; /* one for all connections: no timer is started for a request */
	uv_timer_t grace;
	uv_idle_t deferral; /* runs while `deferred` has connections */
	unsigned handles_open;
	unsigned port;
	struct http_server_options options; /* without host */
	struct http_server_counts counts;
	struct connection *first_or_null;
	struct connection *deferred_first_or_null;
	struct connection *deferred_last_or_null;
	bool closing;
	bool is_sweeping;
	bool is_ending; /* the last connection is gone; handles are being closed */
	void (*closed_cb)(void *ctx);
	void *closed_ctx;
	uint64_t id_state;
	struct reply_date date;
	struct buffer head_text; /* where heads of replies are made */
	char scratch[CONNECTION_SCRATCH_BYTES];
};

/* Accepts from the listener; a connection too many is told so. */
void connection_accept(struct http_server *server);
/* Sends in order. A failure closes the connection. */
void connection_send(struct connection *c, const struct connection_message *message,
		     enum connection_send_kind kind);
/* Takes what was unread, if somebody wants it now. Starts or stops reading as things stand. */
void connection_read_on(struct connection *c);
/* Answers a request that never became an exchange, then closes. */
void connection_refuse(struct connection *c, const struct refusal *refusal);
/* A line of log for a request that was refused. */
void connection_log_refusal(const struct connection *c, const char *request_id,
			    const struct refusal *refusal);
/* The exchange is over and the connection is kept: back to IDLE. */
void connection_next_request(struct connection *c);
/* Closes when all is sent and the peer had a chance to read it. */
void connection_linger(struct connection *c);
/* Closes at once. With `reset` the peer sees an error and not an end. */
void connection_cut(struct connection *c, bool reset);
/* connection_run_deferred will be called from the loop, when all others had their turn. */
void connection_defer(struct connection *c);
void connection_run_deferred(struct connection *c);
/* Applies the timeouts. */
void connection_sweep(struct connection *c, int64_t now_ms);
/* Frees it if nothing needs it any more. */
void connection_free_if_unused(struct connection *c);
/* 16 hexadecimal digits, unlike any other of this process. */
void connection_make_id(struct http_server *server, char id[17]);

/* http_server.c: */
void http_server_connection_freed(struct http_server *server);
/* The list of deferred connections has one: makes the loop run it. */
void http_server_run_deferred(struct http_server *server);

#endif
