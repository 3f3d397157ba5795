/* The workers of one version: their start, their replacement, and their common end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/checked.h"
#include "serve/workers.h"

enum { PATIENCE_MS = 30000, TICK_MS = 50, RESTARTS_MAX = 8 };

/* Answers all there is with the version. */
#define SERVE                                                                                      \
	"while read -r line; do id=${line#*:}; echo \"{\\\"id\\\":${id%%,*},\\\"predictions\\\":"  \
	"\\\"$TRK_VERSION\\\"}\"; done"

struct site {
	uv_loop_t loop;
	uv_timer_t tick; /* so that waiting ends */
	char folder[64]; /* the model, whose workers find it in TRK_MODEL_PATH */
	struct workers *workers;
	int ready_count, failed_count, closed_count, restart_count, over_count;
	bool is_lost; /* the last request that is over */
	int64_t restarts_ms[RESTARTS_MAX];
	char answer[64];
	struct error why;
};

static void on_ready(struct workers *ws, void *ctx)
{
	struct site *site = ctx;
	assert_ptr_equal(ws, site->workers);
	site->ready_count++;
}

static void on_failed(struct workers *ws, const struct error *why, void *ctx)
{
	struct site *site = ctx;
	assert_ptr_equal(ws, site->workers);
	site->failed_count++;
	site->why = *why;
	workers_close(ws);
}

static void on_idle(struct workers *ws, void *ctx)
{
	(void)ctx;
	assert_true(workers_have_idle(ws));
}

static void on_answered(struct workers *ws, struct request *r, const struct answer *answer,
			void *ctx)
{
	struct site *site = ctx;
	(void)ws;
	site->over_count++;
	site->is_lost = false;
	(void)snprintf(site->answer, sizeof(site->answer), "%.*s", SLICE_FMT(answer->predictions));
	request_free(r);
}

static void on_lost(struct workers *ws, struct request *r, const struct error *why, void *ctx)
{
	struct site *site = ctx;
	(void)ws;
	site->over_count++;
	site->is_lost = true;
	site->why = *why;
	request_free(r);
}

static void on_restart(struct workers *ws, const struct error *why, void *ctx)
{
	struct site *site = ctx;
	(void)ws;
	site->why = *why;
	if (site->restart_count < RESTARTS_MAX)
		site->restarts_ms[site->restart_count] = (int64_t)uv_now(&site->loop);
	site->restart_count++;
}

static void on_closed(struct workers *ws, void *ctx)
{
	struct site *site = ctx;
	assert_ptr_equal(ws, site->workers);
	site->closed_count++;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void init(struct site *site)
{
	*site = (struct site){.folder = "/tmp/workers-XXXXXX"};
	assert_non_null(mkdtemp(site->folder));
	assert_int_equal(uv_loop_init(&site->loop), 0);
	assert_int_equal(uv_timer_init(&site->loop, &site->tick), 0);
	assert_int_equal(uv_timer_start(&site->tick, on_tick, TICK_MS, TICK_MS), 0);
}

/* Makes, or removes, a file in the model. */
static void put(const struct site *site, const char *name, const char *text_or_null)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", site->folder, name);
	if (text_or_null == NULL) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text_or_null, file) >= 0 && fclose(file) == 0);
}

static bool open_workers(struct site *site, const char *command, size_t count, struct error *err)
{
	static char name[] = "n", model[] = "m", version[] = "5", alias[] = "a", run[] = "r";
	const struct served_model served = {name, site->folder, model, version, alias, run};
	const struct workers_options options = {
		.command = command,
		.count = count,
		.start_timeout_ms = PATIENCE_MS,
		.timeout_ms = PATIENCE_MS,
		.answer_bytes_max = 1000,
		.line_bytes_max = 1000,
		.ready_cb = on_ready,
		.failed_cb = on_failed,
		.idle_cb = on_idle,
		.answered_cb = on_answered,
		.lost_cb = on_lost,
		.restart_cb = on_restart,
		.closed_cb = on_closed,
		.ctx = site,
	};
	return workers_open(&site->loop, &options, &served, &site->workers, err);
}

static void start(struct site *site, const char *command, size_t count)
{
	struct error err;
	init(site);
	assert_true(open_workers(site, command, count, &err));
}

static void run_until(struct site *site, const int *count, int wanted)
{
	uint64_t end = uv_now(&site->loop) + PATIENCE_MS;
	while (*count < wanted) {
		assert_true(uv_now(&site->loop) < end);
		(void)uv_run(&site->loop, UV_RUN_ONCE);
	}
}

static void run_until_idle(struct site *site)
{
	uint64_t end = uv_now(&site->loop) + PATIENCE_MS;
	while (!workers_have_idle(site->workers)) {
		assert_true(uv_now(&site->loop) < end);
		(void)uv_run(&site->loop, UV_RUN_ONCE);
	}
}

static void ask(struct site *site)
{
	struct request *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->id = 9;
	buffer_init(&r->line, 100);
	buffer_append(&r->line, SLICE("{\"id\":9,\"inputs\":1}\n"));
	workers_ask(site->workers, r);
}

/* Until no process is left. */
static void close_loop(struct site *site)
{
	run_until(site, &site->closed_count, 1);
	uv_close((uv_handle_t *)&site->tick, NULL);
	assert_int_equal(uv_run(&site->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&site->loop), 0);
}

