/* The rules for names, lengths, ids and locations, in rows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/validation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "limits.h"

static struct arena arena;
static struct error err;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

/* `count` times `text`, in the arena. */
static struct slice repeat(const char *text, size_t count)
{
	size_t len = strlen(text);
	char *bytes = ARENA_NEW(&arena, char, len *count + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(bytes + i * len, text, len);
	return slice_make(bytes, len * count);
}

static bool key_is_valid(struct slice key)
{
	error_clear(&err);
	return validate_key(KEY_METRIC, key, (struct value_place){0}, &err);
}

static void names_of_word_characters_pass(void **state)
{
	// clang-format off
	static const char *const keys[] = {
		"a",       "rmse_val",        "val/rmse",     "a b",      "a.b",        "a-b",      "a:b",
		"a..",     "a/..b",           "verlust_größe", "损失",      "потеря",     "損失/検証", "क्षति",
		".hidden", "a/.b/c..d",       "x²",           "-",        "_",          "0",        ":",
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		if (!key_is_valid(slice_from_cstr(keys[i])))
			fail_msg("'%s': %s", keys[i], err.message);
	}
}

static void other_characters_are_refused(void **state)
{
	static const char *const keys[] = {
		"a\\b", "a*b", "a?b", "a\nb", "a\tb", "a\"b", "a'b",   "a,b",	   "a=b",  "a@b",
		"a#b",	"a%b", "a;b", "a(b)", "☃",    "a😀",   "a\x7f", "\xc2\xa0", "a\xff"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		if (key_is_valid(slice_from_cstr(keys[i])))
			fail_msg("'%s' passed", keys[i]);
		assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
		assert_non_null(
			strstr(err.message, "Names may only contain alphanumerics, underscores"));
	}
	assert_memory_equal(err.message, "Invalid value \"a", strlen("Invalid value \"a"));
}

static void names_that_resolve_to_others_are_refused(void **state)
{
	// clang-format off
	static const struct {
		const char *key, *resolved;
	} rows[] = {
		{".", "."},         {"..", ".."},       {"../a", "../a"}, {"..a", "..a"}, {"/", "/"},
		{"/a", "/a"},       {"a/", "a"},        {"a//b", "a/b"},  {"./a", "a"},   {"a/./b", "a/b"},
		{"a/../b", "b"},    {"a/..", "."},      {"a/b/..", "a"},  {"//a", "/a"},  {"a/../..", ".."},
		{"/../a", "/a"},    {"../../a", "../../a"}, {"a/../../b", "../b"}, {"/a/../..", "/"},
		{"a/b/../../c/d/..", "c"},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (key_is_valid(slice_from_cstr(rows[i].key)))
			fail_msg("'%s' passed", rows[i].key);
		struct slice end =
			arena_printf(&arena, "This name would resolve to '%s'", rows[i].resolved);
		if (!slice_ends_with(slice_from_cstr(err.message), end))
			fail_msg("'%s': %s", rows[i].key, err.message);
	}
}

static void kinds_of_names_are_told(void **state)
{
	// clang-format off
	static const char *const kinds[] = {
		[KEY_METRIC] = "Invalid value \"*\" for parameter 'list[3].name' supplied: Names may only",
		[KEY_PARAM] = "Invalid value \"*\" for parameter 'list[3].key' supplied: Names may only",
		[KEY_TAG] = "Invalid value \"*\" for parameter 'list[3].key' supplied: Names may only",
		[KEY_KEPT_TAG] = "Invalid value \"*\" for parameter 'list[3].key' supplied: Names may only",
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		assert_false(validate_key((enum key_kind)i, SLICE("*"),
					  (struct value_place){"list", 3}, &err));
		assert_memory_equal(err.message, kinds[i], strlen(kinds[i]));
	}
}

static void key_lengths_count_characters(void **state)
{
	(void)state;
	assert_true(key_is_valid(repeat("a", KEY_LENGTH_MAX)));
	assert_true(key_is_valid(repeat("ß", KEY_LENGTH_MAX)));
	assert_true(key_is_valid(repeat("\xf0\xa0\x80\x80", KEY_LENGTH_MAX)));
	assert_false(key_is_valid(repeat("a", KEY_LENGTH_MAX + 1)));
	assert_string_equal(
		err.message,
		"'Metric name' exceeds the maximum length of 250 characters. Got 251 characters.");
	assert_false(key_is_valid(repeat("ß", KEY_LENGTH_MAX + 1)));
	assert_false(validate_key(KEY_PARAM, repeat("a", 100 * KEY_LENGTH_MAX),
				  (struct value_place){"params", 17}, &err));
	assert_string_equal(err.message, "'Param key' exceeds the maximum length of 250 "
					 "characters. Got 25000 characters.");
	assert_false(validate_key(KEY_TAG, repeat("a", KEY_LENGTH_MAX + 1),
				  (struct value_place){"tags", 17}, &err));
	assert_string_equal(err.message, "'tags[17].key' exceeds the maximum length of 250 "
					 "characters. Got 251 characters.");
}

static void long_values_are_cut_and_absent_ones_empty(void **state)
{
	(void)state;
	struct key_value items[] = {
		{SLICE("a"), repeat("ß", PARAM_VALUE_LENGTH_MAX)},
		{SLICE("b"), repeat("ß", PARAM_VALUE_LENGTH_MAX + 1)},
		{SLICE("c"), {0}},
	};
	const struct object_list list = {items, 3, true};
	struct key_value_list out;
	assert_true(validate_key_values(KEY_PARAM, &list, "params", PARAM_VALUE_LENGTH_MAX, &out,
					&err));
	assert_int_equal(out.count, 3);
	assert_int_equal(slice_utf8_length(out.items[0].value), PARAM_VALUE_LENGTH_MAX);
	assert_int_equal(slice_utf8_length(out.items[1].value), PARAM_VALUE_LENGTH_MAX);
	assert_true(slice_is_present(out.items[2].value));
	assert_int_equal(out.items[2].value.len, 0);
	items[0].value = repeat("ß", 10);
	struct key_value kept = items[0];
	assert_true(validate_key_value(KEY_KEPT_TAG, &kept, (struct value_place){0}, 10, &err));
	assert_false(validate_key_value(KEY_KEPT_TAG, &kept, (struct value_place){0}, 9, &err));
	assert_string_equal(
		err.message,
		"'value' exceeds the maximum length of 9 characters. Got 10 characters.");
	items[1].key = SLICE("/b");
	assert_false(validate_key_values(KEY_PARAM, &list, "params", 10, &out, &err));
}

static void run_ids_are_letters_digits_and_dashes(void **state)
{
	// clang-format off
	static const struct {
		const char *id;
		bool valid;
	} rows[] = {
		{"0123456789abcdef0123456789abcdef", true},
		{"a", true},
		{"Run-7_b", true},
		{"", false},
		{"-a", false},
		{"_a", false},
		{"a/b", false},
		{"a b", false},
		{"a.b", false},
		{"../a", false},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (validate_run_id(slice_from_cstr(rows[i].id), &err) != rows[i].valid)
			fail_msg("'%s'", rows[i].id);
	}
	assert_true(validate_run_id(repeat("a", 256), &err));
	assert_false(validate_run_id(repeat("a", 257), &err));
	assert_false(validate_run_id(SLICE("a/b"), &err));
	assert_string_equal(err.message, "Invalid value \"a/b\" for parameter 'run_id' supplied.");
}

static void ids_of_logged_models_leave_no_folder(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../x", "a/b", "-m", "_m", "m 1", "m%2f"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(validate_logged_model_id(slice_from_cstr(bad[i]), &err));
	assert_string_equal(err.message, "Invalid value \"m%2f\" for parameter 'model_id' supplied.");
	assert_true(validate_logged_model_id(SLICE("m-00000000000000000000000000000001"), &err));
	assert_true(validate_logged_model_id(repeat("m", 250), &err));
	assert_false(validate_logged_model_id(repeat("m", 251), &err));
}

static void experiment_ids_are_integers(void **state)
{
	// clang-format off
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{"0", true},   {"17", true},   {"9223372036854775807", true}, {"-1", true},
		{"x", false},  {"", false},    {"9223372036854775808", false}, {"1.5", false},
		{"1e3", false}, {" 1", false}, {"0x10", false},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t id;
		if (validate_experiment_id(slice_from_cstr(rows[i].text), &id, &err) !=
		    rows[i].valid)
			fail_msg("'%s'", rows[i].text);
	}
	int64_t id;
	assert_false(validate_experiment_id(SLICE("abc"), &id, &err));
	assert_string_equal(err.message,
			    "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.");
}

