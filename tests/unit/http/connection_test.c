/* Tests connections over real sockets: order, keep-alive, timeouts, half-closed and hostile peers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/connection.h"
#include "unit/http/server_helper.h"

#define H "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

/* Longer than a busy machine keeps a thread waiting between two lines of a test. */
enum { IMPATIENCE_MS = 300 };

static struct test_server server;

static int setup(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	return 0;
}

static int setup_impatient(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){.head_timeout_ms = IMPATIENCE_MS,
								.body_timeout_ms = IMPATIENCE_MS,
								.idle_timeout_ms = IMPATIENCE_MS});
	return 0;
}

/* Long against the stalls of a loaded machine, for who is in time and must not be cut. */
static int setup_slow_body(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){.body_timeout_ms = 1500});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_server_stop(&server);
	return 0;
}

static void expect_reply(int fd, int status, const char *body)
{
	struct reply reply;
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, status);
	if (body != NULL)
		assert_true(slice_eq_cstr(buffer_slice(&reply.body), body));
	reply_free(&reply);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	for (int round = 0; round < 20; round++) {
		client_send_text(fd, GET("/later") GET("/hello")
				 "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi" GET("/later")
				 "POST /echo-late HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
				 GET("/status?404"));
		expect_reply(fd, 200, "later");
		expect_reply(fd, 200, "hello");
		expect_reply(fd, 200, "hi");
		expect_reply(fd, 200, "later");
		expect_reply(fd, 200, "x");
		expect_reply(fd, 404, "body");
	}
	close(fd);
}

static void *send_many(void *argument)
{
	int fd = *(int *)argument;
	for (int i = 0; i < 2000; i++)
		client_send_text(fd, i % 50 == 0 ? GET("/later") : GET("/hello"));
	return NULL;
}

static void test_many_pipelined_requests_do_not_pile_up(void **state)
{
	(void)state;
	pthread_t thread;
	int fd = client_connect(&server);
	assert_int_equal(pthread_create(&thread, NULL, send_many, &fd), 0);
	for (int i = 0; i < 2000; i++)
		expect_reply(fd, 200, i % 50 == 0 ? "later" : "hello");
	assert_int_equal(pthread_join(thread, NULL), 0);
	close(fd);
}

/* One peer asks 500 times at once; another one that asks meanwhile does not wait for all the answers. How soon it
 * asks is the scheduler's choice, so it may try often; when the first peer's requests are one turn, it never succeeds. */
static void test_a_pipeline_lets_others_have_their_turn(void **state)
{
	(void)state;
	enum { REQUESTS = 500, ROUNDS_MAX = 1000 };
	bool has_overtaken = false;
	int greedy = client_connect(&server), other = client_connect(&server);
	struct buffer requests;
	buffer_init(&requests, 64 * 1024);
	buffer_append(&requests, SLICE(GET("/later"))); /* the others gather behind it */
	for (int i = 0; i < REQUESTS; i++)
		buffer_append(&requests, SLICE(GET("/hello")));
	for (int round = 0; round < ROUNDS_MAX && !has_overtaken; round++) {
		int before = atomic_load(&server.heads);
		client_send(greedy, buffer_slice(&requests));
		wait_for(&server.heads, before + 2);
		client_expect(other, GET("/hello"), 200, "hello");
		has_overtaken = atomic_load(&server.heads) < before + 1 + REQUESTS + 1;
		expect_reply(greedy, 200, "later");
		for (int i = 0; i < REQUESTS; i++)
			expect_reply(greedy, 200, "hello");
	}
	assert_true(has_overtaken);
	buffer_deinit(&requests);
	close(greedy);
	close(other);
}

/* While a request is being answered, a peer can push no more than bounds say: the rest stays in the kernel. */
static void test_bytes_behind_a_busy_exchange_are_bounded(void **state)
{
	(void)state;
	char junk[4096];
	size_t sent_bytes = 0;
	int fd = client_connect(&server);
	const struct timeval soon = {.tv_usec = 200000};
	memset(junk, 'x', sizeof(junk));
	client_send_text(fd, GET("/hang"));
	wait_for(&server.heads, 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	for (ssize_t n = 0; (n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL)) > 0;)
		sent_bytes += (size_t)n;
	assert_true(sent_bytes < (32U << 20)); /* it stuck: kernel buffers are some megabytes */
	close(fd);
}