static void finish(struct site *site)
{
	close_loop(site);
	assert_int_equal(rmdir(site->folder), 0);
}

static void test_all_are_ready_before_the_version_is(void **state)
{
	struct site site;
	(void)state;
	start(&site, SERVE, 3);
	assert_int_equal(workers_since_ms(site.workers), 0);
	run_until(&site, &site.ready_count, 1);
	assert_int_equal(workers_ready_count(site.workers), 3);
	assert_true(workers_since_ms(site.workers) > 0);
	for (int i = 1; i <= 3; i++) {
		run_until_idle(&site);
		ask(&site);
		run_until(&site, &site.over_count, i);
		assert_string_equal(site.answer, "\"5\"");
	}
	workers_close(site.workers);
	finish(&site);
	assert_int_equal(site.restart_count, 0);
}

static void test_one_that_fails_is_enough(void **state)
{
	struct site site;
	(void)state;
	/* The first to make the folder fails; the others never answer. */
	start(&site, "mkdir \"$TRK_MODEL_PATH/first\" && exit 3; read p; read q", 3);
	run_until(&site, &site.failed_count, 1);
	assert_string_equal(site.why.message, "it ended with status 3");
	close_loop(&site);
	assert_int_equal(site.failed_count, 1);
	assert_int_equal(site.ready_count, 0);
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/first", site.folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(site.folder), 0);
}

/* At once the first time; then pauses double, until there is an answer again. Pauses may be longer, never shorter. */
static void test_pauses_before_a_worker_is_replaced_double(void **state)
{
	static const int64_t pauses_ms[] = {0, 100, 200, 400};
	struct site site;
	(void)state;
	start(&site,
	      "[ -e \"$TRK_MODEL_PATH/sick\" ] && exit 1; read -r p; echo '{\"id\":0}'; read q; "
	      "exit 2",
	      1);
	run_until(&site, &site.ready_count, 1);
	put(&site, "sick", "");
	ask(&site);
	run_until(&site, &site.over_count, 1);
	assert_true(site.is_lost);
	assert_string_equal(site.why.message, "it ended with status 2");
	run_until(&site, &site.restart_count, 5);
	assert_string_equal(site.why.message, "it ended with status 1");
	for (size_t i = 0; i < ARRAY_COUNT(pauses_ms); i++)
		assert_true(site.restarts_ms[i + 1] - site.restarts_ms[i] >= pauses_ms[i]);
	assert_int_equal(workers_ready_count(site.workers), 0);
	put(&site, "sick", NULL);
	run_until_idle(&site);
	assert_int_equal(site.ready_count, 1); /* the version was ready before */
	workers_close(site.workers);
	finish(&site);
}

static void test_the_example_of_the_model_is_the_probe(void **state)
{
	struct site site;
	struct error err;
	(void)state;
	init(&site);
	put(&site, "serving_input_example.json", "{\"instances\": [NaN]}");
	assert_true(open_workers(&site,
				 "read -r p; [ \"$p\" = '{\"id\":0,\"inputs\":[null]}' ] && echo "
				 "'{\"id\":0}'; read q",
				 1, &err));
	run_until(&site, &site.ready_count, 1);
	workers_close(site.workers);
	run_until(&site, &site.closed_count, 1);
	put(&site, "serving_input_example.json", "{}");
	assert_false(open_workers(&site, SERVE, 1, &err));
	assert_non_null(strstr(err.message, "serving_input_example.json of the model: The body"));
	put(&site, "serving_input_example.json", NULL);
	finish(&site);
	assert_int_equal(site.closed_count, 1);
}

/* What is at a request may finish, is ended now, or all is ended at once. */
static void test_the_end_has_as_much_patience_as_is_asked_for(void **state)
{
	/* Answers when there is a file; does not end by itself. */
	static const char command[] =
		"trap '' TERM; read -r p; echo '{\"id\":0}'; read q; until [ -e "
		"\"$TRK_MODEL_PATH/go\" ]; "
		"do sleep 0.02; done; echo '{\"id\":9,\"predictions\":1}'; exec sleep 1000";
	static const struct {
		void (*end)(struct workers *ws);
		bool is_lost, is_closed;
	} rows[] = {
		{workers_close, false, false},
		{workers_kill, true, true},
		{workers_abort, true, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct site site;
		start(&site, command, 1);
		run_until(&site, &site.ready_count, 1);
		ask(&site);
		rows[i].end(site.workers);
		assert_int_equal(site.closed_count, rows[i].is_closed);
		assert_int_equal(site.over_count, rows[i].is_lost);
		put(&site, "go", "");
		run_until(&site, &site.over_count, 1);
		assert_int_equal(site.is_lost, rows[i].is_lost);
		if (!rows[i].is_closed) {
			/* It has answered, and does not end though its input has. */
			workers_kill(site.workers);
			assert_int_equal(site.closed_count, 0);
			workers_abort(site.workers);
			assert_int_equal(site.closed_count, 1);
		}
		put(&site, "go", NULL);
		finish(&site);
		assert_int_equal(site.restart_count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_ready_before_the_version_is),
		cmocka_unit_test(test_one_that_fails_is_enough),
		cmocka_unit_test(test_pauses_before_a_worker_is_replaced_double),
		cmocka_unit_test(test_the_example_of_the_model_is_the_probe),
		cmocka_unit_test(test_the_end_has_as_much_patience_as_is_asked_for),
	};
	/* As main of trk does: a worker that died is no reason to. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