static void metric_times_are_not_negative(void **state)
{
	(void)state;
	assert_true(validate_metric_timestamp(SLICE("m"), 1, 0, (struct value_place){0}, &err));
	assert_true(
		validate_metric_timestamp(SLICE("m"), 1, INT64_MAX, (struct value_place){0}, &err));
	assert_false(validate_metric_timestamp(SLICE("m"), 1.5, -1, (struct value_place){0}, &err));
	assert_string_equal(
		err.message,
		"Invalid value -1 for parameter 'timestamp' supplied: metric 'm' (value=1.5)."
		" Timestamp must be a nonnegative long (64-bit integer)");
	assert_false(
		validate_metric_timestamp(SLICE("m"), 1, INT64_MIN, (struct value_place){0}, &err));
}

static void artifact_locations_follow_their_rules(void **state)
{
	// clang-format off
	static const struct {
		const char *location, *message_or_null;
	} rows[] = {
		{"s3://bucket/path", NULL},
		{"mlflow-artifacts:/x", NULL},
		{"/srv/artifacts", NULL},
		{"file:///srv/a?x=y", NULL},
		{"s3://b/a;b/c", NULL},
		{"s3://b/p?a=.", NULL},
		{"s3://b/p#frag", "'artifact_location' URL can't include fragments or params."},
		{"s3://b/p;param", "'artifact_location' URL can't include fragments or params."},
		{"/p?a=b#c", "'artifact_location' URL can't include fragments or params."},
		{"s3://b/p?a=../b", "Invalid query string: 'artifact_location' can't include '..'."},
		{"s3://b/p?a=%2e%2E/b", "Invalid query string: 'artifact_location' can't include '..'."},
		{"s3://b/p?a=%252e", "Invalid query string: 'artifact_location' can't include '..'."},
		{"runs:/abc/model", "Artifact location cannot be a runs:/ URI. Given: 'runs:/abc/model'"},
		{"RUNS:/abc/model", "Artifact location cannot be a runs:/ URI. Given: 'RUNS:/abc/model'"},
	};
	// clang-format on
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice location = slice_from_cstr(rows[i].location), out;
		bool ok = validate_artifact_location(location, &arena, &out, &err);
		if (ok != (rows[i].message_or_null == NULL))
			fail_msg("'%s'", rows[i].location);
		if (ok)
			assert_true(slice_eq(out, location));
		else
			assert_string_equal(err.message, rows[i].message_or_null);
	}
	struct slice out;
	assert_true(validate_artifact_location(repeat("/", ARTIFACT_LOCATION_LENGTH_MAX), &arena,
					       &out, &err));
	assert_false(validate_artifact_location(repeat("/", ARTIFACT_LOCATION_LENGTH_MAX + 1),
						&arena, &out, &err));
}

