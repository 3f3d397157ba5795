/* Tests the language of requirements. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "limits.h"
#include "search/requirement.h"

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

static struct requirement parse(const char *text)
{
	struct requirement r = {0};
	struct error err;
	error_clear(&err);
	if (!requirement_parse(slice_from_cstr(text), &arena, &r, &err))
		fail_msg("%s", err.message);
	return r;
}

static void assert_text(struct slice actual, const char *expected)
{
	if (!slice_eq_cstr(actual, expected))
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_FMT(actual), expected);
}

static void test_texts_that_mean_the_same_are_spelled_the_same(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{"rmse_val <= champion + 0.5%", "rmse_val <= champion + 0.5%"},
		{"  rmse_val<=champion+0.5% ", "rmse_val <= champion + 0.5%"},
		{"metrics.rmse_val <= @champion +0.5 %", NULL},
		{"metrics.rmse_val <= @champion +0.5%", "rmse_val <= champion + 0.5%"},
		{"metric.rmse_val < 8", "rmse_val < 8"},
		{"\"rmse_val\" < 8", "rmse_val < 8"},
		{"`rmse_val` < 8", "rmse_val < 8"},
		{"val.rmse > .5", "val.rmse > .5"},
		{"rmse == 8", "rmse = 8"},
		{"rmse != -1e-3", "rmse != -1e-3"},
		{"rmse < +1", "rmse < 1"},
		{"acc >= champion - 0.01", "acc >= champion - 0.01"},
		{"acc >= champion -0.01", "acc >= champion - 0.01"},
		{"acc >= champion", "acc >= champion"},
		{"acc >= @7", "acc >= @7"},
		{"acc >= @nan", "acc >= @nan"},
		{"acc >= @Inf", "acc >= @Inf"},
		{"acc >= @infinity", "acc >= @infinity"},
		{"acc >= info", "acc >= info"},
		{"\"0.5\" < 1", "metrics.0.5 < 1"},
		{"metrics.\"inf\" < 1", "inf < 1"},
		{"2norm < 1", "2norm < 1"},
		{"acc >= @canary-2 - 1", "acc >= @canary-2 - 1"},
		{"acc >= red-team", "acc >= red-team"},
		{"metrics.\"a b\" < 1", "metrics.\"a b\" < 1"},
		{"\"a b\" < 1", "metrics.\"a b\" < 1"},
		{"metrics.size < 1", "metrics.size < 1"},
		{"metrics.digest < 1", "metrics.digest < 1"},
		{"`tags.x` < 1", "metrics.tags.x < 1"},
		{"'loss\"x' < 1", "metrics.`loss\"x` < 1"},
		{"SIZE < 200M", "size < 200M"},
		{"size <= 1.5GiB", "size <= 1.5GiB"},
		{"size <= champion + 10%", "size <= champion + 10%"},
		{"size <= champion + 20M", "size <= champion + 20M"},
		{"files<=20", "files <= 20"},
		{"Digest", "digest"},
		{"tag.reviewed", "tags.reviewed"},
		{"tags.'x y'", NULL},
		{"tags.\"x y\"", "tags.\"x y\""},
		{"tags.reviewed = \"yes\"", "tags.reviewed = 'yes'"},
		{"tags.reviewed != \"it's\"", "tags.reviewed != \"it's\""},
		{"params.model='ridge'", "params.model = 'ridge'"},
		{"größe < 5", "größe < 5"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct requirement r, again;
		struct error err;
		if (rows[i].canonical == NULL) {
			assert_false(
				requirement_parse(slice_from_cstr(rows[i].text), &arena, &r, &err));
			continue;
		}
		r = parse(rows[i].text);
		assert_text(r.text, rows[i].canonical);
		again = parse(rows[i].canonical);
		assert_text(again.text, rows[i].canonical);
		assert_int_equal(r.kind, again.kind);
		assert_true(slice_eq(r.key, again.key));
	}
}

static void test_parts_are_taken_apart(void **state)
{
	struct requirement r = parse("metrics.\"val loss\" <= champion - 0.5%");
	(void)state;
	assert_int_equal(r.kind, REQUIREMENT_METRIC);
	assert_int_equal(r.relation, REQUIREMENT_AT_MOST);
	assert_text(r.key, "val loss");
	assert_text(r.alias, "champion");
	assert_text(r.margin, "- 0.5%");
	assert_true(r.is_percent);
	assert_true(r.number == -0.5);
	r = parse("params.kind != 'ridge'");
	assert_int_equal(r.kind, REQUIREMENT_PARAM);
	assert_int_equal(r.relation, REQUIREMENT_OTHER);
	assert_text(r.wanted, "ridge");
	assert_false(slice_is_present(r.alias));
}

static void test_units_of_size_are_powers(void **state)
{
	static const struct {
		const char *text;
		double bytes;
	} rows[] = {
		{"size < 200", 200},	{"size < 200B", 200},	       {"size < 2k", 2e3},
		{"size < 2KB", 2e3},	{"size < 2Ki", 2048},	       {"size < 200M", 2e8},
		{"size < 1.5G", 1.5e9}, {"size < 1MiB", 1048576},      {"size < 1GiB", 1073741824},
		{"size < 2T", 2e12},	{"size < 1Ti", 1099511627776},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_true(parse(rows[i].text).number == rows[i].bytes);
}

static void test_what_is_no_requirement_is_refused_with_a_hint(void **state)
{
	static const struct {
		const char *text, *hint;
	} rows[] = {
		{"", "it begins with a metric"},
		{"< 5", "it begins with a metric"},
		{"rmse", "a comparison is missing"},
		{"size", "a comparison is missing"},
		{"rmse <", "a bound is missing"},
		{"rmse < 5 6", "nothing follows the bound"},
		{"rmse =< 5", "<, <=, >, >=, = or !="},
		{"rmse val < 5", "<, <=, >, >=, = or !="},
		{"rmse <> 5", "<, <=, >, >=, = or !="},
		{"rmse < 5%", "a percentage needs an alias"},
		{"rmse < 5M", "only size has units"},
		{"size < 5X", "units of size"},
		{"size < 5iM", "units of size"},
		{"rmse < 1e400", "too large"},
		{"size < 1e308T", "too large"},
		{"rmse < -champion", "a number is missing"},
		{"rmse < nan", "written with @"},
		{"rmse < Infinity", "written with @"},
		{"rmse < inf", "written with @"},
		{"rmse < INFINITY", "written with @"},
		{"rmse < NAN", "written with @"},
		{"0.5 > rmse", "to the left"},
		{"7 <= rmse", "to the left"},
		{"1e-3 > rmse", "to the left"},
		{"rmse < champion-5", "written with @"},
		{"rmse < champion-0.5", "written with @"},
		{"rmse < champion * 2", "+ or -, between spaces"},
		{"rmse < champion + ", "a number is missing"},
		{"rmse < champion + x", "a number is missing"},
		{"rmse < @", "a number or an alias"},
		{"rmse < 'x'", "a number or an alias"},
		{"rmse < chämpion", "+ or -, between spaces"},
		{"digest = 'x'", "digest stands alone"},
		{"tags.x < 'y'", "compared with = and != only"},
		{"tags.x = y", "a quoted text"},
		{"tags.x = 'y' z", "nothing follows the quoted text"},
		{"tags.x = 'y", "not closed"},
		{"metrics.\"x < 5", "not closed"},
		{"metrics. < 5", "the name is empty"},
		{"'' < 5", "the name is empty"},
		{"loss.\"x\" < 5", "metrics, tags or params"},
		{"metrics.\"x\".min < 5", "nothing follows a quoted name"},
		{"'a\"b`c' < 5", "not both"},
		{"rmse\n< 5", "control characters"},
		{"rm\xff < 5", "control characters"},
		{"rmse < 5; drop", "nothing follows the bound"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct requirement r = {.text = SLICE("untouched")};
		struct error err;
		assert_false(requirement_parse(slice_from_cstr(rows[i].text), &arena, &r, &err));
		assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
		if (strstr(err.message, rows[i].hint) == NULL)
			fail_msg("\"%s\": %s", rows[i].text, err.message);
		assert_text(r.text, "untouched");
	}
}

static void test_a_requirement_has_a_greatest_length(void **state)
{
	char text[REQUIREMENT_BYTES_MAX + 1];
	struct requirement r;
	struct error err;
	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 6, " < 1.0", 6);
	assert_true(
		requirement_parse(slice_make(text + 1, REQUIREMENT_BYTES_MAX), &arena, &r, &err));
	assert_false(
		requirement_parse(slice_make(text, REQUIREMENT_BYTES_MAX + 1), &arena, &r, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_texts_that_mean_the_same_are_spelled_the_same,
						make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_parts_are_taken_apart, make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_units_of_size_are_powers, make_arena,
						free_arena),
		cmocka_unit_test_setup_teardown(test_what_is_no_requirement_is_refused_with_a_hint,
						make_arena, free_arena),
		cmocka_unit_test_setup_teardown(test_a_requirement_has_a_greatest_length,
						make_arena, free_arena),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
