/* One worker: what it says and how, its deadlines, and its end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/checked.h"
#include "serve/worker.h"

enum { PATIENCE_MS = 30000, TICK_MS = 50, ANSWER_BYTES_MAX = 64 };

/* The beginning of a worker: it answers the probe. */
#define READY "read p; echo '{\"id\":0}'; "
#define ASKED READY "read q; "

struct site {
	uv_loop_t loop;
	uv_timer_t tick; /* so that waiting ends */
	struct worker_settings settings;
	struct worker *worker;
	int ready_count, answered_count, ended_count;
	void *request_or_null; /* of the last callback */
	char predictions[ANSWER_BYTES_MAX + 1];
	struct error why;
};

static void on_ready(struct worker *w, void *owner)
{
	struct site *site = owner;
	assert_ptr_equal(w, site->worker);
	site->ready_count++;
}

static void on_answered(struct worker *w, void *owner, void *request, const struct answer *answer)
{
	struct site *site = owner;
	assert_ptr_equal(w, site->worker);
	site->answered_count++;
	site->request_or_null = request;
	(void)snprintf(site->predictions, sizeof(site->predictions), "%.*s",
		       SLICE_FMT(answer->predictions));
}

static void on_ended(struct worker *w, void *owner, void *request_or_null, const struct error *why)
{
	struct site *site = owner;
	assert_ptr_equal(w, site->worker);
	assert_int_equal(site->ended_count, 0);
	site->ended_count++;
	site->request_or_null = request_or_null;
	site->why = *why;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void start_within(struct site *site, const char *command, int64_t start_timeout_ms)
{
	static char path[] = "PATH=/usr/bin:/bin";
	static char *environment[] = {path, NULL};
	struct error err;
	*site = (struct site){.settings = {.command = command,
					   .environment = environment,
					   .version = "1",
					   .probe = SLICE("{\"id\":0,\"probe\":true}\n"),
					   .start_timeout_ms = start_timeout_ms,
					   .timeout_ms = PATIENCE_MS,
					   .answer_bytes_max = ANSWER_BYTES_MAX,
					   .ready_cb = on_ready,
					   .answered_cb = on_answered,
					   .ended_cb = on_ended}};
	assert_int_equal(uv_loop_init(&site->loop), 0);
	assert_int_equal(uv_timer_init(&site->loop, &site->tick), 0);
	assert_int_equal(uv_timer_start(&site->tick, on_tick, TICK_MS, TICK_MS), 0);
	assert_true(worker_start(&site->loop, &site->settings, site, &site->worker, &err));
}

static void start(struct site *site, const char *command)
{
	start_within(site, command, PATIENCE_MS);
}

static void run_until(struct site *site, const int *count)
{
	uint64_t end = uv_now(&site->loop) + PATIENCE_MS;
	while (*count == 0) {
		assert_true(uv_now(&site->loop) < end);
		(void)uv_run(&site->loop, UV_RUN_ONCE);
	}
}

static void ask(struct site *site)
{
	struct buffer line;
	run_until(site, &site->ready_count);
	assert_true(worker_is_idle(site->worker) && worker_is_ready(site->worker));
	buffer_init(&line, 100);
	buffer_append(&line, SLICE("{\"id\":7,\"inputs\":1}\n"));
	worker_ask(site->worker, 7, &line, site);
	assert_true(!worker_is_idle(site->worker) && worker_is_ready(site->worker));
	assert_int_equal(line.len, 0);
}

/* Waits until the worker has ended, and frees all. */
static void finish(struct site *site)
{
	run_until(site, &site->ended_count);
	uv_close((uv_handle_t *)&site->tick, NULL);
	assert_int_equal(uv_run(&site->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&site->loop), 0);
}

static void kill_and_finish(struct site *site)
{
	worker_kill(site->worker);
	assert_int_equal(site->ended_count, 1);
	assert_int_equal(site->why.code, ERR_CANCELLED);
	finish(site);
}

static void check_why(const struct site *site, enum error_code code, const char *said)
{
	assert_int_equal(site->why.code, code);
	if (strstr(site->why.message, said) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", site->why.message, said);
}

static void test_an_answer_is_a_line_however_it_is_written(void **state)
{
	static const char *const commands[] = {
		ASKED "echo '{\"id\":7,\"predictions\":[1]}'; read r",
		/* in pieces: each printf writes */
		ASKED
		"printf '{\"id'; printf '\":7,\"predic'; printf 'tions\":[1]}'; printf '\\n'; "
		"read r",
		ASKED "echo '{\"id\":7,\"predictions\":[1]}' > /dev/stdout; echo x > /dev/stderr; "
		      "read r",
		/* 64 bytes */
		ASKED
		"echo '{\"id\":7,\"predictions\":[1],\"filled\":\"__________________________\"}'; "
		"read r",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		struct site site;
		start(&site, commands[i]);
		ask(&site);
		run_until(&site, &site.answered_count);
		assert_ptr_equal(site.request_or_null, &site);
		assert_string_equal(site.predictions, "[1]");
		assert_true(worker_is_idle(site.worker));
		assert_int_equal(site.ended_count, 0);
		kill_and_finish(&site);
		assert_null(site.request_or_null);
	}
}

static void test_who_could_not_read_the_line_may_say_so_without_its_id(void **state)
{
	struct site site;
	(void)state;
	start(&site, ASKED "echo '{\"id\":0,\"error\":\"what?\"}'; read r");
	ask(&site);
	run_until(&site, &site.answered_count);
	assert_ptr_equal(site.request_or_null, &site);
	assert_true(worker_is_idle(site.worker));
	kill_and_finish(&site);
}

static void test_what_is_wrong_with_an_answer_ends_the_worker(void **state)
{
	static const struct {
		const char *command, *said;
	} rows[] = {
		{ASKED "echo nonsense; read r", "is no JSON object; it began with: nonsense"},
		{ASKED "echo; read r", "is no JSON object"},
		{ASKED "echo '{\"id\":8,\"predictions\":1}'; read r", "answered request 8, which"},
		{ASKED "echo '{\"id\":0,\"predictions\":1}'; read r", "answered request 0, which"},
		{ASKED "echo '{\"id\":7}'; read r", "neither predictions nor an error"},
		{ASKED "printf '{\"id\":7,\"predictions\":1}'", "ended with status 0"},
		{ASKED "printf '{\"id\":7,'; exit 5", "ended with status 5"},
		{ASKED "kill -9 $$", "killed by signal 9"},
		{ASKED "exec 1>&-; read r", "closed its standard output"},
		/* 65 bytes, with and without an end */
		{ASKED
		 "echo "
		 "'{\"id\":7,\"predictions\":[1],\"filled\":\"___________________________\"}'; "
		 "read r",
		 "longer than 64 bytes"},
		{ASKED
		 "printf "
		 "'{\"id\":7,\"predictions\":[1],\"filled\":\"___________________________\"}'; "
		 "read r",
		 "longer than 64 bytes"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct site site;
		start(&site, rows[i].command);
		ask(&site);
		finish(&site);
		check_why(&site, ERR_INVALID_STATE, rows[i].said);
		assert_ptr_equal(site.request_or_null, &site);
		assert_int_equal(site.answered_count, 0);
	}
}

static void test_a_worker_that_does_not_start_says_why(void **state)
{
	static const struct {
		const char *command, *said;
	} rows[] = {
		{"exit 3", "ended with status 3"},
		{"exec /nosuch/program", "ended with status 127"},
		{"read p; echo '{\"id\":0,\"error\":\"no memory\"}'; read q",
		 "answered the probe with an error: \"no memory\""},
		{"echo '{\"id\":1}'; read q", "answered request 1, which"},
		{"kill -TERM $$", "killed by signal 15"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct site site;
		start(&site, rows[i].command);
		finish(&site);
		check_why(&site, ERR_INVALID_STATE, rows[i].said);
		assert_int_equal(site.ready_count, 0);
		assert_null(site.request_or_null);
	}
}

static void test_a_worker_may_end_or_speak_while_nobody_asks(void **state)
{
	static const struct {
		const char *command, *said;
	} rows[] = {
		{READY "exit 4", "ended with status 4"},
		{READY "echo '{\"id\":7,\"predictions\":1}'; read r", "had not been asked"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct site site;
		start(&site, rows[i].command);
		run_until(&site, &site.ready_count);
		finish(&site);
		check_why(&site, ERR_INVALID_STATE, rows[i].said);
		assert_null(site.request_or_null);
	}
}

static void test_an_answer_and_the_end_may_come_together(void **state)
{
	struct site site;
	(void)state;
	start(&site, ASKED "echo '{\"id\":7,\"predictions\":[1]}'");
	ask(&site);
	finish(&site);
	assert_int_equal(site.answered_count, 1);
	assert_null(site.request_or_null);
	check_why(&site, ERR_INVALID_STATE, "ended with status 0");
}

static void test_a_worker_that_hangs_is_late(void **state)
{
	struct site site;
	(void)state;
	start(&site, ASKED "read r");
	site.settings.timeout_ms = 100;
	ask(&site);
	finish(&site);
	check_why(&site, ERR_REQUEST_TIMEOUT, "did not answer within 100 ms");
	assert_ptr_equal(site.request_or_null, &site);
}

static void test_a_probe_without_an_answer_is_late(void **state)
{
	struct site site;
	(void)state;
	start_within(&site, "read p; read q", 100);
	finish(&site);
	check_why(&site, ERR_REQUEST_TIMEOUT, "did not answer the probe within 100 ms");
	assert_int_equal(site.ready_count, 0);
}

/* Also one that closes its output first, and needs more time than one that dies so would get. */
static void test_a_worker_that_is_not_needed_ends_by_itself(void **state)
{
	static const char *const commands[] = {
		READY "read q; echo bye; exit 9",
		READY "read q; exec 1>&-; sleep 1; exit 9",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		struct site site;
		start(&site, commands[i]);
		run_until(&site, &site.ready_count);
		worker_finish(site.worker);
		assert_true(worker_is_finishing(site.worker) && !worker_is_ready(site.worker));
		finish(&site);
		check_why(&site, ERR_INVALID_STATE, "ended with status 9");
	}
}

/* A process that it started holds the end of a pipe. */
static void test_what_a_worker_started_goes_with_it(void **state)
{
	struct site site;
	int ends[2];
	char byte;
	(void)state;
	assert_int_equal(pipe(ends), 0);
	start(&site, "sleep 1000 & " READY "read q");
	assert_int_equal(close(ends[1]), 0);
	run_until(&site, &site.ready_count);
	kill_and_finish(&site);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	assert_int_equal(close(ends[0]), 0);
}

/* More than a pipe holds, which the worker does not read before it dies. */
static void test_a_line_may_be_on_its_way_when_the_worker_ends(void **state)
{
	struct site site;
	struct buffer line;
	(void)state;
	start(&site, READY "head -c 100000 > /dev/null; exit 6");
	run_until(&site, &site.ready_count);
	buffer_init(&line, (size_t)1024 * 1024);
	memset(buffer_reserve(&line, (size_t)1024 * 1024), 'x', (size_t)1024 * 1024);
	buffer_commit(&line, (size_t)1024 * 1024);
	worker_ask(site.worker, 7, &line, &site);
	finish(&site);
	check_why(&site, ERR_INVALID_STATE, "ended with status 6");
	assert_ptr_equal(site.request_or_null, &site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_is_a_line_however_it_is_written),
		cmocka_unit_test(test_who_could_not_read_the_line_may_say_so_without_its_id),
		cmocka_unit_test(test_what_is_wrong_with_an_answer_ends_the_worker),
		cmocka_unit_test(test_a_worker_that_does_not_start_says_why),
		cmocka_unit_test(test_a_worker_may_end_or_speak_while_nobody_asks),
		cmocka_unit_test(test_an_answer_and_the_end_may_come_together),
		cmocka_unit_test(test_a_worker_that_hangs_is_late),
		cmocka_unit_test(test_a_probe_without_an_answer_is_late),
		cmocka_unit_test(test_a_worker_that_is_not_needed_ends_by_itself),
		cmocka_unit_test(test_what_a_worker_started_goes_with_it),
		cmocka_unit_test(test_a_line_may_be_on_its_way_when_the_worker_ends),
	};
	/* As main of trk does: a worker that died is no reason to. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
