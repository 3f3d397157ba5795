/* Owns the test server and the test client. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/http/server_helper.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEADLINE_S = 10, PIECE_BYTES = 100000 };

struct handler {
	const char *path;
	void (*run)(struct http_exchange *x);
};

/* What a handler keeps between callbacks. */
struct task {
	uv_timer_t timer;
	struct http_exchange *x;
	void (*then)(struct http_exchange *x);
	int64_t bytes;
	uint64_t sum;
	int64_t left_bytes;
	bool replied;
};

static struct test_server *server_of; /* one at a time */

/* --- handlers, on the loop thread ------------------------------------------------------------------ */

static void release(struct http_exchange *x)
{
	atomic_fetch_add(&server_of->released, 1);
	http_exchange_release(x);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct task, timer));
}

static struct task *task_new(struct http_exchange *x)
{
	struct task *task = calloc(1, sizeof(*task));
	ASSERT(task != NULL);
	ASSERT(uv_timer_init(&server_of->loop, &task->timer) == 0);
	task->x = x;
	http_exchange_context_set(x, task);
	return task;
}

static void task_end(struct http_exchange *x)
{
	struct task *task = http_exchange_context(x);
	if (!uv_is_closing((uv_handle_t *)&task->timer))
		uv_close((uv_handle_t *)&task->timer, on_timer_closed);
	release(x);
}

static void on_abandoned(struct http_exchange *x)
{
	atomic_fetch_add(&server_of->abandoned, 1);
	ASSERT(http_exchange_is_abandoned(x));
	if (http_exchange_context(x) != NULL)
		task_end(x);
	else
		release(x);
}

static void on_timer(uv_timer_t *timer)
{
	struct task *task = CONTAINER_OF(timer, struct task, timer);
	task->then(task->x);
}

static void later(struct http_exchange *x, void (*then)(struct http_exchange *x))
{
	struct task *task = http_exchange_context(x);
	task->then = then;
	ASSERT(uv_timer_start(&task->timer, on_timer, 1, 0) == 0);
}

static void reply_text(struct http_exchange *x, int status, struct slice text, bool closes)
{
	struct http_reply reply = {.status = status, .content_type = "text/plain", .close = closes};
	struct buffer body;
	buffer_init(&body, 2 << 20);
	buffer_append(&body, text);
	http_exchange_reply(x, &reply, &body);
	ASSERT(body.len == 0);
}

static void run_hello(struct http_exchange *x)
{
	const struct http_reply reply = {.status = 200, .content_type = "text/plain"};
	http_exchange_reply_static(x, &reply, SLICE("hello"));
	release(x);
}

static void echo_body(struct http_exchange *x, struct slice body)
{
	reply_text(x, 200, body, false);
	if (http_exchange_context(x) != NULL)
		task_end(x);
	else
		release(x);
}

static void run_echo(struct http_exchange *x)
{
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_collect(x, 1 << 20, echo_body);
}

static void collect_now(struct http_exchange *x)
{
	http_exchange_collect(x, 1 << 20, echo_body);
}

static void run_echo_late(struct http_exchange *x)
{
	(void)task_new(x);
	http_exchange_on_abandoned(x, on_abandoned);
	later(x, collect_now);
}

static void run_limit(struct http_exchange *x)
{
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_collect(x, 10, echo_body);
}

static void run_ignore(struct http_exchange *x)
{
	reply_text(x, 200, SLICE("ignored"), false);
	release(x);
}

static void stream_data(struct http_exchange *x, struct slice bytes)
{
	struct task *task = http_exchange_context(x);
	ASSERT(bytes.len > 0 && bytes.len <= 64 * 1024);
	task->bytes += (int64_t)bytes.len;
	for (size_t i = 0; i < bytes.len; i++)
		task->sum = task->sum * 31 + (unsigned char)bytes.ptr[i];
}

static void stream_end(struct http_exchange *x)
{
	struct task *task = http_exchange_context(x);
	char text[64];
	snprintf(text, sizeof(text), "%lld %llu", (long long)task->bytes, (unsigned long long)task->sum);
	reply_text(x, 200, slice_from_cstr(text), false);
	task_end(x);
}

static void stream_with(struct http_exchange *x, int64_t bytes_max,
			void (*data_cb)(struct http_exchange *x, struct slice bytes))
{
	(void)task_new(x);
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_stream(x, bytes_max, data_cb, stream_end);
}

static void run_stream(struct http_exchange *x)
{
	stream_with(x, INT64_MAX, stream_data);
}

static void run_stream_limit(struct http_exchange *x)
{
	stream_with(x, 10, stream_data);
}

static void stream_data_paused(struct http_exchange *x, struct slice bytes)
{
	stream_data(x, bytes);
	http_exchange_pause(x);
	later(x, http_exchange_resume);
}

