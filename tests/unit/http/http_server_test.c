/* Tests opening, limiting and closing the server. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/connection.h"
#include "unit/http/server_helper.h"

#define H "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" H "\r\n"

static struct test_server server;

static void ignore_head(struct http_exchange *x, void *ctx)
{
	(void)x;
	(void)ctx;
}

/* Opens on a loop of its own; "" when that worked. */
static void open_on(const char *host, unsigned port, char message[ERROR_MESSAGE_BYTES_MAX])
{
	const struct http_server_options options = {.host = host,
						    .port = port,
						    .connections_max = 1,
						    .head_timeout_ms = 1,
						    .body_timeout_ms = 1,
						    .idle_timeout_ms = 1,
						    .head_cb = ignore_head};
	struct http_server *http = NULL;
	struct error err = {0};
	uv_loop_t loop;
	assert_int_equal(uv_loop_init(&loop), 0);
	if (http_server_open(&loop, &options, &http, &err)) {
		assert_true(http_server_port(http) > 0);
		http_server_close_on_loop(http, 0, NULL, NULL);
	} else {
		assert_null(http);
	}
	memcpy(message, err.message, ERROR_MESSAGE_BYTES_MAX);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_addresses_are_numeric_or_localhost(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		unsigned port;
		const char *message;
	} rows[] = {
		{"127.0.0.1", 0, ""},
		{"localhost", 0, ""},
		{"0.0.0.0", 0, ""},
		{"example", 0, "'example' is not a numeric IPv4 or IPv6 address or 'localhost'"},
		{"", 0, "'' is not a numeric IPv4 or IPv6 address or 'localhost'"},
		{"127.0.0.1", 65536, "65536 is not a port (0 to 65535)"},
		{"192.0.2.1", 0, "192.0.2.1 is not an address of this machine"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char message[ERROR_MESSAGE_BYTES_MAX];
		open_on(rows[i].host, rows[i].port, message);
		assert_string_equal(message, rows[i].message);
	}
}

static void test_a_busy_port_is_named(void **state)
{
	(void)state;
	char message[ERROR_MESSAGE_BYTES_MAX], expected[100];
	test_server_start(&server, (struct http_server_options){0});
	open_on("127.0.0.1", server.port, message);
	snprintf(expected, sizeof(expected), "port %u on 127.0.0.1 is already in use", server.port);
	assert_string_equal(message, expected);
	test_server_stop(&server);
}

static void test_connections_beyond_the_maximum_get_503(void **state)
{
	(void)state;
	struct reply reply;
	int kept[3];
	test_server_start(&server, (struct http_server_options){.connections_max = 3});
	for (int i = 0; i < 3; i++) {
		kept[i] = client_connect(&server);
		client_expect(kept[i], GET("/hello"), 200, "hello");
	}
	int fd = client_connect(&server);
	client_send_text(fd, GET("/hello"));
	assert_true(client_receive(fd, false, &reply));
	assert_int_equal(reply.status, 503);
	assert_false(reply.keep_alive);
	assert_non_null(strstr(reply.head, "Retry-After: 1\r\n"));
	assert_true(slice_contains(buffer_slice(&reply.body), SLICE("TEMPORARILY_UNAVAILABLE")));
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	wait_for_connections(&server, 3);
	for (int i = 0; i < 3; i++) {
		client_expect(kept[i], GET("/hello"), 200, "hello");
		close(kept[i]);
	}
	wait_for_connections(&server, 0);
	fd = client_connect(&server);
	client_expect(fd, GET("/hello"), 200, "hello");
	close(fd);
	test_server_stop(&server);
}

static void test_a_flood_of_connections_is_reset(void **state)
{
	(void)state;
	enum { COUNT = CONNECTION_REFUSED_MAX + 20 };
	int fds[COUNT];
	test_server_start(&server, (struct http_server_options){.connections_max = 1});
	int first = client_connect(&server);
	client_expect(first, GET("/hello"), 200, "hello");
	for (int i = 0; i < COUNT; i++)
		fds[i] = client_connect(&server);
	wait_for_connections(&server, CONNECTION_REFUSED_MAX + 1);
	client_expect(first, GET("/hello"), 200, "hello");
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
	close(first);
	wait_for_connections(&server, 0);
	test_server_stop(&server);
}

static void test_closing_ends_idle_connections_at_once(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	int used = client_connect(&server), fresh = client_connect(&server);
	client_expect(used, GET("/hello"), 200, "hello");
	wait_for_connections(&server, 2);
	test_server_close(&server, 600000);
	assert_int_equal(client_wait_end(used), 1);
	assert_int_equal(client_wait_end(fresh), 1);
	test_server_join(&server); /* long before the grace is over */
	close(used);
	close(fresh);
}

static void test_closing_lets_busy_exchanges_finish(void **state)
{
	(void)state;
	struct reply reply;
	test_server_start(&server, (struct http_server_options){0});
	int fd = client_connect(&server), half = client_connect(&server);
	client_send_text(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nh");
	wait_for(&server.heads, 1);
	client_send_text(half, "GET /hello HT");
	wait_for_connections(&server, 2);
	test_server_close(&server, 600000);
	client_send_text(half, "TP/1.1\r\n" H "\r\n");
	assert_true(client_receive(half, false, &reply));
	assert_false(reply.keep_alive);
	reply_free(&reply);
	client_send_text(fd, "i");
	assert_true(client_receive(fd, false, &reply));
	assert_true(slice_eq_cstr(buffer_slice(&reply.body), "hi"));
	assert_false(reply.keep_alive);
	reply_free(&reply);
	assert_int_equal(client_wait_end(fd), 1);
	close(fd);
	close(half);
	test_server_join(&server);
	assert_true(atomic_load(&server.is_closed));
}

static void test_closing_cuts_what_is_left_after_the_grace(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	int fd = client_connect(&server);
	client_send_text(fd, GET("/hang"));
	wait_for(&server.heads, 1);
	test_server_close(&server, 50);
	assert_int_equal(client_wait_end(fd), -1);
	test_server_join(&server);
	assert_int_equal(atomic_load(&server.abandoned), 1);
	assert_int_equal(atomic_load(&server.done), 1);
	close(fd);
}

static bool can_connect(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)server.port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return connected;
}

static void test_closing_refuses_new_connections(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	int fd = client_connect(&server);
	client_send_text(fd, GET("/hang"));
	wait_for(&server.heads, 1);
	test_server_close(&server, 600000);
	time_t start = time(NULL);
	while (can_connect())
		assert_true(time(NULL) - start < 10);
	const struct linger reset = {.l_onoff = 1};
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(fd);
	test_server_join(&server);
}

static void test_counts_tell_what_happened(void **state)
{
	(void)state;
	test_server_start(&server, (struct http_server_options){0});
	int fd = client_connect(&server);
	client_expect(fd, "NONSENSE\r\n", 400, NULL);
	wait_for_connections(&server, 1);
	assert_int_equal(atomic_load(&server.parse_errors), 1);
	close(fd);
	wait_for_connections(&server, 0);
	test_server_stop(&server);
}

/* For running tests/contract/strict_http.py against handlers of known behaviour: prints the port and serves
 * until standard input ends. */
static int serve(void)
{
	test_server_start(&server, (struct http_server_options){.head_timeout_ms = 1000,
								.body_timeout_ms = 1000});
	printf("%u\n", server.port);
	fflush(stdout);
	while (getchar() != EOF) {
	}
	test_server_stop(&server);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_numeric_or_localhost),
		cmocka_unit_test(test_a_busy_port_is_named),
		cmocka_unit_test(test_connections_beyond_the_maximum_get_503),
		cmocka_unit_test(test_a_flood_of_connections_is_reset),
		cmocka_unit_test(test_closing_ends_idle_connections_at_once),
		cmocka_unit_test(test_closing_lets_busy_exchanges_finish),
		cmocka_unit_test(test_closing_cuts_what_is_left_after_the_grace),
		cmocka_unit_test(test_closing_refuses_new_connections),
		cmocka_unit_test(test_counts_tell_what_happened),
	};
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
