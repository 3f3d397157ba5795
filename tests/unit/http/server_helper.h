/* A real HTTP server on its own thread with small handlers chosen by path, and a client of plain sockets.
 *
 *   /hello           "hello"                          /echo        the body (up to 1 MiB), collected
 *   /echo-late       the same, collected 1 ms later   /limit       the same, up to 10 bytes
 *   /ignore          "ignored", body not read         /stream      "<bytes> <sum>", streamed
 *   /stream-paused   the same, pausing after each piece for a turn of the loop
 *   /stream-limit    the same as /stream, up to 10 bytes
 *   /stream-fail     replies 400 at the first piece, releases, expects no more
 *   /later           "later", after 1 ms              /close       "bye", closes
 *   /parked          "<path> <Origin>", parked, after 1 ms
 *   /status?N        status N with body "body"        /overflow    a buffer that failed
 *   /hang            answers never; released when abandoned
 *   /download?N      N bytes, chunked, pieces of 100000
 *   /download-length?N  the same with Content-Length  /short?N     promises N, writes 5
 *   /long            promises 5, writes 10            /abort       aborts after a piece
 *   /empty-pieces    chunked "ab" with empty pieces between
 *   /who             peer and id
 *
 * Byte i of a download is 'a' + i % 26. */
#ifndef TESTS_HTTP_SERVER_HELPER_H
#define TESTS_HTTP_SERVER_HELPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "base/buffer.h"
#include "http/http_server.h"

struct test_server {
	uv_loop_t loop;
	uv_async_t stop;
	pthread_t thread;
	struct http_server *http;
	unsigned port;
	atomic_llong grace_ms; /* of a close that is asked for; -1 for none */
	atomic_int heads;
	atomic_int abandoned;
	atomic_int released;
	atomic_int done;
	atomic_int last_status;
	atomic_llong last_received_bytes;
	atomic_llong last_sent_bytes;
	atomic_ullong parse_errors;
	atomic_ullong connections_open;
	atomic_bool is_closed;
};

/* Timeouts of 0 become 10 s; connections_max of 0 becomes 100. */
void test_server_start(struct test_server *s, struct http_server_options options);
/* Begins the graceful close, without waiting. */
void test_server_close(struct test_server *s, int64_t grace_ms);
/* Waits for the end of the thread. */
void test_server_join(struct test_server *s);
/* Closes without grace, and waits. */
void test_server_stop(struct test_server *s);
/* Spins, yielding, until *value >= wanted; fails the test after 10 s. */
void wait_for(atomic_int *value, int wanted);
/* The same for what counts() says of open connections, == wanted. */
void wait_for_connections(struct test_server *s, unsigned wanted);

struct reply {
	int status;
	bool keep_alive;  /* no "Connection: close" */
	char head[4096];
	struct buffer body;
	bool is_whole;    /* framing was complete */
};

int client_connect(const struct test_server *s);
void client_send(int fd, struct slice bytes);
void client_send_text(int fd, const char *text);
/* Reads one reply (interim ones are left in head, before it). False when the connection ended or broke first;
 * body holds what came. `is_head_request`: no body follows. */
bool client_receive(int fd, bool is_head_request, struct reply *reply);
void reply_free(struct reply *reply);
/* Sends, receives, compares status and body; leaves the connection open. */
void client_expect(int fd, const char *request, int status, const char *body_or_null);
/* The peer closed in an orderly way (1), by a reset (-1), or neither within 10 s (0). Drops bytes before. */
int client_wait_end(int fd);

#endif
