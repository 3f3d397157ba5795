/* What a target tells the daemon of itself, and when; the tests set `due_ms` instead of waiting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/reporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_scanner.h"
#include "fake_server_helper.h"

#define ID "0123456789abcdef0123456789abcdef"
enum { HOUR_MS = 60 * 60 * 1000, PAUSE_MS_MIN = 250, PAUSE_MS_MAX = 30 * 1000 };

/* A reporter with its server, and what it said. */
struct site {
	struct world *world;
	struct fake_server *server; /* NULL: away */
	int port;
	struct reporter reporter;
	int troubles, comforts;
	char said[ERROR_MESSAGE_BYTES_MAX];
};

static void hear(void *context, bool is_trouble, const char *sentence)
{
	struct site *s = context;
	s->troubles += is_trouble;
	s->comforts += !is_trouble;
	snprintf(s->said, sizeof s->said, "%s", sentence);
}

static int set_up(void **state)
{
	struct site *s = calloc(1, sizeof *s);
	struct error err;
	assert_non_null(s);
	s->world = world_new();
	s->server = fake_server_start(s->world, 0);
	s->port = s->server->port;
	const struct reporter_options options = {.url = s->server->url,
						 .user = "ana",
						 .heartbeat_ms = HOUR_MS,
						 .say = hear,
						 .context = s};
	if (!reporter_open(&s->reporter, &options, &err))
		fail_msg("%s", err.message);
	*state = s;
	return 0;
}

static void go_away(struct site *s)
{
	fake_server_stop(s->server);
	s->server = NULL;
}

static int tear_down(void **state)
{
	struct site *s = *state;
	reporter_close(&s->reporter);
	if (s->server != NULL)
		go_away(s);
	world_free(s->world);
	free(s);
	return 0;
}

static struct report make_report(const char *state, const char *version, const char *reason)
{
	return (struct report){.state = state,
			       .model = "taxi",
			       .alias = "champion",
			       .version = version,
			       .previous_version = "1",
			       .environment = "prod",
			       .target = "dispatch",
			       .path = "/srv/taxi",
			       .reason = reason};
}

static void tell(struct site *s, const char *state, const char *version, const char *reason)
{
	const struct report report = make_report(state, version, reason);
	reporter_tell(&s->reporter, ID, &report);
}

static void end(struct site *s)
{
	const struct report report = make_report("stale", "2", "");
	reporter_end(&s->reporter, ID, &report);
}

