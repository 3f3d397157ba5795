/* Tests the strict rules: each row is a byte stream, read whole, byte by byte, and cut at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/request_reader.h"
#include "limits.h"

#define H "Host: a\r\n"

struct row {
	const char *name;
	struct slice bytes;
	/* What comes out: "METHOD path?query[header count]{body}" per request, then "!status" for a refusal, "~" when
	 * the last request is not complete. */
	const char *story;
};

#define ROW(name, text, story) {name, {text, sizeof(text) - 1}, story}

// clang-format off
static const struct row rows[] = {
	ROW("get", "GET / HTTP/1.1\r\n" H "\r\n", "GET /?[1]{}"),
	ROW("two pipelined", "GET /a HTTP/1.1\r\n" H "\r\nGET /b?c=d HTTP/1.1\r\n" H "\r\n", "GET /a?[1]{}GET /b?c=d[1]{}"),
	ROW("empty line before", "\r\nGET / HTTP/1.1\r\n" H "\r\n", "GET /?[1]{}"),
	ROW("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("body", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "POST /p?[2]{hello}"),
	ROW("body, then next", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" H "\r\n", "POST /p?[2]{hello}GET /?[1]{}"),
	ROW("body cut", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell", "POST /p?[2]{hell~"),
	ROW("length 0", "POST /p HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "POST /p?[2]{}"),
	ROW("length with zeros", "POST /p HTTP/1.1\r\n" H "Content-Length: 0003\r\n\r\nabc", "POST /p?[2]{abc}"),
	ROW("length in white space", "POST /p HTTP/1.1\r\n" H "Content-Length:   3  \r\n\r\nabc", "POST /p?[2]{abc}"),
	ROW("body on get", "GET /p HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "GET /p?[2]{abc}"),
	ROW("body on delete", "DELETE /p HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "DELETE /p?[2]{abc}"),
	ROW("body on patch", "PATCH /p HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "PATCH /p?[2]{abc}"),
	ROW("chunked", "PUT /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "PUT /p?[2]{abc}"),
	ROW("chunked, then next", "PUT /p HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "PUT /p?[2]{abc}GET /?[1]{}"),
	ROW("chunk size wrong", "PUT /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", "PUT /p?[2]{abc!400"),
	ROW("chunk overflow", "PUT /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nabc", "PUT /p?[2]{!400"),
	ROW("chunk bare lf", "PUT /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", "PUT /p?[2]{!400"),

	ROW("length and chunked", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("chunked and length", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "!400"),
	ROW("two lengths", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "!400"),
	ROW("two equal lengths", "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "!400"),
	ROW("length list", "POST /p HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello", "!400"),
	ROW("length empty", "POST /p HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "!400"),
	ROW("length negative", "POST /p HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", "!400"),
	ROW("length with sign", "POST /p HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na", "!400"),
	ROW("length hexadecimal", "POST /p HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", "!400"),
	ROW("length with space inside", "POST /p HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\nhello", "!400"),
	ROW("length 2^63-1", "POST /p HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\nx", "POST /p?[2]{x~"),
	ROW("length 2^63", "POST /p HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\nx", "!400"),
	ROW("length 2^64", "POST /p HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\nx", "!400"),
	ROW("length 2^64+5", "POST /p HTTP/1.1\r\n" H "Content-Length: 18446744073709551621\r\n\r\nhello", "!400"),
	ROW("encoding gzip", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", "!400"),
	ROW("encoding gzip, chunked", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding chunked, chunked", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding chunked, identity", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding identity", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", "!400"),
	ROW("encoding with prefix", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding with vertical tab", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding quoted", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding empty", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", "!400"),
	ROW("two encodings", "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"),
	ROW("encoding on 1.0", "POST /p HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!400"),

	ROW("no host", "GET / HTTP/1.1\r\n\r\n", "!400"),
	ROW("no host on 1.0", "GET / HTTP/1.0\r\n\r\n", "GET /?[0]{}"),
	ROW("two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", "!400"),
	ROW("two hosts on 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", "!400"),
	ROW("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "!400"),
	ROW("host with port", "GET / HTTP/1.1\r\nHost: a.b-c:5000\r\n\r\n", "GET /?[1]{}"),
	ROW("host ipv6", "GET / HTTP/1.1\r\nhost: [::1]:5000\r\n\r\n", "GET /?[1]{}"),
	ROW("host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "!400"),
	ROW("host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!400"),
	ROW("host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "!400"),
	ROW("host with high byte", "GET / HTTP/1.1\r\nHost: \xc3\xbc\r\n\r\n", "!400"),

	ROW("space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "!400"),
	ROW("folded line", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", "!400"),
	ROW("space before first header", "GET / HTTP/1.1\r\n " H "\r\n", "!400"),
	ROW("header name with bracket", "GET / HTTP/1.1\r\n" H "A[b]: c\r\n\r\n", "!400"),
	ROW("header without colon", "GET / HTTP/1.1\r\n" H "A\r\n\r\n", "!400"),
	ROW("nul in value", "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n", "!400"),
	ROW("control in value", "GET / HTTP/1.1\r\n" H "A: b\x02""c\r\n\r\n", "!400"),
	ROW("utf-8 in value", "GET / HTTP/1.1\r\n" H "A: \xc3\xbc\r\n\r\n", "GET /?[2]{}"),
	ROW("bare lf after line", "GET / HTTP/1.1\n" H "\r\n", "!400"),
	ROW("bare lf after header", "GET / HTTP/1.1\r\nHost: a\n\r\n", "!400"),
	ROW("bare lf at end", "GET / HTTP/1.1\r\n" H "\n", "!400"),
	ROW("bare cr in value", "GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n", "!400"),

	ROW("absolute form", "GET http://a.b:80/p?q HTTP/1.1\r\n" H "\r\n", "GET /p?q[1]{}"),
	ROW("absolute form, upper case", "GET HTTP://a/p HTTP/1.1\r\n" H "\r\n", "GET /p?[1]{}"),
	ROW("absolute form without path", "GET http://a HTTP/1.1\r\n" H "\r\n", "GET /?[1]{}"),
	ROW("absolute form, query only", "GET http://a?q=1 HTTP/1.1\r\n" H "\r\n", "GET /?q=1[1]{}"),
	ROW("absolute form with user", "GET http://u@a/ HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("absolute form without host", "GET http:///p HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("https", "GET https://a/ HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("authority form", "GET a:80 HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("relative target", "GET p HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("star on options", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS /?[1]{}"),
	ROW("star on get", "GET * HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("fragment", "GET /p#f HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("slashes collapse", "GET ///a//b HTTP/1.1\r\n" H "\r\n", "GET /a//b?[1]{}"),
	ROW("escapes stay", "GET /a%2Fb%00?x=%zz HTTP/1.1\r\n" H "\r\n", "GET /a%2Fb%00?x=%zz[1]{}"),
	ROW("odd visible bytes", "GET /\"<>\\^`{|} HTTP/1.1\r\n" H "\r\n", "GET /\"<>\\^`{|}?[1]{}"),
	ROW("high byte in target", "GET /\xc3\xbc HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("control in target", "GET /\x01 HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("delete in target", "GET /\x7f HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("tab in request line", "GET\t/ HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("space at end of line", "GET / HTTP/1.1 \r\n" H "\r\n", "!400"),
	ROW("space in target", "GET /a b HTTP/1.1\r\n" H "\r\n", "!400"),

	ROW("unknown method", "BREW /pot HTTP/1.1\r\n" H "\r\n", "!501"),
	ROW("connect", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", "!501"),
	ROW("trace", "TRACE / HTTP/1.1\r\n" H "\r\n", "!501"),
	ROW("lower case method", "get / HTTP/1.1\r\n" H "\r\n", "!501"),
	ROW("method no token", "G(T / HTTP/1.1\r\n" H "\r\n", "!400"),
	ROW("http/0.9", "GET /\r\n", "!400"),
	ROW("no version", "GET / \r\n", "!400"),
	ROW("http/1.2", "GET / HTTP/1.2\r\n" H "\r\n", "!505"),
	ROW("http/2.0", "GET / HTTP/2.0\r\n" H "\r\n", "!505"),
	ROW("http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!505"),
	ROW("http/1", "GET / HTTP/1\r\n" H "\r\n", "!400"),
	ROW("http/1.10", "GET / HTTP/1.10\r\n" H "\r\n", "!400"),
	ROW("lower case version", "GET / http/1.1\r\n" H "\r\n", "!400"),
	ROW("other protocol", "GET / RTSP/1.0\r\n" H "\r\n", "!400"),
	ROW("tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "!400"),
	ROW("reply", "HTTP/1.1 200 OK\r\n\r\n", "!400"),

	ROW("upgrade is ignored", "GET /a HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /b HTTP/1.1\r\n" H "\r\n", "GET /a?[3]{}GET /b?[1]{}"),
	ROW("upgrade with body", "POST /a HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n" H "\r\n", "POST /a?[4]{hi}GET /b?[1]{}"),
	ROW("upgrade with chunks", "POST /a HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET /b HTTP/1.1\r\n" H "\r\n", "POST /a?[4]{hi}GET /b?[1]{}"),
	ROW("other expectation", "POST /a HTTP/1.1\r\n" H "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nhi", "!417"),
	ROW("two expectations", "POST /a HTTP/1.1\r\n" H "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", "!417"),
	ROW("expectation on 1.0", "POST /a HTTP/1.0\r\n" H "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nhi", "POST /a?[3]{hi}"),
	ROW("empty values", "GET / HTTP/1.1\r\n" H "A:\r\nB: \r\nC: c\r\n\r\n", "GET /?[4]{}"),
};
// clang-format on

static const char *method_name(enum http_method method)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};
	return names[method];
}

/* Reads the pieces and writes the story. */
static void tell(struct slice bytes, size_t step, size_t first_step, struct buffer *story)
{
	struct request_reader r;
	request_reader_init(&r);
	buffer_reset(story);
	bool in_request = false, broken = false;
	for (size_t at = 0; at < bytes.len && !broken;) {
		size_t len = at == 0 && first_step > 0 ? first_step : step;
		struct slice piece = slice_first(slice_from(bytes, at), len);
		at += piece.len;
		for (enum reader_event event = READER_HEAD; event != READER_MORE && !broken;) {
			struct slice data;
			event = request_reader_next(&r, &piece, &data);
			if (event == READER_HEAD) {
				in_request = true;
				buffer_printf(story, "%s %.*s?%.*s[%u]{", method_name(r.request.method),
					      SLICE_FMT(r.request.path), SLICE_FMT(r.request.query),
					      r.request.header_count);
			} else if (event == READER_DATA) {
				assert_true(data.len > 0);
				buffer_append(story, data);
			} else if (event == READER_END) {
				in_request = false;
				buffer_append_byte(story, '}');
				request_reader_restart(&r);
				if (piece.len == 0)
					break;
			} else if (event == READER_ERROR) {
				broken = true;
				assert_non_null(r.refusal.message);
				buffer_printf(story, "!%d", r.refusal.status);
			}
		}
	}
	/* A request without body that ends with the input. */
	struct slice none = {0}, data;
	if (in_request && !broken)
		buffer_append_byte(story, request_reader_next(&r, &none, &data) == READER_END ? '}' : '~');
	buffer_append_byte(story, '\0');
	assert_false(story->failed);
	request_reader_deinit(&r);
}

static void check_story(const struct row *row, size_t step, size_t first_step)
{
	struct buffer story;
	buffer_init(&story, 1000);
	tell(row->bytes, step, first_step, &story);
	bool same = strcmp(story.ptr_or_null, row->story) == 0;
	if (!same)
		print_error("'%s' in steps of %zu, first %zu: %s, not %s\n", row->name, step, first_step,
			    story.ptr_or_null, row->story);
	buffer_deinit(&story);
	assert_true(same);
}

static void test_each_row_tells_its_story(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check_story(&rows[i], rows[i].bytes.len, 0);
}

static void test_byte_by_byte_tells_the_same_story(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check_story(&rows[i], 1, 0);
}

static void test_cut_anywhere_tells_the_same_story(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		for (size_t cut = 1; cut < rows[i].bytes.len; cut++)
			check_story(&rows[i], rows[i].bytes.len, cut);
	}
}

/* A head of exactly `bytes` bytes. */
static int status_of_head_bytes(size_t bytes, size_t step)
{
	struct buffer b, story;
	buffer_init(&b, 40000);
	buffer_init(&story, 40000);
	buffer_append_cstr(&b, "GET / HTTP/1.1\r\n" H "A: ");
	while (b.len < bytes - 4)
		buffer_append_byte(&b, 'a');
	buffer_append_cstr(&b, "\r\n\r\n");
	tell(buffer_slice(&b), step, 0, &story);
	int status = 0;
	if (strcmp(story.ptr_or_null, "GET /?[2]{}") != 0)
		assert_int_equal(sscanf(story.ptr_or_null, "!%d", &status), 1);
	buffer_deinit(&b);
	buffer_deinit(&story);
	return status;
}

static void test_a_head_may_have_16_kib(void **state)
{
	(void)state;
	const size_t steps[] = {1, 7, 1000, 16384, 40000};
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		assert_int_equal(status_of_head_bytes(HTTP_HEAD_BYTES_MAX, steps[i]), 0);
		assert_int_equal(status_of_head_bytes(HTTP_HEAD_BYTES_MAX + 1, steps[i]), 431);
	}
}

static void test_an_endless_request_line_is_refused(void **state)
{
	(void)state;
	struct request_reader r;
	struct slice data;
	char text[HTTP_HEAD_BYTES_MAX];
	memset(text, 'A', sizeof(text));
	request_reader_init(&r);
	struct slice bytes = slice_make(text, sizeof(text) - 1);
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_MORE);
	bytes = SLICE("A");
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_ERROR);
	assert_int_equal(r.refusal.status, 431);
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_ERROR);
	request_reader_deinit(&r);
}

static int status_of_header_count(unsigned count)
{
	struct buffer b, story;
	char expected[40];
	buffer_init(&b, 10000);
	buffer_init(&story, 1000);
	buffer_append_cstr(&b, "GET / HTTP/1.1\r\n" H);
	for (unsigned i = 1; i < count; i++)
		buffer_append_cstr(&b, "A: b\r\n");
	buffer_append_cstr(&b, "\r\n");
	tell(buffer_slice(&b), 100, 0, &story);
	int status = 0;
	snprintf(expected, sizeof(expected), "GET /?[%u]{}", count);
	if (strcmp(story.ptr_or_null, expected) != 0)
		assert_int_equal(sscanf(story.ptr_or_null, "!%d", &status), 1);
	buffer_deinit(&b);
	buffer_deinit(&story);
	return status;
}

static void test_a_head_may_have_100_headers(void **state)
{
	(void)state;
	assert_int_equal(status_of_header_count(HTTP_HEADERS_MAX), 0);
	assert_int_equal(status_of_header_count(HTTP_HEADERS_MAX + 1), 431);
	assert_int_equal(status_of_header_count(1000), 431);
}

struct flag_row {
	const char *head;
	bool keep_alive;
	bool is_http10;
	bool expects_continue;
	bool has_body;
	int64_t content_length;
};

static void test_flags_follow_the_head(void **state)
{
	(void)state;
	static const struct flag_row flags[] = {
		{"GET / HTTP/1.1\r\n" H "\r\n", true, false, false, false, 0},
		{"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false, false, false, false, 0},
		{"GET / HTTP/1.1\r\n" H "Connection: foo, CLOSE\r\n\r\n", false, false, false, false, 0},
		{"GET / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: x\r\n\r\n", true, false, false, false, 0},
		{"GET / HTTP/1.0\r\n\r\n", false, true, false, false, 0},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, true, false, false, 0},
		{"POST / HTTP/1.1\r\n" H "Content-Length: 7\r\n\r\n", true, false, false, true, 7},
		{"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", true, false, false, false, 0},
		{"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", true, false, false, true, -1},
		{"POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 7\r\n\r\n", true, false, true, true, 7},
		{"POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", true, false, false, false, 0},
		{"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n", false, true, false, true, 7},
	};
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
		struct request_reader r;
		struct slice bytes = slice_from_cstr(flags[i].head), data;
		request_reader_init(&r);
		assert_int_equal(request_reader_next(&r, &bytes, &data), READER_HEAD);
		if (r.keep_alive != flags[i].keep_alive || r.is_http10 != flags[i].is_http10 ||
		    r.expects_continue != flags[i].expects_continue ||
		    r.request.has_body != flags[i].has_body ||
		    r.request.content_length != flags[i].content_length)
			fail_msg("row %zu", i);
		request_reader_deinit(&r);
	}
}

static void test_headers_are_told_without_white_space_around(void **state)
{
	(void)state;
	struct request_reader r;
	struct slice bytes = SLICE("GET / HTTP/1.1\r\nHOST:a\r\nX-One: \t b c\t \r\nx-two:\r\nX-One: d\r\n\r\n");
	struct slice data;
	request_reader_init(&r);
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_HEAD);
	assert_int_equal(r.request.header_count, 4);
	assert_true(slice_eq_cstr(r.request.headers[1].name, "X-One"));
	assert_true(slice_eq_cstr(r.request.headers[1].value, "b c"));
	assert_true(slice_eq_cstr(r.request.headers[2].name, "x-two"));
	assert_int_equal(r.request.headers[2].value.len, 0);
	assert_true(slice_is_present(r.request.headers[2].value));
	assert_true(slice_eq_cstr(http_request_header(&r.request, "host"), "a"));
	assert_true(slice_eq_cstr(http_request_header(&r.request, "x-ONE"), "b c"));
	assert_false(slice_is_present(http_request_header(&r.request, "X-Three")));
	request_reader_deinit(&r);
}

static void test_an_idle_reader_keeps_little_memory(void **state)
{
	(void)state;
	struct request_reader r;
	struct buffer b;
	struct slice data;
	buffer_init(&b, 40000);
	buffer_append_cstr(&b, "GET / HTTP/1.1\r\n" H "A: ");
	while (b.len < 15000)
		buffer_append_byte(&b, 'a');
	buffer_append_cstr(&b, "\r\n\r\n");
	request_reader_init(&r);
	struct slice bytes = buffer_slice(&b);
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_HEAD);
	request_reader_restart(&r);
	assert_true(r.memory.capacity <= 1024);
	bytes = SLICE("GET /again HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(request_reader_next(&r, &bytes, &data), READER_HEAD);
	assert_true(slice_eq_cstr(r.request.path, "/again"));
	request_reader_deinit(&r);
	buffer_deinit(&b);
}

static void test_a_trimmed_request_keeps_path_and_origin(void **state)
{
	(void)state;
	static const struct {
		const char *head, *path, *origin_or_null;
	} requests[] = {
		{"GET /a?b=c HTTP/1.1\r\n" H "Origin: http://x\r\nAccept: text/event-stream\r\n\r\n", "/a", "http://x"},
		{"GET /a%20long/path/and/no/origin HTTP/1.1\r\n" H "\r\n", "/a%20long/path/and/no/origin", NULL},
		{"OPTIONS * HTTP/1.1\r\n" H "Origin:\r\n\r\n", "/", ""},
	};
	struct request_reader r;
	request_reader_init(&r);
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		struct slice bytes = slice_from_cstr(requests[i].head), data;
		assert_int_equal(request_reader_next(&r, &bytes, &data), READER_HEAD);
		for (int again = 0; again < 2; again++) {
			request_reader_trim(&r);
			struct slice origin = http_request_header(&r.request, "Origin");
			assert_true(slice_eq_cstr(r.request.path, requests[i].path));
			assert_int_equal(r.request.query.len, 0);
			assert_int_equal(slice_is_present(origin), requests[i].origin_or_null != NULL);
			assert_true(slice_eq_cstr(origin, requests[i].origin_or_null != NULL ? requests[i].origin_or_null : ""));
			assert_false(slice_is_present(http_request_header(&r.request, "Host")));
			assert_in_range(r.memory.capacity, 1, strlen(requests[i].head) + sizeof(struct http_header));
		}
		assert_int_equal(request_reader_next(&r, &bytes, &data), READER_END);
		request_reader_restart(&r);
	}
	request_reader_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_tells_its_story),
		cmocka_unit_test(test_byte_by_byte_tells_the_same_story),
		cmocka_unit_test(test_cut_anywhere_tells_the_same_story),
		cmocka_unit_test(test_a_head_may_have_16_kib),
		cmocka_unit_test(test_an_endless_request_line_is_refused),
		cmocka_unit_test(test_a_head_may_have_100_headers),
		cmocka_unit_test(test_flags_follow_the_head),
		cmocka_unit_test(test_headers_are_told_without_white_space_around),
		cmocka_unit_test(test_an_idle_reader_keeps_little_memory),
		cmocka_unit_test(test_a_trimmed_request_keeps_path_and_origin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