static void run_stream_paused(struct http_exchange *x)
{
	stream_with(x, INT64_MAX, stream_data_paused);
}

static void stream_data_fail(struct http_exchange *x, struct slice bytes)
{
	struct task *task = http_exchange_context(x);
	(void)bytes;
	ASSERT(!task->replied);
	task->replied = true;
	reply_text(x, 400, SLICE("failed"), false);
	task_end(x);
}

static void run_stream_fail(struct http_exchange *x)
{
	stream_with(x, INT64_MAX, stream_data_fail);
}

static void reply_later(struct http_exchange *x)
{
	reply_text(x, 200, SLICE("later"), false);
	task_end(x);
}

static void run_later(struct http_exchange *x)
{
	(void)task_new(x);
	http_exchange_on_abandoned(x, on_abandoned);
	later(x, reply_later);
}

static void reply_parked(struct http_exchange *x)
{
	const struct http_request *request = http_exchange_request(x);
	char text[256];
	snprintf(text, sizeof(text), "%.*s %.*s", SLICE_FMT(request->path),
		 SLICE_FMT(http_request_header(request, "Origin")));
	reply_text(x, 200, slice_from_cstr(text), false);
	task_end(x);
}

static void run_parked(struct http_exchange *x)
{
	(void)task_new(x);
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_park(x);
	later(x, reply_parked);
}

static void run_close(struct http_exchange *x)
{
	reply_text(x, 200, SLICE("bye"), true);
	release(x);
}

static void run_status(struct http_exchange *x)
{
	int64_t status = 0;
	ASSERT(slice_parse_i64(http_exchange_request(x)->query, &status));
	reply_text(x, (int)status, SLICE("body"), false);
	release(x);
}

static void run_overflow(struct http_exchange *x)
{
	const struct http_reply reply = {.status = 200};
	struct buffer body;
	buffer_init(&body, 3);
	buffer_append(&body, SLICE("four"));
	http_exchange_reply(x, &reply, &body);
	release(x);
}

static void run_hang(struct http_exchange *x)
{
	http_exchange_on_abandoned(x, on_abandoned);
}

static void write_next(struct http_exchange *x)
{
	struct task *task = http_exchange_context(x);
	if (task->left_bytes == 0) {
		http_exchange_end(x);
		task_end(x);
		return;
	}
	int64_t count = task->left_bytes < PIECE_BYTES ? task->left_bytes : PIECE_BYTES;
	struct buffer piece;
	buffer_init(&piece, PIECE_BYTES);
	char *place = buffer_reserve(&piece, (size_t)count);
	ASSERT(place != NULL);
	for (int64_t i = 0; i < count; i++)
		place[i] = (char)('a' + (task->bytes + i) % 26);
	buffer_commit(&piece, (size_t)count);
	task->bytes += count;
	task->left_bytes -= count;
	http_exchange_write(x, &piece, write_next);
}

static void download(struct http_exchange *x, int64_t promised, int64_t bytes)
{
	struct task *task = task_new(x);
	const struct http_reply reply = {
		.status = 200, .content_type = "text/plain", .content_length = promised};
	task->left_bytes = bytes;
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_begin(x, &reply);
	write_next(x);
}

static int64_t query_number(struct http_exchange *x)
{
	int64_t number = 0;
	ASSERT(slice_parse_i64(http_exchange_request(x)->query, &number));
	return number;
}

static void run_download(struct http_exchange *x)
{
	download(x, -1, query_number(x));
}

static void run_download_length(struct http_exchange *x)
{
	download(x, query_number(x), query_number(x));
}

static void run_short(struct http_exchange *x)
{
	download(x, query_number(x), 5);
}

static void run_long(struct http_exchange *x)
{
	download(x, 5, 10);
}

static void abort_now(struct http_exchange *x)
{
	http_exchange_abort(x);
	task_end(x);
}

static void run_abort(struct http_exchange *x)
{
	const struct http_reply reply = {.status = 200, .content_length = -1};
	struct buffer piece;
	(void)task_new(x);
	buffer_init(&piece, 10);
	buffer_append(&piece, SLICE("piece"));
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_begin(x, &reply);
	http_exchange_write(x, &piece, abort_now);
}

static void write_alternating(struct http_exchange *x)
{
	struct task *task = http_exchange_context(x);
	if (task->bytes == 5) {
		http_exchange_end(x);
		task_end(x);
		return;
	}
	struct buffer piece;
	buffer_init(&piece, 10);
	if (task->bytes % 2 == 1)
		buffer_append_byte(&piece, (char)('a' + task->bytes / 2));
	task->bytes++;
	http_exchange_write(x, &piece, write_alternating);
}

static void run_empty_pieces(struct http_exchange *x)
{
	const struct http_reply reply = {.status = 200, .content_length = -1};
	(void)task_new(x);
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_begin(x, &reply);
	write_alternating(x);
}