/* As if the time of what comes next had come. */
static void tick_when_due(struct site *s)
{
	s->reporter.due_ms = 0;
	reporter_tick(&s->reporter);
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static void assert_requests(struct site *s, size_t reports, size_t heartbeats)
{
	assert_int_equal(world_count_requests(s->world, "PUT "), reports);
	assert_int_equal(world_count_requests(s->world, "POST "), heartbeats);
}

static void assert_said(const struct site *s, int troubles, int comforts)
{
	assert_int_equal(s->troubles, troubles);
	assert_int_equal(s->comforts, comforts);
}

/* A text of the last report. */
static void assert_told(struct site *s, const char *key, const char *expected)
{
	struct arena arena;
	struct json_value *body = NULL;
	struct error err;
	arena_init(&arena, 65536);
	assert_true(
		json_tree_parse(slice_from_cstr(world_deployment(s->world)), &arena, &body, &err));
	struct slice text = json_tree_string(json_tree_get(body, key), SLICE("(none)"));
	if (!slice_eq_cstr(text, expected))
		fail_msg("%s is '%.*s'", key, SLICE_FMT(text));
	arena_deinit(&arena);
}

static void assert_told_heartbeat(struct site *s, int64_t expected_ms)
{
	char member[64];
	snprintf(member, sizeof member, "\"heartbeat_ms\":%lld}", (long long)expected_ms);
	assert_non_null(strstr(world_deployment(s->world), member));
}

/* ---- reports ---- */

static void nothing_is_told_before_the_first_state(void **state)
{
	struct site *s = *state;
	tick_when_due(s);
	tell(s, NULL, "2", "the alias is gone");
	end(s);
	tick_when_due(s);
	assert_requests(s, 0, 0);
	assert_said(s, 0, 0);
}

static void the_first_report_tells_everything(void **state)
{
	struct site *s = *state;
	tell(s, "deploying", "2", "the alias moved");
	assert_int_equal(world_count_requests(s->world, "PUT /api/trackerd/v1/deployments/" ID), 1);
	static const struct {
		const char *key, *text;
	} rows[] = {
		{"state", "deploying"}, {"model", "taxi"},	   {"alias", "champion"},
		{"version", "2"},	{"previous_version", "1"}, {"environment", "prod"},
		{"target", "dispatch"}, {"path", "/srv/taxi"},	   {"reason", "the alias moved"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_told(s, rows[i].key, rows[i].text);
	assert_told_heartbeat(s, HOUR_MS);
	assert_requests(s, 1, 0);
	assert_said(s, 0, 0); /* all is well */
}

static void a_report_without_a_state_adds_to_the_last_one(void **state)
{
	struct site *s = *state;
	tell(s, "failed", "2", "no disk");
	tell(s, NULL, "2", "the alias is gone");
	assert_told(s, "state", "failed");
	assert_told(s, "reason", "no disk; the alias is gone");
	tell(s, NULL, "2", "the model is gone"); /* instead of what was added before */
	assert_told(s, "reason", "no disk; the model is gone");
	tell(s, "active", "2", "");
	tell(s, NULL, "2", "the alias is gone");
	assert_told(s, "state", "active");
	assert_told(s, "reason", "the alias is gone");
}

/* ---- heartbeats ---- */

static void heartbeats_are_sent_when_they_are_due(void **state)
{
	struct site *s = *state;
	for (size_t beats = 0; beats < 3; beats++) {
		int64_t began_ms = now_ms();
		if (beats == 0)
			tell(s, "active", "2", "");
		else
			tick_when_due(s);
		assert_requests(s, 1, beats);
		assert_true(s->reporter.due_ms >= began_ms + HOUR_MS);
		assert_true(s->reporter.due_ms <= now_ms() + HOUR_MS);
		reporter_tick(&s->reporter);
		assert_requests(s, 1, beats); /* none before its time */
	}
	assert_int_equal(world_count_requests(s->world,
					      "POST /api/trackerd/v1/deployments/" ID "/heartbeat"),
			 2);
}

static void who_promises_no_heartbeats_sends_none(void **state)
{
	struct site *s = *state;
	s->reporter.options.heartbeat_ms = 0;
	tell(s, "active", "2", "");
	assert_told_heartbeat(s, 0);
	assert_true(s->reporter.due_ms == INT64_MAX);
}

static void who_was_forgotten_reports_again(void **state)
{
	struct site *s = *state;
	tell(s, "active", "2", "");
	world_forget_deployment(s->world);
	tick_when_due(s);
	assert_requests(s, 2, 1);
	assert_told(s, "state", "active");
	tick_when_due(s);
	assert_requests(s, 2, 2);
	assert_said(s, 0, 0);
}

/* ---- a daemon that is away ---- */

static void after_it_was_away_it_is_told_everything_again(void **state)
{
	struct site *s = *state;
	tell(s, "active", "2", "");
	go_away(s);
	world_forget_deployment(s->world);
	tick_when_due(s);
	assert_said(s, 1, 0);
	tick_when_due(s);
	assert_said(s, 1, 0); /* once is enough */
	assert_requests(s, 1, 0);
	s->server = fake_server_start(s->world, s->port);
	tick_when_due(s);
	assert_requests(s, 2, 0); /* not a heartbeat */
	assert_told(s, "version", "2");
	assert_said(s, 1, 1);
	tick_when_due(s);
	assert_requests(s, 2, 1);
	assert_said(s, 1, 1);
}

static void pauses_grow_to_half_a_minute(void **state)
{
	struct site *s = *state;
	int64_t pause_ms = PAUSE_MS_MIN;
	go_away(s);
	for (int i = 0; i < 10; i++) {
		int64_t began_ms = now_ms();
		if (i == 0)
			tell(s, "active", "2", "");
		else
			tick_when_due(s);
		assert_true(s->reporter.due_ms >= began_ms + pause_ms / 2);
		assert_true(s->reporter.due_ms <= now_ms() + pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
	}
	assert_said(s, 1, 0);
}

static void only_the_newest_report_is_made_up_for(void **state)
{
	struct site *s = *state;
	world_add_fault(s->world, FAULT_STATUS, 503, 0);
	world_add_fault(s->world, FAULT_STATUS, 503, 0);
	tell(s, "deploying", "2", "");
	tell(s, "active", "2", "");
	assert_string_equal(world_deployment(s->world), "");
	tick_when_due(s);
	assert_requests(s, 3, 0);
	assert_told(s, "state", "active");
	assert_said(s, 1, 1);
}

/* ---- refusals ---- */

static void a_refusal_is_said_once(void **state)
{
	struct site *s = *state;
	static const int statuses[] = {400, 401, 403, 409};
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++)
		world_add_fault(s->world, FAULT_STATUS, statuses[i], 0);
	tell(s, "active", "2", "");
	assert_string_equal(s->said, "The server was not told of this deployment: a fault");
	for (size_t i = 1; i < ARRAY_COUNT(statuses); i++)
		tick_when_due(s);
	assert_said(s, 1, 0);
	assert_requests(s, ARRAY_COUNT(statuses), 0);
	tick_when_due(s);
	assert_told(s, "state", "active");
	assert_said(s, 1, 1);
	assert_string_equal(s->said, "The server was told of this deployment.");
	world_add_fault(s->world, FAULT_STATUS, 400, 0);
	tick_when_due(s);
	assert_said(s, 2, 1); /* new trouble */
}

static void a_server_that_keeps_no_deployments_is_left_in_peace(void **state)
{
	struct site *s = *state;
	world_add_fault(s->world, FAULT_STATUS, 404, 0);
	tell(s, "deploying", "2", "");
	assert_string_equal(s->said,
			    "The server keeps no deployments, so it was not told of this one.");
	assert_true(s->reporter.due_ms == INT64_MAX);
	tell(s, "active", "2", "");
	tick_when_due(s);
	end(s);
	assert_requests(s, 1, 0);
	assert_said(s, 1, 0);
}

/* A proxy says so while the server behind it starts. */
static void one_that_was_told_before_is_told_again(void **state)
{
	struct site *s = *state;
	tell(s, "active", "2", "");
	world_add_fault(s->world, FAULT_STATUS, 404, 0);
	world_add_fault(s->world, FAULT_STATUS, 404, 0);
	tick_when_due(s);
	assert_requests(s, 1, 1);
	assert_true(s->reporter.due_ms <= now_ms() + PAUSE_MS_MAX);
	tell(s, "failed", "3", "no disk");
	assert_requests(s, 2, 1);
	assert_said(s, 1, 0);
	tick_when_due(s);
	assert_requests(s, 3, 1);
	assert_told(s, "state", "failed");
	assert_said(s, 1, 1);
}

/* ---- goodbye ---- */

static void the_last_report_promises_nothing(void **state)
{
	struct site *s = *state;
	tell(s, "active", "2", "");
	end(s);
	assert_requests(s, 2, 0);
	assert_told(s, "state", "stale");
	assert_told(s, "version", "2");
	assert_told_heartbeat(s, 0);
	assert_true(s->reporter.due_ms == INT64_MAX);
	tick_when_due(s);
	assert_requests(s, 2, 0);
	assert_said(s, 0, 0);
}

static void who_was_not_heard_says_no_goodbye(void **state)
{
	struct site *s = *state;
	world_add_fault(s->world, FAULT_STATUS, 503, 0);
	tell(s, "active", "2", "");
	end(s);
	assert_requests(s, 1, 0);
	assert_said(s, 1, 0);
}

static void goodbye_does_not_wait_for_an_answer_for_long(void **state)
{
	struct site *s = *state;
	enum { TIMEOUT_MS = 5000, SLACK_MS = 20 * 1000 };
	tell(s, "active", "2", "");
	world_add_fault(s->world, FAULT_HOLD, 0, 0);
	int64_t began_ms = now_ms();
	end(s);
	assert_true(now_ms() - began_ms < TIMEOUT_MS + SLACK_MS);
	world_wait_requests(s->world, "PUT ", 2);
	assert_said(s, 1, 0);
	tick_when_due(s); /* it is not tried again */
	world_release(s->world);
	assert_requests(s, 2, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_told_before_the_first_state),
		TEST(the_first_report_tells_everything),
		TEST(a_report_without_a_state_adds_to_the_last_one),
		TEST(heartbeats_are_sent_when_they_are_due),
		TEST(who_promises_no_heartbeats_sends_none),
		TEST(who_was_forgotten_reports_again),
		TEST(after_it_was_away_it_is_told_everything_again),
		TEST(pauses_grow_to_half_a_minute),
		TEST(only_the_newest_report_is_made_up_for),
		TEST(a_refusal_is_said_once),
		TEST(a_server_that_keeps_no_deployments_is_left_in_peace),
		TEST(one_that_was_told_before_is_told_again),
		TEST(the_last_report_promises_nothing),
		TEST(who_was_not_heard_says_no_goodbye),
		TEST(goodbye_does_not_wait_for_an_answer_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
