/* Tests looking up and adding headers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/http_message.h"

static void test_the_first_header_of_a_name_is_found_in_any_case(void **state)
{
	(void)state;
	const struct http_header headers[] = {{SLICE("A"), SLICE("1")}, {SLICE("b-C"), SLICE("2")},
					      {SLICE("B-c"), SLICE("3")}, {SLICE("D"), SLICE("")}};
	const struct http_request request = {.headers = headers, .header_count = 4};
	assert_true(slice_eq_cstr(http_request_header(&request, "B-C"), "2"));
	assert_true(slice_is_present(http_request_header(&request, "d")));
	assert_false(slice_is_present(http_request_header(&request, "b")));
	assert_false(slice_is_present(http_request_header(&request, "")));
}

/* Does adding this header abort? Tried in a child, which is ours to lose. */
static bool aborts(struct http_reply *reply, struct slice name, struct slice value)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		(void)signal(SIGABRT, SIG_DFL);
		http_reply_header(reply, name, value);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void test_methods_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(http_method_name(HTTP_GET), "GET");
	assert_string_equal(http_method_name(HTTP_OPTIONS), "OPTIONS");
	assert_string_equal(http_method_name(HTTP_OTHER), "OTHER");
}

static void test_a_header_cannot_carry_control_characters(void **state)
{
	(void)state;
	struct http_reply reply = {.status = 200};
	assert_false(aborts(&reply, SLICE("A"), SLICE("plain \xc3\xbc")));
	assert_false(aborts(&reply, SLICE("A"), SLICE("")));
	assert_true(aborts(&reply, SLICE("A"), SLICE("b\r\nSet-Cookie: c")));
	assert_true(aborts(&reply, SLICE("A"), SLICE("b\0c")));
	assert_true(aborts(&reply, SLICE("A"), SLICE("b\x7f")));
	assert_true(aborts(&reply, SLICE("A\n"), SLICE("b")));
	assert_true(aborts(&reply, SLICE(""), SLICE("b")));
}

static void test_a_reply_has_room_for_16_headers(void **state)
{
	(void)state;
	struct http_reply reply = {.status = 200};
	for (int i = 0; i < HTTP_REPLY_HEADERS_MAX; i++)
		http_reply_header(&reply, SLICE("A"), SLICE("b"));
	assert_int_equal(reply.header_count, HTTP_REPLY_HEADERS_MAX);
	assert_true(aborts(&reply, SLICE("A"), SLICE("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_header_of_a_name_is_found_in_any_case),
		cmocka_unit_test(test_methods_have_their_names),
		cmocka_unit_test(test_a_header_cannot_carry_control_characters),
		cmocka_unit_test(test_a_reply_has_room_for_16_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