static void run_who(struct http_exchange *x)
{
	const struct http_request *request = http_exchange_request(x);
	char text[128];
	snprintf(text, sizeof(text), "%.*s %s", SLICE_FMT(request->peer), request->id);
	reply_text(x, 200, slice_from_cstr(text), false);
	release(x);
}

static void on_head(struct http_exchange *x, void *ctx)
{
	static const struct handler handlers[] = {
		{"/hello", run_hello},
		{"/echo", run_echo},
		{"/echo-late", run_echo_late},
		{"/limit", run_limit},
		{"/ignore", run_ignore},
		{"/stream", run_stream},
		{"/stream-limit", run_stream_limit},
		{"/stream-paused", run_stream_paused},
		{"/stream-fail", run_stream_fail},
		{"/later", run_later},
		{"/parked", run_parked},
		{"/close", run_close},
		{"/status", run_status},
		{"/overflow", run_overflow},
		{"/hang", run_hang},
		{"/download", run_download},
		{"/download-length", run_download_length},
		{"/short", run_short},
		{"/long", run_long},
		{"/abort", run_abort},
		{"/empty-pieces", run_empty_pieces},
		{"/who", run_who},
		{"/health", run_hello},
		{"/api/2.0/mlflow/experiments/create", run_echo},
	};
	struct test_server *s = ctx;
	atomic_fetch_add(&s->heads, 1);
	for (size_t i = 0; i < ARRAY_COUNT(handlers); i++) {
		if (slice_eq_cstr(http_exchange_request(x)->path, handlers[i].path)) {
			handlers[i].run(x);
			return;
		}
	}
	reply_text(x, 404, SLICE("no such handler"), false);
	release(x);
}

static void on_done(const struct http_request *request, int status, int64_t received_bytes,
		    int64_t sent_bytes, int64_t duration_us, void *ctx)
{
	struct test_server *s = ctx;
	ASSERT(request->path.len > 0 && duration_us >= 0);
	atomic_store(&s->last_status, status);
	atomic_store(&s->last_received_bytes, received_bytes);
	atomic_store(&s->last_sent_bytes, sent_bytes);
	atomic_fetch_add(&s->done, 1);
}

/* --- the server's thread --------------------------------------------------------------------------- */

static void on_http_closed(void *ctx)
{
	struct test_server *s = ctx;
	atomic_store(&s->is_closed, true);
	atomic_store(&s->connections_open, 0);
	uv_close((uv_handle_t *)&s->stop, NULL);
}

/* Wakes up for a stop and, with a grace of -1, only to copy the counts. */
static void on_stop(uv_async_t *async)
{
	struct test_server *s = async->data;
	struct http_server_counts counts = http_server_counts(s->http);
	atomic_store(&s->parse_errors, counts.parse_errors);
	atomic_store(&s->connections_open, counts.connections_open);
	int64_t grace_ms = atomic_exchange(&s->grace_ms, -1);
	if (grace_ms >= 0)
		http_server_close_on_loop(s->http, grace_ms, on_http_closed, s);
}

static void *run_loop(void *argument)
{
	struct test_server *s = argument;
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	ASSERT(uv_loop_close(&s->loop) == 0);
	return NULL;
}

void test_server_start(struct test_server *s, struct http_server_options options)
{
	struct error err;
	memset(s, 0, sizeof(*s));
	atomic_store(&s->grace_ms, -1);
	server_of = s;
	options.host = "127.0.0.1";
	options.head_cb = on_head;
	options.done_cb = on_done;
	options.ctx = s;
	if (options.connections_max == 0)
		options.connections_max = 100;
	if (options.head_timeout_ms == 0)
		options.head_timeout_ms = 10000;
	if (options.body_timeout_ms == 0)
		options.body_timeout_ms = 10000;
	if (options.idle_timeout_ms == 0)
		options.idle_timeout_ms = 10000;
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_int_equal(uv_async_init(&s->loop, &s->stop, on_stop), 0);
	s->stop.data = s;
	if (!http_server_open(&s->loop, &options, &s->http, &err))
		fail_msg("%s", err.message);
	s->port = http_server_port(s->http);
	assert_int_equal(pthread_create(&s->thread, NULL, run_loop, s), 0);
}

void test_server_close(struct test_server *s, int64_t grace_ms)
{
	atomic_store(&s->grace_ms, grace_ms);
	assert_int_equal(uv_async_send(&s->stop), 0);
}

void test_server_join(struct test_server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
}

void test_server_stop(struct test_server *s)
{
	test_server_close(s, 0);
	test_server_join(s);
}

void wait_for(atomic_int *value, int wanted)
{
	time_t start = time(NULL);
	while (atomic_load(value) < wanted) {
		if (time(NULL) - start > DEADLINE_S)
			fail_msg("waited in vain for %d, have %d", wanted, atomic_load(value));
		sched_yield();
	}
}

