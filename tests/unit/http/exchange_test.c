/* Tests exchanges over real sockets: bodies in, replies out, and what happens when one side gives up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/exchange.h"
#include "unit/http/server_helper.h"

#define H "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

static struct test_server server;

static int setup(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_server_stop(&server);
	return 0;
}

static void test_one_connection_serves_many_requests(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	for (int i = 0; i < 100; i++) {
		client_expect(fd, GET("/hello"), 200, "hello");
		client_expect(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping", 200, "ping");
	}
	close(fd);
	wait_for(&server.done, 200);
}

static void test_bodies_are_taken_on_every_method(void **state)
{
	(void)state;
	static const char *const methods[] = {"GET", "DELETE", "PATCH", "PUT", "POST", "OPTIONS"};
	int fd = client_connect(&server);
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		char request[200];
		snprintf(request, sizeof(request),
			 "%s /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
			 methods[i]);
		client_expect(fd, request, 200, "body");
		snprintf(request, sizeof(request), "%s /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi",
			 methods[i]);
		client_expect(fd, request, 200, "hi");
	}
	close(fd);
}

static void test_collect_without_body_gives_an_empty_one(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, GET("/echo"), 200, "");
	client_expect(fd, GET("/stream"), 200, "0 0");
	client_expect(fd, GET("/echo-late"), 200, "");
	close(fd);
}

static void test_a_body_that_comes_before_it_is_wanted_waits(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	for (int i = 0; i < 20; i++) {
		client_expect(fd, "POST /echo-late HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nwait", 200, "wait");
		client_expect(fd,
			      "POST /echo-late HTTP/1.1\r\n" H
			      "Transfer-Encoding: chunked\r\n\r\n2\r\nwa\r\n2\r\nit\r\n0\r\n\r\n",
			      200, "wait");
	}
	close(fd);
}

/* A body of `bytes` to /echo-late, so that what does not fit the first read waits in the kernel. */
static void test_a_large_body_that_is_wanted_late_is_whole(void **state)
{
	(void)state;
	enum { BYTES = 1 << 20 };
	struct buffer b;
	struct reply reply;
	int fd = client_connect(&server);
	buffer_init(&b, BYTES + 1000);
	buffer_printf(&b, "POST /echo-late HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", BYTES);
	size_t head_bytes = b.len;
	for (int i = 0; i < BYTES; i++)
		buffer_append_byte(&b, (char)('a' + i % 23));
	client_send(fd, buffer_slice(&b));
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 200);
	assert_true(slice_eq(buffer_slice(&reply.body), slice_from(buffer_slice(&b), head_bytes)));
	reply_free(&reply);
	buffer_deinit(&b);
	close(fd);
}

static void test_collect_takes_its_limit_and_not_one_byte_more(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, "POST /limit HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n0123456789", 200, "0123456789");
	client_expect(fd, "POST /limit HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
		      200, "0123456789");
	client_expect(fd, "POST /limit HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n0123456789a", 413,
		      "{\"error_code\":\"REQUEST_TOO_LARGE\",\"message\":\"The body of the request is too large.\"}");
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	fd = client_connect(&server);
	client_expect(fd, "POST /limit HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n",
		      413, NULL);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	wait_for(&server.abandoned, 2);
	wait_for(&server.done, 4);
	assert_int_equal(atomic_load(&server.last_status), 413);
}

static void test_stream_takes_its_limit_and_not_one_byte_more(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, "POST /stream-limit HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n0123456789", 200, NULL);
	close(fd);
	fd = client_connect(&server);
	client_expect(fd, "POST /stream-limit HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n", 413, NULL);
	close(fd);
	fd = client_connect(&server);
	client_expect(fd,
		      "POST /stream-limit HTTP/1.1\r\n" H
		      "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
		      413, NULL);
	close(fd);
	wait_for(&server.abandoned, 2);
}

/* Uploads in a thread of its own, since the server may want to reply while bytes are still being sent. */
struct upload {
	int fd;
	int64_t bytes;
	bool is_chunked;
	uint64_t sum;
};