static void test_http_10_closes_unless_asked(void **state)
{
	(void)state;
	struct reply reply;
	int fd = client_connect(&server);
	client_send_text(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_true(client_receive(fd, false, &reply));
	assert_non_null(strstr(reply.head, "Connection: keep-alive\r\n"));
	reply_free(&reply);
	client_send_text(fd, "GET /hello HTTP/1.0\r\n\r\n");
	assert_true(client_receive(fd, false, &reply));
	assert_false(reply.keep_alive);
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
}

static void test_close_is_obeyed_from_both_sides(void **state)
{
	(void)state;
	static const char *const requests[] = {
		"GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n" GET("/hello"),
		GET("/close") GET("/hello"),
	};
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		struct reply reply;
		int fd = client_connect(&server);
		client_send_text(fd, requests[i]);
		assert_true(client_receive(fd, false, &reply));
		assert_false(reply.keep_alive);
		reply_free(&reply);
		assert_false(client_receive(fd, false, &reply));
		assert_int_equal(reply.status, 0); /* what was behind got no answer */
		reply_free(&reply);
		close(fd);
	}
}

static void test_a_peer_that_shuts_its_side_gets_its_replies(void **state)
{
	(void)state;
	static const char *const paths[] = {"/hello", "/later", "/download?3000000", "/echo-late"};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		struct reply reply;
		char text[400];
		int fd = client_connect(&server);
		snprintf(text, sizeof(text),
			 "POST %s HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi" GET("/later") "POST /echo HTTP/1.1\r\n" H
			 "Content-Length: 1\r\n\r\nz", paths[i]);
		client_send_text(fd, text);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		assert_true(client_receive(fd, false, &reply));
		assert_int_equal(reply.status, 200);
		reply_free(&reply);
		expect_reply(fd, 200, "later");
		expect_reply(fd, 200, "z");
		assert_int_equal(client_wait_end(fd), 1);
		close(fd);
	}
	assert_int_equal(atomic_load(&server.abandoned), 0);
}

static void test_an_end_inside_a_request_is_told(void **state)
{
	(void)state;
	static const char *const requests[] = {"GET / HT", "GET / HTTP/1.1\r\nHost",
					       "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh",
					       "POST /echo-late HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh"};
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		int fd = client_connect(&server);
		client_send_text(fd, requests[i]);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		expect_reply(fd, 400, NULL);
		assert_int_equal(client_wait_end(fd), 1);
		close(fd);
	}
	wait_for(&server.abandoned, 2);
	wait_for_connections(&server, 0);
}

static void test_a_refusal_is_json_and_arrives_whatever_is_still_sent(void **state)
{
	(void)state;
	struct reply reply;
	char junk[100000];
	int fd = client_connect(&server);
	memset(junk, 'x', sizeof(junk));
	client_send_text(fd, "GET / HTTP/1.1\nHost: a\r\n\r\n");
	client_send(fd, slice_make(junk, sizeof(junk)));
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 400);
	assert_false(reply.keep_alive);
	assert_non_null(strstr(reply.head, "Content-Type: application/json\r\n"));
	assert_true(slice_eq_cstr(buffer_slice(&reply.body),
				  "{\"error_code\":\"BAD_REQUEST\",\"message\":\"A line of the head ends in LF "
				  "without CR.\"}"));
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	wait_for_connections(&server, 0);
	assert_int_equal(atomic_load(&server.parse_errors), 1);
	assert_int_equal(atomic_load(&server.heads), 0);
}

static void test_a_refused_peer_that_goes_on_sending_is_cut(void **state)
{
	(void)state;
	char junk[65536];
	int fd = client_connect(&server);
	size_t sent_bytes = 0;
	memset(junk, 'x', sizeof(junk));
	client_send_text(fd, "broken\n");
	for (ssize_t n = 0; sent_bytes < (1U << 30) && (n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL)) > 0;)
		sent_bytes += (size_t)n;
	/* What is taken and dropped, and what the kernel holds on both sides. */
	assert_true(sent_bytes < CONNECTION_LINGER_BYTES_MAX + (64U << 20));
	close(fd);
	wait_for_connections(&server, 0);
}

static void test_each_kind_of_silence_has_its_end(void **state)
{
	(void)state;
	static const struct {
		const char *sent;
		int status; /* 0: closed without a word */
	} rows[] = {
		{"", 0},
		{"\r\n", 0},
		{"G", 408},
		{"GET /hello HTTP/1.1\r\n" H, 408},
		{"POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh", 408},
		{"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\n", 408},
		{"POST /stream HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh", 408},
		{"POST /ignore HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh", 200},
		{GET("/hello"), 200},
	};
	int fds[ARRAY_COUNT(rows)];
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		fds[i] = client_connect(&server);
		client_send_text(fds[i], rows[i].sent);
	}
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].status != 0)
			expect_reply(fds[i], rows[i].status, NULL);
		if (client_wait_end(fds[i]) != 1)
			fail_msg("row %zu did not end", i);
		close(fds[i]);
	}
	wait_for(&server.abandoned, 3);
	wait_for_connections(&server, 0);
}

