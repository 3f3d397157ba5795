#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fake_server_helper.h"
#include "src/transport.h"

static struct transport *open_to(const char *url, int64_t request_timeout_ms)
{
	struct transport *t;
	struct error err;
	const struct transport_options options = {url, 2000, request_timeout_ms};
	if (!transport_open(&options, &t, &err))
		fail_msg("%s", err.message);
	return t;
}

static void test_only_http_addresses_are_taken(void **state)
{
	(void)state;
	static const char *const rows[] = {"",	       "ftp://x",	 "http://",
					   "https://", "127.0.0.1:5000", "file:///etc/passwd"};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct transport *t;
		struct error err;
		const struct transport_options options = {rows[i], 1000, 1000};
		assert_false(transport_open(&options, &t, &err));
		assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	}
}

static void test_failures_do_not_show_the_password(void **state)
{
	(void)state;
	struct transport_reply reply;
	struct error err;
	/* Port 1 refuses. */
	struct transport *t = open_to("http://me:secret@127.0.0.1:1/", 1000);
	const struct transport_call call = {.method = "GET", .path = "/x"};
	assert_false(transport_perform(t, &call, &reply, &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	assert_null(strstr(err.message, "secret"));
	assert_non_null(strstr(err.message, "http://127.0.0.1:1"));
	transport_close(t);
}

static void test_statuses_and_retry_after_come_back(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct fake_server *s = fake_server_start(w, 0);
	char url[100];
	snprintf(url, sizeof url, "%s///", s->url);
	struct transport *t = open_to(url, 5000);
	struct transport_reply reply;
	struct error err;
	const struct transport_call call = {.method = "GET",
					    .path = "/api/2.0/mlflow/runs/get?run_id=x"};
	world_add_fault(w, FAULT_STATUS, 503, 7);
	world_add_fault(w, FAULT_STATUS, 429, 100000);
	assert_true(transport_perform(t, &call, &reply, &err));
	assert_int_equal(reply.status, 503);
	assert_int_equal(reply.retry_after_ms, 7000);
	buffer_deinit(&reply.body);
	assert_true(transport_perform(t, &call, &reply, &err));
	assert_int_equal(reply.retry_after_ms, 300000);
	buffer_deinit(&reply.body);
	assert_true(transport_perform(t, &call, &reply, &err));
	assert_int_equal(reply.status, 404);
	assert_int_equal(reply.retry_after_ms, -1);
	buffer_deinit(&reply.body);
	world_add_fault(w, FAULT_DROP_BEFORE, 0, 0);
	world_add_fault(w, FAULT_DROP_BEFORE, 0, 0);
	assert_false(transport_perform(t, &call, &reply, &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	transport_close(t);
	fake_server_stop(s);
	world_free(w);
}

static void *cancel_later(void *context)
{
	void **both = context;
	world_wait_requests(both[1], "runs/get", 1);
	transport_cancel(both[0]);
	return NULL;
}

static void test_another_thread_can_break_off(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct fake_server *s = fake_server_start(w, 0);
	struct transport *t = open_to(s->url, 60000);
	struct transport_reply reply;
	struct error err;
	pthread_t thread;
	const struct transport_call call = {.method = "GET",
					    .path = "/api/2.0/mlflow/runs/get?run_id=x"};
	void *both[2] = {t, w};
	world_add_fault(w, FAULT_HOLD, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, cancel_later, both), 0);
	assert_false(transport_perform(t, &call, &reply, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_false(transport_perform(t, &call, &reply, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
	pthread_join(thread, NULL);
	transport_close(t);
	fake_server_stop(s);
	world_free(w);
}

static void test_a_silent_server_is_given_up_on(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct fake_server *s = fake_server_start(w, 0);
	struct transport *t = open_to(s->url, 100);
	struct transport_reply reply;
	struct error err;
	const struct transport_call call = {.method = "GET",
					    .path = "/api/2.0/mlflow/runs/get?run_id=x"};
	world_add_fault(w, FAULT_HOLD, 0, 0);
	assert_false(transport_perform(t, &call, &reply, &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	transport_close(t);
	fake_server_stop(s);
	world_free(w);
}

static void test_paths_and_values_are_encoded(void **state)
{
	(void)state;
	struct buffer out;
	buffer_init(&out, 1000);
	transport_encode_path(SLICE("a b/\xc3\xa4?#%&+.txt"), &out);
	assert_true(slice_eq_cstr(buffer_slice(&out), "a%20b/%C3%A4%3F%23%25%26%2B.txt"));
	buffer_reset(&out);
	transport_encode_value(SLICE("a/b&c=d"), &out);
	assert_true(slice_eq_cstr(buffer_slice(&out), "a%2Fb%26c%3Dd"));
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_http_addresses_are_taken),
		cmocka_unit_test(test_failures_do_not_show_the_password),
		cmocka_unit_test(test_statuses_and_retry_after_come_back),
		cmocka_unit_test(test_another_thread_can_break_off),
		cmocka_unit_test(test_a_silent_server_is_given_up_on),
		cmocka_unit_test(test_paths_and_values_are_encoded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