static void *run_upload(void *argument)
{
	struct upload *u = argument;
	char piece[70000], text[100];
	for (int64_t at = 0; at < u->bytes;) {
		size_t len = (size_t)(u->bytes - at < (int64_t)sizeof(piece) ? u->bytes - at : (int64_t)sizeof(piece));
		for (size_t i = 0; i < len; i++) {
			piece[i] = (char)((at + (int64_t)i) * 7 % 251);
			u->sum = u->sum * 31 + (unsigned char)piece[i];
		}
		if (u->is_chunked) {
			snprintf(text, sizeof(text), "%zx\r\n", len);
			client_send_text(u->fd, text);
		}
		client_send(u->fd, slice_make(piece, len));
		if (u->is_chunked)
			client_send_text(u->fd, "\r\n");
		at += (int64_t)len;
	}
	if (u->is_chunked)
		client_send_text(u->fd, "0\r\n\r\n");
	return NULL;
}

static void upload(const char *path, int64_t bytes, bool is_chunked)
{
	struct upload u = {.fd = client_connect(&server), .bytes = bytes, .is_chunked = is_chunked};
	char text[200];
	struct reply reply;
	pthread_t thread;
	if (is_chunked)
		snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", path);
	else
		snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\n" H "Content-Length: %lld\r\n\r\n", path,
			 (long long)bytes);
	client_send_text(u.fd, text);
	assert_int_equal(pthread_create(&thread, NULL, run_upload, &u), 0);
	assert_true(client_receive(u.fd, false, &reply));
	assert_int_equal(pthread_join(thread, NULL), 0);
	snprintf(text, sizeof(text), "%lld %llu", (long long)bytes, (unsigned long long)u.sum);
	assert_true(slice_eq_cstr(buffer_slice(&reply.body), text));
	reply_free(&reply);
	client_expect(u.fd, GET("/hello"), 200, "hello");
	close(u.fd);
}

static void test_large_uploads_stream_through(void **state)
{
	(void)state;
	upload("/stream", 32 << 20, false);
	upload("/stream", 32 << 20, true);
	upload("/stream-paused", 8 << 20, false);
	upload("/stream-paused", 8 << 20, true);
}

static void test_a_handler_may_answer_in_the_middle_of_an_upload(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	/* What is left is small: it is dropped, and the connection lives. */
	client_expect(fd, "PUT /stream-fail HTTP/1.1\r\n" H "Content-Length: 6\r\n\r\nabc", 400, "failed");
	client_expect(fd, "xyz" GET("/hello"), 200, "hello");
	/* What is left is large: the connection ends. */
	struct reply reply;
	client_send_text(fd, "PUT /stream-fail HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\nabc");
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 400);
	assert_false(reply.keep_alive);
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	wait_for(&server.done, 3);
	assert_int_equal(atomic_load(&server.abandoned), 0);
}

static void test_a_body_nobody_read_is_never_the_next_request(void **state)
{
	(void)state;
	static const char smuggled[] = GET("/hello");
	char request[300];
	int fd = client_connect(&server);
	snprintf(request, sizeof(request), "POST /ignore HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n%s",
		 strlen(smuggled), smuggled);
	for (int i = 0; i < 3; i++)
		client_expect(fd, request, 200, "ignored");
	client_expect(fd, "GET /nothing HTTP/1.1\r\n" H "\r\n", 404, NULL);
	snprintf(request, sizeof(request),
		 "POST /ignore HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
		 strlen(smuggled), smuggled);
	client_expect(fd, request, 200, "ignored");
	client_expect(fd, "GET /nothing HTTP/1.1\r\n" H "\r\n", 404, NULL);
	close(fd);
	wait_for(&server.done, 6);
	assert_int_equal(atomic_load(&server.heads), 6);
}

static bool kept_after_ignored_body(int64_t bytes)
{
	struct reply reply;
	char text[200];
	int fd = client_connect(&server);
	snprintf(text, sizeof(text), "POST /ignore HTTP/1.1\r\n" H "Content-Length: %lld\r\n\r\n", (long long)bytes);
	client_send_text(fd, text);
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 200);
	bool kept = reply.keep_alive;
	reply_free(&reply);
	if (kept) {
		char *body = calloc(1, (size_t)bytes);
		assert_non_null(body);
		client_send(fd, slice_make(body, (size_t)bytes));
		free(body);
		client_expect(fd, GET("/hello"), 200, "hello");
	} else {
		assert_int_equal(client_wait_end(fd), 1);
	}
	close(fd);
	return kept;
}