static void a_relative_location_starts_at_the_working_directory(void **state)
{
	(void)state;
	char directory[4096];
	assert_non_null(getcwd(directory, sizeof(directory)));
	static const char *const locations[] = {"mlruns/x", "9a:b"};
	for (size_t i = 0; i < ARRAY_COUNT(locations); i++) {
		struct slice out;
		assert_true(validate_artifact_location(slice_from_cstr(locations[i]), &arena, &out,
						       &err));
		assert_true(slice_eq(out, arena_printf(&arena, "%s/%s", directory, locations[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_word_characters_pass),
		cmocka_unit_test(other_characters_are_refused),
		cmocka_unit_test(names_that_resolve_to_others_are_refused),
		cmocka_unit_test(kinds_of_names_are_told),
		cmocka_unit_test(key_lengths_count_characters),
		cmocka_unit_test(long_values_are_cut_and_absent_ones_empty),
		cmocka_unit_test(run_ids_are_letters_digits_and_dashes),
		cmocka_unit_test(ids_of_logged_models_leave_no_folder),
		cmocka_unit_test(experiment_ids_are_integers),
		cmocka_unit_test(metric_times_are_not_negative),
		cmocka_unit_test(artifact_locations_follow_their_rules),
		cmocka_unit_test(a_relative_location_starts_at_the_working_directory),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
