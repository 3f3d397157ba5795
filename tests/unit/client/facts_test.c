#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "src/facts.h"
#include "src/record.h"

static void test_command_lines_are_quoted_for_a_shell(void **state)
{
	(void)state;
	static const struct {
		struct slice arguments;
		const char *command;
	} rows[] = {
		{{"train\0--alpha=0.3\0", 18}, "train --alpha=0.3"},
		{{"a b\0c'd\0", 8}, "'a b' 'c'\\''d'"},
		{{"x\0\0y\0", 5}, "x '' y"},
		{{"$(rm)\0", 6}, "'$(rm)'"},
		{{"cut", 3}, "cut"},
		{{"", 0}, "''"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buffer out;
		buffer_init(&out, 1000);
		facts_quote_command(rows[i].arguments, &out);
		if (!slice_eq_cstr(buffer_slice(&out), rows[i].command))
			fail_msg("row %zu: %.*s", i, SLICE_FMT(buffer_slice(&out)));
		buffer_deinit(&out);
	}
}

static bool has_tag(const struct facts *facts, const char *key, struct record_pair *out)
{
	struct slice tags = buffer_slice(&facts->tags);
	while (record_next_pair(&tags, out)) {
		if (slice_eq_cstr(out->key, key))
			return true;
	}
	return false;
}

static void test_the_callers_tags_come_first_and_win(void **state)
{
	(void)state;
	static const struct trk_pair given[] = {{"trk.host", "hidden"}, {"own", "1"}};
	const struct settings settings = {
		.tags = given,
		.tags_count = 2,
		.parent_run_id_or_null = "0123456789abcdef0123456789abcdef",
		.without_command = true,
	};
	struct facts facts;
	struct error err;
	struct record_pair pair;
	assert_true(facts_gather(&settings, "cc 1", &facts, &err));
	assert_int_equal(facts.given_count, 3);
	assert_true(has_tag(&facts, "trk.host", &pair) && slice_eq_cstr(pair.value, "hidden"));
	assert_true(has_tag(&facts, "mlflow.parentRunId", &pair));
	assert_true(has_tag(&facts, "trk.compiler", &pair) && slice_eq_cstr(pair.value, "cc 1"));
	assert_true(has_tag(&facts, "mlflow.source.name", &pair) && pair.value.ptr[0] == '/');
	assert_false(has_tag(&facts, "trk.command", &pair));
	uint32_t count = 0;
	for (struct slice tags = buffer_slice(&facts.tags); record_next_pair(&tags, &pair);)
		count++;
	assert_int_equal(count, facts.count);
	facts_deinit(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines_are_quoted_for_a_shell),
		cmocka_unit_test(test_the_callers_tags_come_first_and_win),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