static void test_an_ignored_body_is_dropped_up_to_a_limit(void **state)
{
	(void)state;
	assert_true(kept_after_ignored_body(BODY_DISCARD_BYTES_MAX));
	assert_false(kept_after_ignored_body(BODY_DISCARD_BYTES_MAX + 1));
}

static void test_an_ignored_chunked_body_is_dropped_up_to_a_limit(void **state)
{
	(void)state;
	enum { CHUNK = 4096 };
	char chunk[CHUNK + 10];
	size_t head = (size_t)snprintf(chunk, sizeof(chunk), "%x\r\n", CHUNK);
	memset(chunk + head, 'x', CHUNK);
	memcpy(chunk + head + CHUNK, "\r\n", 2);
	for (int extra = 0; extra <= 1; extra++) {
		int fd = client_connect(&server);
		client_expect(fd, "POST /ignore HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 200, "ignored");
		for (int i = 0; i < BODY_DISCARD_BYTES_MAX / CHUNK; i++)
			client_send(fd, slice_make(chunk, head + CHUNK + 2));
		if (extra == 0) {
			client_send_text(fd, "0\r\n\r\n");
			client_expect(fd, GET("/hello"), 200, "hello");
		} else {
			client_send_text(fd, "1\r\nx\r\n0\r\n\r\n");
			assert_int_equal(client_wait_end(fd), 1);
		}
		close(fd);
	}
}

static void test_100_continue_is_said_when_the_body_is_wanted(void **state)
{
	(void)state;
	struct reply reply;
	static const char *const paths[] = {"/echo", "/echo-late"};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		char text[200], interim[26] = "";
		int fd = client_connect(&server);
		snprintf(text, sizeof(text),
			 "PUT %s HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", paths[i]);
		client_send_text(fd, text);
		assert_int_equal(recv(fd, interim, 25, MSG_WAITALL), 25);
		assert_string_equal(interim, "HTTP/1.1 100 Continue\r\n\r\n");
		client_expect(fd, "hi", 200, "hi");
		client_expect(fd, GET("/hello"), 200, "hello");
		close(fd);
	}
	/* Nobody wants the body: a final reply, and the connection ends, as what follows would be unclear. */
	int fd = client_connect(&server);
	client_send_text(fd, "PUT /ignore HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 200);
	assert_null(strstr(reply.head, "100 Continue"));
	assert_false(reply.keep_alive);
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	/* Too large by its own words: refused before a byte of it was sent. */
	fd = client_connect(&server);
	client_send_text(fd, "PUT /limit HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n");
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 413);
	assert_null(strstr(reply.head, "100 Continue"));
	reply_free(&reply);
	close(fd);
}

static void test_head_gets_the_head_of_get(void **state)
{
	(void)state;
	struct reply reply;
	int fd = client_connect(&server);
	static const struct {
		const char *path, *line;
	} rows[] = {
		{"/hello", "Content-Length: 5\r\n"},
		{"/later", "Content-Length: 5\r\n"},
		{"/download?1000000", "Transfer-Encoding: chunked\r\n"},
		{"/download-length?1000000", "Content-Length: 1000000\r\n"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[200];
		snprintf(text, sizeof(text), "HEAD %s HTTP/1.1\r\n" H "\r\n", rows[i].path);
		client_send_text(fd, text);
		assert_true(client_receive(fd, true, &reply));
		assert_int_equal(reply.status, 200);
		assert_non_null(strstr(reply.head, rows[i].line));
		reply_free(&reply);
		client_expect(fd, GET("/hello"), 200, "hello");
	}
	close(fd);
}

static void test_statuses_without_body_have_none(void **state)
{
	(void)state;
	static const struct {
		const char *request;
		int status;
		bool has_length;
	} rows[] = {{GET("/status?204"), 204, false}, {GET("/status?304"), 304, false},
		    {GET("/status?404"), 404, true}, {GET("/status?599"), 599, true}};
	int fd = client_connect(&server);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct reply reply;
		client_send_text(fd, rows[i].request);
		assert_true(client_receive(fd, false, &reply));
		assert_int_equal(reply.status, rows[i].status);
		assert_int_equal(strstr(reply.head, "Content-Length") != NULL, rows[i].has_length);
		assert_int_equal(reply.body.len, rows[i].has_length ? 4 : 0);
		reply_free(&reply);
	}
	client_expect(fd, GET("/hello"), 200, "hello");
	close(fd);
}

