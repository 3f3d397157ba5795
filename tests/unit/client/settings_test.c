#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/settings.h"

static int clear_environment(void **state)
{
	(void)state;
	static const char *const names[] = {
		"TRK_URL",    "MLFLOW_TRACKING_URI", "TRK_EXPERIMENT", "MLFLOW_EXPERIMENT_NAME",
		"TRK_RUN_ID", "TRK_OFFLINE",	     "TRK_SPOOL_DIR",  "XDG_STATE_HOME"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unsetenv(names[i]);
	setenv("HOME", "/home/someone", 1);
	return 0;
}

static struct settings resolve(const struct trk_run_options *options)
{
	struct settings s;
	struct error err;
	if (!settings_resolve(options, &s, &err))
		fail_msg("%s", err.message);
	return s;
}

static void test_defaults_without_options_and_environment(void **state)
{
	(void)state;
	struct settings s = resolve(NULL);
	assert_string_equal(s.url, "http://127.0.0.1:5000");
	assert_string_equal(s.experiment, "Default");
	assert_string_equal(s.spool_directory, "/home/someone/.local/state/trk/spool");
	assert_true(s.is_online);
	assert_false(s.is_continued);
	assert_int_equal(strlen(s.run_id), 32);
	assert_int_equal(s.connect_timeout_ms, 5000);
	assert_int_equal(s.request_timeout_ms, 60000);
	assert_true(s.spool_bytes_max == (uint64_t)4 << 30);
}

static void test_an_option_wins_over_the_environment_and_ours_over_mlflows(void **state)
{
	(void)state;
	setenv("MLFLOW_TRACKING_URI", "http://mlflow", 1);
	setenv("MLFLOW_EXPERIMENT_NAME", "theirs", 1);
	assert_string_equal(resolve(NULL).url, "http://mlflow");
	assert_string_equal(resolve(NULL).experiment, "theirs");
	setenv("TRK_URL", "http://ours", 1);
	setenv("TRK_EXPERIMENT", "ours", 1);
	assert_string_equal(resolve(NULL).url, "http://ours");
	assert_string_equal(resolve(NULL).experiment, "ours");
	setenv("TRK_URL", "", 1);
	assert_string_equal(resolve(NULL).url, "http://mlflow");
	const struct trk_run_options options = {
		.size = sizeof options, .url = "http://given", .experiment = "given"};
	assert_string_equal(resolve(&options).url, "http://given");
	assert_string_equal(resolve(&options).experiment, "given");
}

static void test_the_spool_lies_where_the_environment_says(void **state)
{
	(void)state;
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_string_equal(resolve(NULL).spool_directory, "/home/someone/.local/state/trk/spool");
	setenv("XDG_STATE_HOME", "/state", 1);
	assert_string_equal(resolve(NULL).spool_directory, "/state/trk/spool");
	setenv("TRK_SPOOL_DIR", "/spool", 1);
	assert_string_equal(resolve(NULL).spool_directory, "/spool");
	const struct trk_run_options options = {.size = sizeof options, .spool_directory = "here"};
	assert_string_equal(resolve(&options).spool_directory, "here");
}

static void test_offline_by_environment_or_option(void **state)
{
	(void)state;
	const struct trk_run_options online = {.size = sizeof online, .mode = TRK_ONLINE};
	const struct trk_run_options offline = {.size = sizeof offline, .mode = TRK_OFFLINE};
	assert_false(resolve(&offline).is_online);
	setenv("TRK_OFFLINE", "0", 1);
	assert_true(resolve(NULL).is_online);
	setenv("TRK_OFFLINE", "1", 1);
	assert_false(resolve(NULL).is_online);
	assert_true(resolve(&online).is_online);
}

static void test_a_run_id_continues_a_run(void **state)
{
	(void)state;
	struct settings s;
	struct error err;
	setenv("TRK_RUN_ID", "0123456789abcdef0123456789abcdef", 1);
	assert_true(resolve(NULL).is_continued);
	assert_string_equal(resolve(NULL).run_id, "0123456789abcdef0123456789abcdef");
	static const char *const bad[] = {
		"0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
		"0123456789ABCDEF0123456789abcdef", "../3456789abcdef0123456789abcdef"};
	for (size_t i = 0; i < 4; i++) {
		const struct trk_run_options options = {.size = sizeof options, .run_id = bad[i]};
		assert_false(settings_resolve(&options, &s, &err));
		assert_non_null(strstr(err.message, "run_id"));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear_environment)
	const struct CMUnitTest tests[] = {
		TEST(test_defaults_without_options_and_environment),
		TEST(test_an_option_wins_over_the_environment_and_ours_over_mlflows),
		TEST(test_the_spool_lies_where_the_environment_says),
		TEST(test_offline_by_environment_or_option),
		TEST(test_a_run_id_continues_a_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