/* A head that trickles is not kept alive by its bytes. */
static void test_a_trickling_head_is_late(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	const struct timeval step = {.tv_usec = 5000};
	char byte = 0;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof(step)), 0);
	client_send_text(fd, "GET /");
	int trickled = 0;
	while (recv(fd, &byte, 1, 0) != 1 && trickled < 2000) {
		client_send_text(fd, "a");
		trickled++;
	}
	assert_true(trickled < 2000);
	assert_int_equal(byte, 'H'); /* of HTTP/1.1 408 */
	close(fd);
}

static void test_a_trickling_body_is_not_late(void **state)
{
	(void)state;
	int fd = client_connect(&server);
	const struct timespec step = {.tv_nsec = 100000000};
	client_send_text(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 17\r\n\r\n");
	for (int i = 0; i < 17; i++) { /* 1.7 s: longer than the timeout, each byte within it */
		assert_int_equal(nanosleep(&step, NULL), 0); /* the pace is what is tested */
		client_send_text(fd, "x");
	}
	expect_reply(fd, 200, "xxxxxxxxxxxxxxxxx");
	close(fd);
}

static void test_a_handler_may_take_longer_than_any_timeout(void **state)
{
	(void)state;
	const struct timespec long_time = {.tv_nsec = 3L * IMPATIENCE_MS * 1000000};
	int fd = client_connect(&server);
	client_send_text(fd, GET("/hang"));
	wait_for(&server.heads, 1);
	assert_int_equal(nanosleep(&long_time, NULL), 0); /* three timeouts pass */
	assert_int_equal(atomic_load(&server.abandoned), 0);
	close(fd);
}

static void test_a_peer_that_does_not_read_is_cut(void **state)
{
	(void)state;
	static const char *const requests[] = {GET("/download?1000000000"), GET("/download-length?1000000000")};
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		int fd = client_connect(&server);
		client_send_text(fd, requests[i]);
		wait_for(&server.abandoned, (int)i + 1);
		wait_for_connections(&server, 0);
		close(fd);
	}
}

/* Pipelines replies without reading one, until the kernel takes no more of them. */
static void test_a_peer_that_reads_no_pipelined_reply_is_cut(void **state)
{
	(void)state;
	const struct timeval soon = {.tv_usec = 20000};
	int fd = client_connect(&server);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	struct buffer b;
	buffer_init(&b, 3 << 20);
	buffer_printf(&b, "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", 1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		buffer_append_byte(&b, 'x');
	for (int i = 0; i < 200; i++) {
		ssize_t sent = send(fd, b.ptr_or_null, b.len, MSG_NOSIGNAL);
		if (sent < (ssize_t)b.len)
			break;
	}
	wait_for_connections(&server, 0);
	buffer_deinit(&b);
	close(fd);
}

static void test_an_idle_connection_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct connection) + 1024 - sizeof(uv_tcp_t) - sizeof(uv_shutdown_t) < 2048);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IMPATIENT_TEST(name) cmocka_unit_test_setup_teardown(name, setup_impatient, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_pipelined_requests_are_answered_in_order),
		TEST(test_many_pipelined_requests_do_not_pile_up),
		TEST(test_a_pipeline_lets_others_have_their_turn),
		TEST(test_bytes_behind_a_busy_exchange_are_bounded),
		TEST(test_http_10_closes_unless_asked),
		TEST(test_close_is_obeyed_from_both_sides),
		TEST(test_a_peer_that_shuts_its_side_gets_its_replies),
		TEST(test_an_end_inside_a_request_is_told),
		TEST(test_a_refusal_is_json_and_arrives_whatever_is_still_sent),
		TEST(test_a_refused_peer_that_goes_on_sending_is_cut),
		IMPATIENT_TEST(test_each_kind_of_silence_has_its_end),
		IMPATIENT_TEST(test_a_trickling_head_is_late),
		cmocka_unit_test_setup_teardown(test_a_trickling_body_is_not_late, setup_slow_body,
						teardown),
		IMPATIENT_TEST(test_a_handler_may_take_longer_than_any_timeout),
		IMPATIENT_TEST(test_a_peer_that_does_not_read_is_cut),
		IMPATIENT_TEST(test_a_peer_that_reads_no_pipelined_reply_is_cut),
		cmocka_unit_test(test_an_idle_connection_is_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