static void test_a_reply_that_did_not_fit_becomes_500(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, GET("/overflow"), 500,
		      "{\"error_code\":\"INTERNAL_ERROR\",\"message\":\"The reply is too large.\"}");
	close(fd);
}

static void check_download(const char *path, size_t bytes, bool is_http10)
{
	struct reply reply;
	char text[200];
	int fd = client_connect(&server);
	snprintf(text, sizeof(text), "GET %s?%zu HTTP/1.%d\r\n" H "\r\n", path, bytes, is_http10 ? 0 : 1);
	client_send_text(fd, text);
	(void)client_receive(fd, false, &reply); /* until close is never "whole" */
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.body.len, bytes);
	for (size_t i = 0; i < bytes; i++)
		assert_true(reply.body.ptr_or_null[i] == (char)('a' + i % 26));
	assert_int_equal(strstr(reply.head, "chunked") != NULL, !is_http10 && strcmp(path, "/download") == 0);
	reply_free(&reply);
	if (!is_http10)
		client_expect(fd, GET("/hello"), 200, "hello");
	else
		assert_int_equal(client_wait_end(fd), 1);
	close(fd);
}

static void test_downloads_arrive_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 100000, 100001, 20000000};
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		check_download("/download", sizes[i], false);
		check_download("/download-length", sizes[i], false);
		check_download("/download-length", sizes[i], true);
	}
	check_download("/download", 300, true);
}

static void test_empty_pieces_do_not_end_a_chunked_reply(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, GET("/empty-pieces"), 200, "ab");
	client_expect(fd, GET("/hello"), 200, "hello");
	close(fd);
}

static void test_a_reply_that_breaks_its_promise_is_cut_visibly(void **state)
{
	(void)state;
	static const char *const requests[] = {GET("/short?10"), GET("/long"), GET("/abort")};
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		struct reply reply;
		int fd = client_connect(&server);
		client_send_text(fd, requests[i]);
		assert_false(client_receive(fd, false, &reply));
		assert_false(reply.is_whole);
		reply_free(&reply);
		close(fd);
	}
	wait_for(&server.done, 3);
	wait_for(&server.released, 3);
}

static void test_an_aborted_http_10_reply_ends_in_a_reset(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_send_text(fd, "GET /abort HTTP/1.0\r\n\r\n");
	assert_int_equal(client_wait_end(fd), -1);
	close(fd);
}

static void test_a_parked_exchange_keeps_what_its_reply_needs(void **state)
{
	(void)state;
	char request[4000];
	int fd = client_connect(&server);
	snprintf(request, sizeof(request), "GET /parked?%01000d HTTP/1.1\r\nOrigin: http://page\r\nX: %01000d\r\n" H "\r\n",
		 1, 2);
	for (int i = 0; i < 20; i++) {
		client_expect(fd, request, 200, "/parked http://page");
		client_expect(fd, GET("/parked") GET("/hello"), 200, "/parked ");
		client_expect(fd, "", 200, "hello");
	}
	close(fd);
}

static void test_a_vanished_peer_abandons_the_exchange(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	const struct linger reset = {.l_onoff = 1};
	client_send_text(fd, GET("/hang"));
	wait_for(&server.heads, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(fd);
	wait_for(&server.abandoned, 1);
	wait_for(&server.done, 1);
	assert_int_equal(atomic_load(&server.last_status), 0);
	wait_for_connections(&server, 0);
}

static void test_a_peer_that_vanishes_in_a_body_abandons_the_exchange(void **state)
{
	(void)state;
	static const char *const paths[] = {"/echo", "/stream", "/stream-paused"};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		char text[200];
		int fd = client_connect(&server);
		snprintf(text, sizeof(text), "PUT %s HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\nabc", paths[i]);
		client_send_text(fd, text);
		close(fd);
		wait_for(&server.abandoned, (int)i + 1);
	}
	wait_for_connections(&server, 0);
	assert_int_equal(atomic_load(&server.last_received_bytes), 3);
}

