/* Tests the text of reply heads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/reply.h"

struct row {
	struct http_reply reply;
	struct reply_frame frame;
	const char *before_date, *after_date;
};

static void test_heads_are_written_in_one_way(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{{.status = 200, .content_type = "text/plain"},
		 {REPLY_LENGTH, 5, REPLY_KEEP, "0123456789abcdef"},
		 "HTTP/1.1 200 OK\r\nDate: ",
		 "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Request-Id: 0123456789abcdef\r\n\r\n"},
		{{.status = 404},
		 {REPLY_LENGTH, 0, REPLY_CLOSE, "i"},
		 "HTTP/1.1 404 Not Found\r\nDate: ",
		 "\r\nContent-Length: 0\r\nConnection: close\r\nX-Request-Id: i\r\n\r\n"},
		{{.status = 200},
		 {REPLY_CHUNKED, -1, REPLY_KEEP_SAID, "i"},
		 "HTTP/1.1 200 OK\r\nDate: ",
		 "\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nX-Request-Id: i\r\n\r\n"},
		{{.status = 204},
		 {REPLY_NO_BODY, 0, REPLY_KEEP, "i"},
		 "HTTP/1.1 204 No Content\r\nDate: ",
		 "\r\nX-Request-Id: i\r\n\r\n"},
		{{.status = 299},
		 {REPLY_UNTIL_CLOSE, -1, REPLY_CLOSE, "i"},
		 "HTTP/1.1 299 Unnamed\r\nDate: ",
		 "\r\nConnection: close\r\nX-Request-Id: i\r\n\r\n"},
		{{.status = 507, .headers = {{{"A", 1}, {"b c", 3}}, {{"D", 1}, {"", 0}}}, .header_count = 2},
		 {REPLY_LENGTH, INT64_MAX, REPLY_KEEP, "i"},
		 "HTTP/1.1 507 Insufficient Storage\r\nDate: ",
		 "\r\nContent-Length: 9223372036854775807\r\nX-Request-Id: i\r\nA: b c\r\nD: \r\n\r\n"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct buffer out;
		struct reply_date date = {0};
		buffer_init(&out, REPLY_HEAD_BYTES_MAX);
		reply_head_append(&out, &rows[i].reply, &rows[i].frame, &date);
		buffer_append_byte(&out, '\0');
		size_t before = strlen(rows[i].before_date);
		assert_memory_equal(out.ptr_or_null, rows[i].before_date, before);
		assert_string_equal(out.ptr_or_null + before + 29, rows[i].after_date);
		buffer_deinit(&out);
	}
}

static void test_the_date_is_now_in_english(void **state)
{
	(void)state;
	struct buffer out;
	struct reply_date date = {0};
	const struct http_reply reply = {.status = 200};
	const struct reply_frame frame = {REPLY_LENGTH, 0, REPLY_KEEP, "i"};
	char day[4], month[4];
	int mday, year, hour, minute, second;
	buffer_init(&out, REPLY_HEAD_BYTES_MAX);
	reply_head_append(&out, &reply, &frame, &date);
	time_t now = time(NULL);
	assert_int_equal(sscanf(date.text, "%3[A-Z a-z], %d %3s %d %d:%d:%d GMT", day, &mday, month, &year, &hour,
				&minute, &second), 7);
	struct tm tm = {.tm_mday = mday, .tm_year = year - 1900, .tm_hour = hour, .tm_min = minute, .tm_sec = second};
	const char *months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strstr(months, month);
	assert_non_null(found);
	tm.tm_mon = (int)(found - months) / 3;
	time_t then = timegm(&tm);
	assert_true(then == now || then == now - 1);
	assert_memory_equal(&"SunMonTueWedThuFriSat"[3 * tm.tm_wday], day, 3);
	/* Within the second, the text is not made again. */
	struct reply_date kept = {.second = INT64_MAX, .text = "Thu, 01 Jan 1970 00:00:00 GMT"};
	buffer_reset(&out);
	reply_head_append(&out, &reply, &frame, &kept);
	assert_string_not_equal(kept.text, "Thu, 01 Jan 1970 00:00:00 GMT");
	buffer_deinit(&out);
}

static void test_a_head_that_is_too_large_fails_the_buffer(void **state)
{
	(void)state;
	static char value[REPLY_HEAD_BYTES_MAX];
	struct buffer out;
	struct reply_date date = {0};
	struct http_reply reply = {.status = 200};
	const struct reply_frame frame = {REPLY_LENGTH, 0, REPLY_KEEP, "i"};
	memset(value, 'v', sizeof(value));
	http_reply_header(&reply, SLICE("A"), slice_make(value, sizeof(value)));
	buffer_init(&out, REPLY_HEAD_BYTES_MAX);
	reply_head_append(&out, &reply, &frame, &date);
	assert_true(out.failed);
	buffer_deinit(&out);
}

static void test_statuses_know_whether_they_have_a_body(void **state)
{
	(void)state;
	assert_true(reply_status_has_body(200));
	assert_true(reply_status_has_body(404));
	assert_false(reply_status_has_body(204));
	assert_false(reply_status_has_body(304));
	assert_false(reply_status_has_body(100));
}

static void test_refusals_are_mlflow_errors(void **state)
{
	(void)state;
	const struct refusal refusals[] = {{431, ERR_HEADERS_TOO_LARGE, "Too \"much\"."},
					   {503, ERR_TEMPORARILY_UNAVAILABLE, "Later."}};
	struct http_reply reply;
	struct buffer body;
	buffer_init(&body, 1000);
	reply_refusal_make(&refusals[0], &reply, &body);
	assert_true(slice_eq_cstr(buffer_slice(&body),
				  "{\"error_code\":\"HEADERS_TOO_LARGE\",\"message\":\"Too \\\"much\\\".\"}"));
	assert_int_equal(reply.status, 431);
	assert_int_equal(reply.header_count, 0);
	assert_true(reply.close);
	buffer_reset(&body);
	reply_refusal_make(&refusals[1], &reply, &body);
	assert_int_equal(reply.header_count, 1);
	assert_true(slice_eq_cstr(reply.headers[0].name, "Retry-After"));
	buffer_deinit(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads_are_written_in_one_way),
		cmocka_unit_test(test_the_date_is_now_in_english),
		cmocka_unit_test(test_a_head_that_is_too_large_fails_the_buffer),
		cmocka_unit_test(test_statuses_know_whether_they_have_a_body),
		cmocka_unit_test(test_refusals_are_mlflow_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
