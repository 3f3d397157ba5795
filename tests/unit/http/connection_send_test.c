/* Tests sending to peers that read late: what is queued must stay what it was. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "unit/http/server_helper.h"

#define H "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

enum { BODY_BYTES = 1 << 20, REQUESTS = 24 };

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

/* POST /echo with a body of 1 MiB that differs by `seed`. */
static void make_request(struct buffer *b, int seed)
{
	buffer_printf(b, "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", BODY_BYTES);
	for (int i = 0; i < BODY_BYTES; i++)
		buffer_append_byte(b, (char)('a' + (i + seed) % 25));
}

struct sender {
	int fd;
	struct buffer bytes;
};

static void *run_sender(void *argument)
{
	struct sender *sender = argument;
	client_send(sender->fd, buffer_slice(&sender->bytes));
	return NULL;
}

/* Many large replies are asked for before the first is read, so that writes end in the middle of everything; in
 * between, other connections use the memory where heads are made. */
static void test_replies_that_wait_are_not_mixed_up(void **state)
{
	(void)state;
	struct sender sender = {.fd = client_connect(&server)};
	pthread_t thread;
	int other = client_connect(&server);
	buffer_init(&sender.bytes, (size_t)REQUESTS * (BODY_BYTES + 1000));
	for (int i = 0; i < REQUESTS; i++)
		make_request(&sender.bytes, i);
	assert_int_equal(pthread_create(&thread, NULL, run_sender, &sender), 0);
	wait_for(&server.heads, 2);
	for (int i = 0; i < 50; i++)
		client_expect(other, GET("/who"), 200, NULL);
	for (int i = 0; i < REQUESTS; i++) {
		struct reply reply;
		assert_true(client_receive(sender.fd, false, &reply));
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body.len, BODY_BYTES);
		for (int k = 0; k < BODY_BYTES; k++) {
			if (reply.body.ptr_or_null[k] != (char)('a' + (k + i) % 25))
				fail_msg("byte %d of reply %d", k, i);
		}
		reply_free(&reply);
		client_expect(other, GET("/hello"), 200, "hello");
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	client_expect(sender.fd, GET("/hello"), 200, "hello");
	buffer_deinit(&sender.bytes);
	close(sender.fd);
	close(other);
}

static void test_a_peer_that_reads_in_small_sips_gets_all(void **state)
{
	(void)state;
	const int small = 65536;
	char sip[100];
	size_t bytes = 0;
	int fd = client_connect(&server);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	client_send_text(fd, "GET /download-length?20000000 HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	for (ssize_t n = 0; (n = recv(fd, sip, sizeof(sip), 0)) > 0;)
		bytes += (size_t)n;
	assert_true(bytes > 20000000 && bytes < 20000000 + 1000);
	close(fd);
	wait_for(&server.done, 1);
	assert_int_equal(atomic_load(&server.last_sent_bytes), 20000000);
	assert_int_equal(atomic_load(&server.abandoned), 0);
}

static void test_what_is_queued_for_a_vanished_peer_is_freed(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct buffer request;
		int fd = client_connect(&server);
		buffer_init(&request, BODY_BYTES + 1000);
		make_request(&request, 0);
		for (int k = 0; k < 5; k++)
			client_send(fd, buffer_slice(&request));
		buffer_deinit(&request);
		const struct linger reset = {.l_onoff = 1};
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
		close(fd);
	}
	wait_for_connections(&server, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replies_that_wait_are_not_mixed_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_peer_that_reads_in_small_sips_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_queued_for_a_vanished_peer_is_freed, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
