/* Tests the daemon's options: sources, precedence, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static struct config config;
static enum config_action action;
static struct error err;

/* The arguments are separated by spaces. */
static bool load(const char *arguments, char **environment)
{
	static char text[512];
	static char program[] = "trackerd";
	char *argv[32] = {program};
	int argc = 1;
	char *rest = text, *word;
	(void)snprintf(text, sizeof(text), "%s", arguments);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] != '\0')
			argv[argc++] = word;
	}
	err = (struct error){ERR_NONE, ""};
	return config_load(argc, argv, environment, &config, &action, &err);
}

static void test_the_defaults_stay_on_loopback(void **state)
{
	(void)state;
	assert_true(load("", NULL));
	assert_string_equal(config.host, "127.0.0.1");
	assert_int_equal(config.port, 5000);
	assert_true(config.workers >= 1);
	assert_int_equal(config.level, LOG_INFO);
}

static void test_a_flag_wins_over_the_environment_and_that_over_the_file(void **state)
{
	char path[] = "/tmp/trackerd-config-XXXXXX";
	char flags[128];
	char workers[] = "TRACKERD_WORKERS=3", level[] = "TRACKERD_LOG_LEVEL=warn";
	char *environment[] = {workers, level, NULL};
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	const char *text =
		"# comment\nworkers = 2\n\nlog-level = error\nidle-timeout-ms = 77 # tail\n";
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)snprintf(flags, sizeof(flags), "--config %s --workers=4", path);
	assert_true(load(flags, environment));
	assert_int_equal(config.workers, 4);
	assert_int_equal(config.level, LOG_WARN);
	assert_int_equal(config.idle_timeout_ms, 77);
	(void)unlink(path);
}

static const struct {
	const char *arguments, *message;
} failures[] = {
	{"--nonsense", "there is no option --nonsense"},
	{"--workers", "--workers needs a value"},
	{"--workers 65", "--workers: \"65\" is not a whole number from 0 to 64"},
	{"--workers x", "--workers: \"x\" is not a whole number"},
	{"--listen 127.0.0.1", "--listen: \"127.0.0.1\" is not HOST:PORT"},
	{"--listen 127.0.0.1:65536", "--listen: \"127.0.0.1:65536\" is not HOST:PORT"},
	{"--listen 0.0.0.0:5000", "0.0.0.0 is reachable from other machines"},
	{"--listen [::]:5000", ":: is reachable from other machines"},
	{"--log-level loud", "--log-level: \"loud\" is not debug"},
	{"--public-url track.example", "--public-url: \"track.example\" does not begin with http"},
	{"--upload-expiry-ms 999", "--upload-expiry-ms: \"999\" is not a whole number from 1000"},
	{"--webhook-allowed-schemes http,ftp",
	 "--webhook-allowed-schemes: \"ftp\" is neither http nor https"},
	{"--webhook-allowed-schemes=", "--webhook-allowed-schemes: \"\" is neither http nor https"},
	{"--webhook-ca-file /no/such/file",
	 "--webhook-ca-file: cannot read /no/such/file: No such file or directory"},
	{"--webhook-timeout-ms 0",
	 "--webhook-timeout-ms: \"0\" is not a whole number from 1 to 3600000"},
	{"extra", "unexpected argument \"extra\""},
	{"--config /nonexistent/file", "cannot read the configuration file /nonexistent/file"},
};

static void test_bad_options_are_refused_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		if (load(failures[i].arguments, NULL))
			fail_msg("accepted: %s", failures[i].arguments);
		if (strncmp(err.message, failures[i].message, strlen(failures[i].message)) != 0)
			fail_msg("%s: %s", failures[i].arguments, err.message);
	}
}

static void test_the_public_url_loses_its_slashes(void **state)
{
	(void)state;
	assert_true(load("--public-url https://track.example/x//", NULL));
	assert_string_equal(config.public_url, "https://track.example/x");
	assert_true(load("", NULL));
	assert_string_equal(config.public_url, "");
}

static void test_remote_addresses_need_the_words(void **state)
{
	(void)state;
	assert_true(load("--listen 0.0.0.0:80 --allow-remote-without-authentication", NULL));
	assert_string_equal(config.host, "0.0.0.0");
	assert_true(load("--listen [::1]:0", NULL));
	assert_string_equal(config.host, "::1");
	assert_true(load("--listen localhost:1", NULL));
	assert_true(load("--listen 127.9.9.9:1", NULL));
}

static void test_help_and_version_need_nothing_else_to_be_right(void **state)
{
	(void)state;
	assert_true(load("--nonsense --help", NULL));
	assert_int_equal(action, CONFIG_SHOW_HELP);
	assert_true(load("--version", NULL));
	assert_int_equal(action, CONFIG_SHOW_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_defaults_stay_on_loopback),
		cmocka_unit_test(test_a_flag_wins_over_the_environment_and_that_over_the_file),
		cmocka_unit_test(test_bad_options_are_refused_with_their_place),
		cmocka_unit_test(test_the_public_url_loses_its_slashes),
		cmocka_unit_test(test_remote_addresses_need_the_words),
		cmocka_unit_test(test_help_and_version_need_nothing_else_to_be_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
