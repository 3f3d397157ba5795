/* Tests the running of a deployment's commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/deploy_hook.h"
#include "unit/cli/cli_helper.h"

struct scene {
	struct arena arena;
	struct cli cli;
	struct error err;
	int ticks, ticks_max; /* Ctrl-C comes at the last one; 0 for never */
};

static void tick(void *context)
{
	struct scene *s = context;
	s->ticks++;
	if (s->ticks == s->ticks_max)
		cli_helper_is_interrupted = true;
}

static int set_up(void **state)
{
	struct scene *s = test_calloc(1, sizeof *s);
	cli_helper_init(&s->cli, &s->arena);
	s->cli.tick = tick;
	s->cli.tick_context = s;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	cli_helper_deinit(&s->cli);
	test_free(s);
	return 0;
}

static bool run(struct scene *s, const char *command, int64_t timeout_s, bool is_interruptible)
{
	const struct variable variables[] = {{"TRK_VERSION", "4"}, {"HOME", "/nowhere"}};
	const struct deploy_command call = {
		.title = "the hook",
		.command = command,
		.variables = variables,
		.variable_count = ARRAY_COUNT(variables),
		.timeout_s = timeout_s,
		.is_interruptible = is_interruptible,
	};
	return deploy_command_run(&s->cli, &call, &s->err);
}

static void how_a_command_ends_is_told(void **state)
{
	static const struct {
		const char *command;
		const char *sentence; /* NULL: it works */
	} rows[] = {
		{"true", NULL},
		{"[ $TRK_VERSION = 4 ] && [ $HOME = /nowhere ] && [ -n \"$PATH\" ]", NULL},
		{"[ \"$(cat)\" = '' ]", NULL}, /* nothing on standard input */
		{"yes | head -c 300000 | tail -c 1", NULL},
		{"exit 3", "the hook ended with status 3"},
		{"echo out; echo err >&2; false",
		 "the hook ended with status 1; its last lines: out | err"},
		{"for i in 1 2 3 4 5 6 7; do echo $i; done; exit 1",
		 "the hook ended with status 1; its last lines: 3 | 4 | 5 | 6 | 7"},
		{"kill -9 $$", "the hook was killed by signal 9"},
		{"no-such-program-anywhere 2>/dev/null", "the hook ended with status 127"},
	};
	struct scene *s = *state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		bool ok = run(s, rows[i].command, 30, true);
		assert_int_equal(ok, rows[i].sentence == NULL);
		if (!ok)
			assert_string_equal(s->err.message, rows[i].sentence);
	}
}

static void only_the_last_bytes_of_much_output_are_told(void **state)
{
	struct scene *s = *state;
	assert_false(run(s, "yes 0123456789 | head -n 90000; echo end; exit 1", 30, true));
	assert_true(slice_ends_with(slice_from_cstr(s->err.message), SLICE("| end")));
	assert_true(strlen(s->err.message) < 700);
}

static void what_takes_too_long_is_ended_with_all_it_started(void **state)
{
	struct scene *s = *state;
	char command[300], path[] = "/tmp/trk-hook-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)snprintf(command, sizeof command, "sleep 600 & echo $! > %s; wait", path);
	assert_false(run(s, command, 1, true));
	assert_int_equal(s->err.code, ERR_REQUEST_TIMEOUT);
	assert_non_null(strstr(s->err.message, "longer than 1 s"));
	(void)snprintf(command, sizeof command,
		       "for i in $(seq 500); do kill -0 $(cat %s) 2>/dev/null || exit 0; "
		       "sleep 0.01; done; exit 1",
		       path);
	assert_true(run(s, command, 30, true)); /* what it started is gone */
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
}

static void ctrl_c_ends_it_unless_it_puts_the_old_model_back(void **state)
{
	struct scene *s = *state;
	s->ticks_max = 2;
	assert_false(run(s, "sleep 600", 600, true));
	assert_int_equal(s->err.code, ERR_CANCELLED);
	assert_true(cli_helper_is_interrupted);
	assert_true(run(s, "sleep 0.5", 30, false));
	assert_true(s->ticks > 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(how_a_command_ends_is_told),
		CASE(only_the_last_bytes_of_much_output_are_told),
		CASE(what_takes_too_long_is_ended_with_all_it_started),
		CASE(ctrl_c_ends_it_unless_it_puts_the_old_model_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
