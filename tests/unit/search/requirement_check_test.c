/* Tests how figures are compared with requirements, and what is said of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "search/requirement_check.h"

static struct arena arena;

static int make_arena(void **state)
{
	(void)state;
	arena_init(&arena, 1024 * 1024);
	return 0;
}

static int free_arena(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

static struct requirement_figure number(double value)
{
	return (struct requirement_figure){.is_known = true, .number = value, .origin = "run"};
}

static struct requirement_figure unknown(const char *why)
{
	return (struct requirement_figure){.why = slice_from_cstr(why)};
}

static struct requirement_check check(const char *text, struct requirement_figure figure,
				      const struct requirement_figure *holder_or_null)
{
	struct requirement r;
	struct requirement_check result;
	struct error err;
	if (!requirement_parse(slice_from_cstr(text), &arena, &r, &err))
		fail_msg("%s", err.message);
	requirement_check(&r, &figure, holder_or_null, 3, &arena, &result);
	assert_true(slice_eq(result.requirement, r.text));
	return result;
}

static void assert_text(struct slice actual, const char *expected)
{
	if (!slice_eq_cstr(actual, expected))
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_FMT(actual), expected);
}

static void test_numbers_are_compared_at_and_beyond_the_limit(void **state)
{
	static const struct {
		const char *text;
		double value;
		bool ok;
		const char *sentence;
	} rows[] = {
		{"rmse < 8", 7.9, true, "rmse is 7.9, less than 8"},
		{"rmse < 8", 8, false, "rmse is 8, must be less than 8"},
		{"rmse <= 8", 8, true, "rmse is 8, at most 8"},
		{"rmse <= 8", 8.5, false, "rmse is 8.5, must be at most 8"},
		{"rmse > 8", 8, false, "rmse is 8, must be more than 8"},
		{"rmse > 8", 9, true, "rmse is 9, more than 8"},
		{"rmse >= 8", 8, true, "rmse is 8, at least 8"},
		{"rmse >= 8", 7, false, "rmse is 7, must be at least 8"},
		{"rmse = 8", 8, true, "rmse is 8, exactly 8"},
		{"rmse = 8", 7, false, "rmse is 7, must be exactly 8"},
		{"rmse != 8", 8, false, "rmse is 8, must be other than 8"},
		{"rmse != 8", 9, true, "rmse is 9, other than 8"},
		{"rmse < 8", -(double)INFINITY, true, "rmse is -Infinity, less than 8"},
		{"rmse < 8", (double)INFINITY, false, "rmse is Infinity, must be less than 8"},
		{"rmse < 8", (double)NAN, false, "rmse is NaN, which never passes"},
		{"rmse != 8", (double)NAN, false, "rmse is NaN, which never passes"},
		{"size < 200M", 185331000, true, "size is 185.331 MB, less than 200 MB"},
		{"size < 200M", 200000001, false, "size is 200000001, must be less than 200000000"},
		{"files <= 2", 3, false, "the number of files is 3, must be at most 2"},
		{"rmse < 1", 1.00000001, false, "rmse is 1.00000001, must be less than 1"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct requirement_check c = check(rows[i].text, number(rows[i].value), NULL);
		assert_text(c.text, rows[i].sentence);
		assert_int_equal(c.ok, rows[i].ok);
		assert_string_equal(c.origin, "run");
	}
}

static void test_margins_are_added_to_what_the_holder_has(void **state)
{
	static const struct {
		const char *text;
		double holder, value;
		bool ok;
		const char *limit;
	} rows[] = {
		{"rmse <= champion", 7.5, 7.5, true, "7.5"},
		{"rmse < champion", 7.5, 7.5, false, "7.5"},
		{"rmse <= champion + 0.5", 7.5, 8, true, "8"},
		{"rmse <= champion + 0.5", 7.5, 8.01, false, "8"},
		{"rmse <= champion + 50%", 8, 12, true, "12"},
		{"rmse <= champion + 50%", 8, 12.1, false, "12"},
		{"rmse <= champion - 50%", 8, 4, true, "4"},
		{"rmse <= champion - 50%", 8, 4.1, false, "4"},
		{"ll >= champion - 50%", -8, -12, true, "-12"},
		{"ll >= champion - 50%", -8, -12.1, false, "-12"},
		{"ll >= champion + 50%", -8, -4, true, "-4"},
		{"acc >= champion - 0.25", 1, 0.75, true, "0.75"},
		{"acc >= champion - 0.25", 1, 0.74, false, "0.75"},
		{"size <= champion + 1M", 1e6, 2e6, true, "2000000"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct requirement_figure holder = number(rows[i].holder);
		struct requirement_check c = check(rows[i].text, number(rows[i].value), &holder);
		assert_text(c.limit, rows[i].limit);
		assert_int_equal(c.ok, rows[i].ok);
	}
	struct requirement_figure holder = number(7.43);
	struct requirement_check c = check("rmse <= champion + 0.5%", number(7.41), &holder);
	assert_text(c.text, "rmse is 7.41, at most 7.46715 (champion's 7.43 + 0.5%)");
	assert_text(c.value, "7.41");
	c = check("rmse <= champion", number(7.5), &holder);
	assert_text(c.text, "rmse is 7.5, must be at most 7.43 (champion's 7.43)");
}

static void test_what_cannot_be_compared_is_explained(void **state)
{
	struct requirement_figure nan = number((double)NAN),
				  none = unknown("run ab has no such metric");
	(void)state;
	struct requirement_check c = check("rmse <= champion", number(7), NULL);
	assert_true(c.ok);
	assert_text(c.text,
		    "rmse is 7; nobody holds champion, so there is nothing to compare with");
	assert_text(c.unheld_alias, "champion");
	struct requirement_figure held = number(8);
	c = check("rmse <= champion", number(7), &held);
	assert_text(c.unheld_alias, "");
	c = check("rmse <= champion", number((double)NAN), NULL);
	assert_false(c.ok);
	c = check("rmse <= champion", none, NULL);
	assert_false(c.ok);
	assert_null(c.origin);
	assert_text(c.text, "rmse is not known: run ab has no such metric");
	c = check("rmse <= champion", number(7), &nan);
	assert_false(c.ok);
	assert_text(c.text, "rmse is 7, but that of champion (version 3) is NaN");
	c = check("rmse <= champion", number(7), &none);
	assert_false(c.ok);
	assert_text(c.text, "rmse is 7, but that of champion (version 3) is not known: run ab has "
			    "no such metric");
}

static void test_texts_are_compared_whole(void **state)
{
	struct requirement_figure yes = {
		.is_known = true, .text = SLICE("yes"), .origin = "version"};
	struct requirement_figure digest = {
		.is_known = true, .text = SLICE("0a1b"), .origin = "files"};
	(void)state;
	struct requirement_check c = check("tags.reviewed = 'yes'", yes, NULL);
	assert_true(c.ok);
	assert_text(c.text, "tag reviewed is 'yes', exactly 'yes'");
	c = check("tags.reviewed = 'ye'", yes, NULL);
	assert_false(c.ok);
	assert_text(c.text, "tag reviewed is 'yes', must be exactly 'ye'");
	c = check("params.reviewed != 'yes'", yes, NULL);
	assert_false(c.ok);
	assert_text(c.text, "parameter reviewed is 'yes', must be other than 'yes'");
	c = check("tags.reviewed", yes, NULL);
	assert_true(c.ok);
	assert_text(c.text, "tag reviewed is 'yes'");
	c = check("tags.reviewed", unknown("version 4 has no such tag"), NULL);
	assert_false(c.ok);
	assert_text(c.text, "tag reviewed is not known: version 4 has no such tag");
	c = check("digest", digest, NULL);
	assert_true(c.ok);
	assert_text(c.value, "0a1b");
	c = check("digest", unknown("no files are at models/4"), NULL);
	assert_false(c.ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers_are_compared_at_and_beyond_the_limit,
						make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_margins_are_added_to_what_the_holder_has,
						make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_compared_is_explained,
						make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_texts_are_compared_whole, make_arena,
						free_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