static void test_a_peer_that_vanishes_in_a_download_abandons_the_exchange(void **state)
{
	(void)state;
	char bytes[1000];
	int fd = client_connect(&server);
	client_send_text(fd, GET("/download?1000000000"));
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	close(fd);
	wait_for(&server.abandoned, 1);
	wait_for_connections(&server, 0);
}

static void test_a_broken_chunk_is_refused_and_abandoned(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, "PUT /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nhix", 400, NULL);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	wait_for(&server.abandoned, 1);
	wait_for(&server.done, 1);
	assert_int_equal(atomic_load(&server.last_status), 400);
}

static void test_replies_carry_date_and_request_id(void **state)
{
	(void)state;
	struct reply reply;
	char seen[2][17];
	int fd = client_connect(&server);
	for (int i = 0; i < 2; i++) {
		client_send_text(fd, GET("/who"));
		assert_true(client_receive(fd, false, &reply));
		const char *id = strstr(reply.head, "X-Request-Id: ");
		assert_non_null(id);
		assert_non_null(strstr(reply.head, " GMT\r\n"));
		memcpy(seen[i], id + 14, 16);
		seen[i][16] = '\0';
		assert_int_equal(strspn(seen[i], "0123456789abcdef"), 16);
		buffer_append_byte(&reply.body, '\0');
		assert_non_null(strstr(reply.body.ptr_or_null, seen[i]));
		assert_ptr_equal(strstr(reply.body.ptr_or_null, "127.0.0.1:"), reply.body.ptr_or_null);
		reply_free(&reply);
	}
	assert_string_not_equal(seen[0], seen[1]);
	close(fd);
}

static void test_the_access_log_hears_sizes_and_status(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	client_expect(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nping", 200, "ping");
	wait_for(&server.done, 1);
	assert_int_equal(atomic_load(&server.last_status), 200);
	assert_int_equal(atomic_load(&server.last_received_bytes), 4);
	assert_int_equal(atomic_load(&server.last_sent_bytes), 4);
	client_expect(fd, GET("/download?250000"), 200, NULL);
	wait_for(&server.done, 2);
	assert_int_equal(atomic_load(&server.last_sent_bytes), 250000);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_connection_serves_many_requests),
		TEST(test_bodies_are_taken_on_every_method),
		TEST(test_collect_without_body_gives_an_empty_one),
		TEST(test_a_body_that_comes_before_it_is_wanted_waits),
		TEST(test_a_large_body_that_is_wanted_late_is_whole),
		TEST(test_collect_takes_its_limit_and_not_one_byte_more),
		TEST(test_stream_takes_its_limit_and_not_one_byte_more),
		TEST(test_large_uploads_stream_through),
		TEST(test_a_handler_may_answer_in_the_middle_of_an_upload),
		TEST(test_a_body_nobody_read_is_never_the_next_request),
		TEST(test_an_ignored_body_is_dropped_up_to_a_limit),
		TEST(test_an_ignored_chunked_body_is_dropped_up_to_a_limit),
		TEST(test_100_continue_is_said_when_the_body_is_wanted),
		TEST(test_head_gets_the_head_of_get),
		TEST(test_statuses_without_body_have_none),
		TEST(test_a_reply_that_did_not_fit_becomes_500),
		TEST(test_downloads_arrive_whole),
		TEST(test_empty_pieces_do_not_end_a_chunked_reply),
		TEST(test_a_reply_that_breaks_its_promise_is_cut_visibly),
		TEST(test_an_aborted_http_10_reply_ends_in_a_reset),
		TEST(test_a_parked_exchange_keeps_what_its_reply_needs),
		TEST(test_a_vanished_peer_abandons_the_exchange),
		TEST(test_a_peer_that_vanishes_in_a_body_abandons_the_exchange),
		TEST(test_a_peer_that_vanishes_in_a_download_abandons_the_exchange),
		TEST(test_a_broken_chunk_is_refused_and_abandoned),
		TEST(test_replies_carry_date_and_request_id),
		TEST(test_the_access_log_hears_sizes_and_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
