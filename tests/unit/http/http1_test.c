/* Tests what the parser library makes of whole heads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/http1.h"

struct row {
	const char *head;
	const char *fields_or_null; /* "name=value;…"; NULL: refused */
	const char *target;
	unsigned version_minor;
	bool keep_alive;
	bool chunked;
	int64_t content_length;
};

static const struct row rows[] = {
	{"GET / HTTP/1.1\r\n\r\n", "", "/", 1, true, false, -1},
	{"GET /a?b HTTP/1.0\r\n\r\n", "", "/a?b", 0, false, false, -1},
	{"GET http://a/b HTTP/1.1\r\nA: b\r\n\r\n", "A=b;", "http://a/b", 1, true, false, -1},
	{"GET / HTTP/1.1\r\nA:  b \t\r\nC:\r\nD:d\r\n\r\n", "A=b;C=;D=d;", "/", 1, true, false, -1},
	{"GET / HTTP/1.1\r\nA:\r\nB:\r\n\r\n", "A=;B=;", "/", 1, true, false, -1},
	{"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\n", "Content-Length=7;", "/", 1, true, false, 7},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding=chunked;", "/", 1, true, true, -1},
	{"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection=close;", "/", 1, false, false, -1},
	{"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "Connection=upgrade;Upgrade=x;", "/", 1, true, false, -1},
	{"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n",
	 "Connection=upgrade;Upgrade=x;Content-Length=1;", "/", 1, true, false, 1},
	{"GET / HTTP/1.1\r\nA: b\r\n", NULL, NULL, 0, false, false, 0},
	{"GET /", NULL, NULL, 0, false, false, 0},
	{"", NULL, NULL, 0, false, false, 0},
	{"\x01\r\n\r\n", NULL, NULL, 0, false, false, 0},
};

static void add_field(void *ctx, struct slice name, struct slice value)
{
	buffer_printf(ctx, "%.*s=%.*s;", SLICE_FMT(name), SLICE_FMT(value));
	assert_true(slice_is_present(value));
}

static void test_each_head_is_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct http1_head head;
		struct buffer fields;
		buffer_init(&fields, 1000);
		bool ok = http1_split(slice_from_cstr(row->head), &head, add_field, &fields);
		if (ok != (row->fields_or_null != NULL))
			fail_msg("row %zu: %d", i, (int)ok);
		if (ok) {
			buffer_append_byte(&fields, '\0');
			assert_string_equal(fields.ptr_or_null, row->fields_or_null);
			assert_true(slice_eq_cstr(head.target, row->target));
			assert_int_equal(head.version_minor, row->version_minor);
			assert_int_equal(head.keep_alive, row->keep_alive);
			assert_int_equal(head.chunked, row->chunked);
			assert_int_equal(head.content_length, row->content_length);
		}
		buffer_deinit(&fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_head_is_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
