/* Lists of topics, and who follows them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/live_topic.h"

static const struct {
	const char *text;
	const char *topics[4]; /* as live_topic_append writes them; NULL-terminated; none: refused */
} rows[] = {
	{"run:4be1", {"run:4be1"}},
	{"run:a,experiment:3,model:taxi", {"run:a", "experiment:3", "model:taxi"}},
	{"model:*,deployment:*", {"model:*", "deployment:*"}},
	{"model:a%2Cb%25", {"model:a,b%"}},
	{"model:a:b", {"model:a:b"}},
	{"model:M\xc3\xbcnchen", {"model:M\xc3\xbcnchen"}},
	{"experiment:0", {"experiment:0"}},
	{"experiment:-07", {"experiment:-7"}},
	{"experiment:*", {"experiment:*"}},
	{"", {NULL}},
	{"run", {NULL}},
	{"run:", {NULL}},
	{":a", {NULL}},
	{"Run:a", {NULL}},
	{"run:a,", {NULL}},
	{"run:a,,run:b", {NULL}},
	{"experiment:x", {NULL}},
	{"experiment:9223372036854775808", {NULL}},
	{"model:%zz", {NULL}},
	{"model:%00", {NULL}},
};

static void test_topics_are_read_as_the_rows_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct arena arena;
		struct live_topic_list list = {0};
		struct error err;
		size_t count = 0;
		arena_init(&arena, 64 * 1024);
		bool ok = live_topics_parse(slice_from_cstr(rows[i].text), &arena, &list, &err);
		assert_int_equal(ok, rows[i].topics[0] != NULL);
		if (!ok)
			assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
		for (; rows[i].topics[count] != NULL; count++) {
			struct buffer text;
			assert_true(count < list.count);
			buffer_init(&text, 100);
			live_topic_append(&text, &list.items[count]);
			assert_true(slice_eq_cstr(buffer_slice(&text), rows[i].topics[count]));
			buffer_deinit(&text);
		}
		assert_int_equal(list.count, count);
		arena_deinit(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics_are_read_as_the_rows_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