void wait_for_connections(struct test_server *s, unsigned wanted)
{
	time_t start = time(NULL);
	do {
		if (time(NULL) - start > DEADLINE_S)
			fail_msg("waited in vain for %u connections", wanted);
		atomic_store(&s->connections_open, UINT64_MAX);
		assert_int_equal(uv_async_send(&s->stop), 0);
		while (atomic_load(&s->connections_open) == UINT64_MAX)
			sched_yield();
	} while (atomic_load(&s->connections_open) != wanted);
}

/* --- the client ------------------------------------------------------------------------------------ */

int client_connect(const struct test_server *s)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)s->port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval deadline = {.tv_sec = DEADLINE_S};
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void client_send(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (sent < 0)
			fail_msg("send: %s", strerror(errno));
		bytes = slice_from(bytes, (size_t)sent);
	}
}

void client_send_text(int fd, const char *text)
{
	client_send(fd, slice_from_cstr(text));
}

static bool receive_byte(int fd, char *byte)
{
	return recv(fd, byte, 1, 0) == 1;
}

static bool receive_line(int fd, char *line, size_t line_bytes)
{
	size_t len = 0;
	while (len + 1 < line_bytes && receive_byte(fd, &line[len])) {
		line[++len] = '\0';
		if (len >= 2 && line[len - 2] == '\r' && line[len - 1] == '\n')
			return true;
	}
	return false;
}

static bool receive_bytes(int fd, size_t count, struct buffer *body)
{
	char piece[65536];
	while (count > 0) {
		ssize_t got = recv(fd, piece, count < sizeof(piece) ? count : sizeof(piece), 0);
		if (got <= 0)
			return false;
		buffer_append(body, slice_make(piece, (size_t)got));
		count -= (size_t)got;
	}
	return true;
}

static bool receive_chunks(int fd, struct buffer *body)
{
	char line[100];
	struct buffer none;
	buffer_init(&none, 2);
	for (;;) {
		if (!receive_line(fd, line, sizeof(line)))
			return false;
		unsigned long count = strtoul(line, NULL, 16);
		if (!receive_bytes(fd, count, body))
			return false;
		buffer_reset(&none);
		bool ok = receive_bytes(fd, 2, &none);
		buffer_deinit(&none);
		if (!ok || count == 0)
			return ok;
	}
}

bool client_receive(int fd, bool is_head_request, struct reply *reply)
{
	char line[2048];
	size_t len = 0;
	long long length = -1;
	bool is_chunked = false;
	*reply = (struct reply){.keep_alive = true};
	buffer_init(&reply->body, 256 << 20);
	while (receive_line(fd, line, sizeof(line))) {
		len += (size_t)snprintf(reply->head + len, sizeof(reply->head) - len, "%s", line);
		int status = 0;
		if (sscanf(line, "HTTP/1.1 %d ", &status) == 1)
			reply->status = status;
		if (sscanf(line, "Content-Length: %lld", &length) == 1)
			continue;
		if (strcmp(line, "Transfer-Encoding: chunked\r\n") == 0)
			is_chunked = true;
		if (strcmp(line, "Connection: close\r\n") == 0)
			reply->keep_alive = false;
		if (strcmp(line, "\r\n") != 0 || reply->status == 100)
			continue;
		if (is_head_request || reply->status == 204 || reply->status == 304)
			reply->is_whole = true;
		else if (is_chunked)
			reply->is_whole = receive_chunks(fd, &reply->body);
		else if (length >= 0)
			reply->is_whole = receive_bytes(fd, (size_t)length, &reply->body);
		else
			while (receive_bytes(fd, 1, &reply->body)) {
			}
		return reply->is_whole;
	}
	return false;
}

void reply_free(struct reply *reply)
{
	buffer_deinit(&reply->body);
}

void client_expect(int fd, const char *request, int status, const char *body_or_null)
{
	struct reply reply;
	client_send_text(fd, request);
	if (!client_receive(fd, strncmp(request, "HEAD", 4) == 0, &reply))
		fail_msg("no whole reply to %s", request);
	bool same = body_or_null == NULL ||
		    (reply.body.len == strlen(body_or_null) &&
		     memcmp(reply.body.len > 0 ? reply.body.ptr_or_null : "", body_or_null, reply.body.len) == 0);
	if (reply.status != status || !same)
		fail_msg("%s gave %d: %.*s", request, reply.status, SLICE_FMT(buffer_slice(&reply.body)));
	reply_free(&reply);
}

int client_wait_end(int fd)
{
	char bytes[65536];
	ssize_t got = 0;
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
	}
	if (got == 0)
		return 1;
	return errno == ECONNRESET ? -1 : 0;
}
