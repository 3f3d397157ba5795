/* Listens, accepts, and turns bytes into exchanges (http_message.h).
 *
 * Heads are split by http_parser (Debian 12) or llhttp (Debian 13) behind http1.c; head_scan.c, request_reader.c and
 * chunked.c add the strict rules of the design: they are listed as byte streams in
 * tests/unit/http/request_reader_test.c and, for a running daemon, in tests/contract/strict_http.txt. Everything runs
 * on the loop. */
#ifndef HTTP_HTTP_SERVER_H
#define HTTP_HTTP_SERVER_H

#include "base/error.h"
#include "http/http_message.h"

struct uv_loop_s;
struct http_server;

struct http_server_options {
	const char *host;           /* numeric IPv4 or IPv6 address, or "localhost" */
	unsigned port;              /* 0 = the kernel chooses */
	unsigned connections_max;   /* further ones get 503 and are closed */
	int64_t head_timeout_ms;    /* first byte of a head to its end */
	int64_t body_timeout_ms;    /* longest silence inside a body, and for a peer that does not read a reply */
	int64_t idle_timeout_ms;    /* keep-alive without a request */
	/* A peer that ends its side of the connection while it waits for a reply is taken as gone. Otherwise it may
	 * still read, and is answered. */
	bool end_means_gone;
	/* Called when a head is complete and passed the strict rules. */
	void (*head_cb)(struct http_exchange *x, void *ctx);
	/* After each exchange, for the access log and counters; bytes of bodies; status 0 when none was sent. */
	void (*done_cb)(const struct http_request *request, int status, int64_t received_bytes,
			int64_t sent_bytes, int64_t duration_us, void *ctx);
	void *ctx;
};

struct http_server_counts {
	unsigned connections_open;
	uint64_t connections_accepted;
	uint64_t parse_errors;
};

/* Binds and listens. Fails with a sentence that names address and reason ("port 5000 on 127.0.0.1 is already
 * in use"). Borrows `options` for the call. Gives *out. */
MUST_CHECK bool http_server_open(struct uv_loop_s *loop, const struct http_server_options *options,
				 struct http_server **out, struct error *err);
unsigned http_server_port(const struct http_server *server);
struct http_server_counts http_server_counts(const struct http_server *server);
/* Stops accepting; idle connections close at once, busy ones after their reply ("Connection: close"), all
 * that are left after grace_ms are cut. Then closed_cb; the server is freed after it returns. */
void http_server_close_on_loop(struct http_server *server, int64_t grace_ms, void (*closed_cb)(void *ctx),
			       void *ctx);

#endif
