/* The client with its thread: every request ends exactly once. What arrives at receivers, tests/e2e/run_webhooks.py
 * shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "outgoing/http_client.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

enum { DEADLINE_S = 30 };

struct fixture {
	struct http_client *client;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned done; /* under mutex */
	int listener;  /* accepts, as the kernel does, and never answers */
	char url[64];
};

struct request {
	struct outgoing outgoing;
	unsigned done_count;
};

static void done(void *owner, void *item)
{
	struct fixture *f = owner;
	struct request *r = item;
	pthread_mutex_lock(&f->mutex);
	r->done_count++;
	f->done++;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->mutex);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	struct error err;
	assert_non_null(f);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f->listener, 1000), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/",
		       (unsigned)ntohs(address.sin_port));
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->changed, NULL);
	assert_true(http_client_open("test", &f->client, &err));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	http_client_close(f->client);
	close(f->listener);
	pthread_mutex_destroy(&f->mutex);
	pthread_cond_destroy(&f->changed);
	free(f);
	return 0;
}

static void submit(struct fixture *f, struct request *r, const char *url, int64_t timeout_ms)
{
	memset(r, 0, sizeof(*r));
	r->outgoing.url = url;
	r->outgoing.schemes = "http";
	r->outgoing.body = SLICE("{}");
	r->outgoing.connect_timeout_ms = timeout_ms;
	r->outgoing.timeout_ms = timeout_ms;
	r->outgoing.allows_private_addresses = true;
	r->outgoing.done_cb = done;
	r->outgoing.owner = f;
	r->outgoing.item = r;
	http_client_submit(f->client, &r->outgoing);
}

static void wait_done(struct fixture *f, unsigned count)
{
	struct timespec deadline;
	int rc = 0;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_S;
	pthread_mutex_lock(&f->mutex);
	while (f->done < count && rc == 0)
		rc = pthread_cond_timedwait(&f->changed, &f->mutex, &deadline);
	assert_int_equal(f->done, count);
	pthread_mutex_unlock(&f->mutex);
}

static void more_than_fit_at_once_end_once_each(void **state)
{
	enum { COUNT = 3 * HTTP_CLIENT_UNDER_WAY_MAX };
	static struct request requests[COUNT];
	struct fixture *f = *state;
	for (int i = 0; i < COUNT; i++)
		submit(f, &requests[i], f->url, 100);
	wait_done(f, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(requests[i].done_count, 1);
		assert_int_equal(requests[i].outgoing.outcome, OUTGOING_FAILED);
		assert_int_equal(requests[i].outgoing.status, 0);
		assert_true(requests[i].outgoing.error[0] != '\0');
	}
}

static void stopping_cancels_what_is_under_way_and_what_waits(void **state)
{
	enum { COUNT = 2 * HTTP_CLIENT_UNDER_WAY_MAX };
	static struct request requests[COUNT], late;
	struct fixture *f = *state;
	for (int i = 0; i < COUNT; i++)
		submit(f, &requests[i], f->url, 1000 * 1000);
	http_client_stop(f->client);
	wait_done(f, COUNT);
	submit(f, &late, f->url, 1000 * 1000);
	wait_done(f, COUNT + 1);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(requests[i].done_count, 1);
		assert_int_equal(requests[i].outgoing.outcome, OUTGOING_CANCELLED);
	}
	assert_int_equal(late.outgoing.outcome, OUTGOING_CANCELLED);
}

static void closing_ends_what_is_under_way(void **state)
{
	static struct request request;
	struct fixture *f = *state;
	submit(f, &request, f->url, 1000 * 1000);
	http_client_close(f->client);
	f->client = NULL;
	assert_int_equal(request.done_count, 1);
	assert_int_equal(request.outgoing.outcome, OUTGOING_CANCELLED);
}

static void what_is_no_url_of_an_allowed_scheme_fails(void **state)
{
	static const char *const urls[] = {
		"file:///etc/passwd", "https://127.0.0.1:1/", "", "::", "http://",
		"gopher://127.0.0.1/"};
	static struct request requests[ARRAY_COUNT(urls)];
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(urls); i++)
		submit(f, &requests[i], urls[i], 1000);
	wait_done(f, ARRAY_COUNT(urls));
	for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
		assert_int_equal(requests[i].outgoing.outcome, OUTGOING_FAILED);
		assert_int_equal(requests[i].outgoing.answer_bytes, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(more_than_fit_at_once_end_once_each),
		TEST(stopping_cancels_what_is_under_way_and_what_waits),
		TEST(closing_ends_what_is_under_way),
		TEST(what_is_no_url_of_an_allowed_scheme_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
