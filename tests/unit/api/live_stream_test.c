/* What each follower is sent: from where it begins, what it hears, and how it catches up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "limits.h"
#include "unit/api/live_world_helper.h"

#define RUN_EVENT "event: run\n"
#define MODEL_EVENT "event: model\n"
#define RESET_EVENT "event: reset\n"

/* A change of the model's description, told. */
static int64_t change_model(struct tracker_db *t, struct model_pk pk, const char *text)
{
	int64_t seq = world_record(t, REGISTRY_MODEL_DESCRIBED, pk, "m", 0, "", "description", text, 9);
	tell_model("m");
	return seq;
}

static void change_runs(int first, int count)
{
	for (int i = 0; i < count; i++)
		tell_run(first + i, LIVE_METRICS);
	world_pass_ms(LIVE_GATHER_MS);
}

static void test_it_begins_now_and_hears_only_its_topics(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	struct http_exchange *models = peer_follows("model:m", NULL);
	struct http_exchange *runs = peer_follows("run:00000000000000000000000000000007", NULL);
	struct http_exchange *experiment = peer_follows("experiment:3", NULL);
	struct http_exchange *all = peer_follows("model:*,run:*,experiment:*,model:m", NULL);
	struct http_exchange *none = peer_follows("model:n,experiment:4,run:x", NULL);
	world_settle();
	(void)change_model(t, m, "told");
	world_settle();
	change_runs(7, 2);
	assert_string_equal(peer_text(none) + strcspn(peer_text(none), "\n") + 1 +
				    strcspn(strchr(peer_text(none), '\n') + 1, "\n"), "\n\n");
	const struct {
		struct http_exchange *x;
		unsigned models, runs;
	} rows[] = {{models, 1, 0}, {runs, 0, 1}, {experiment, 0, 2}, {all, 1, 2}, {none, 0, 0}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_int_equal(peer_heard(rows[i].x, MODEL_EVENT), rows[i].models);
		assert_int_equal(peer_heard(rows[i].x, RUN_EVENT), rows[i].runs);
		assert_int_equal(peer_heard(rows[i].x, RESET_EVENT), 0);
		assert_int_equal(peer_heard(rows[i].x, "retry: 1000\nid: "), 1);
		assert_true(rows[i].x->is_parked);
	}
}

static void test_who_comes_back_hears_what_it_missed_once_and_in_order(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	char id[LIVE_POSITION_TEXT_BYTES];
	struct http_exchange *x = peer_follows("model:m,run:*", NULL);
	struct http_exchange *stays = peer_follows("model:m,run:*", NULL);
	world_settle();
	(void)change_model(t, m, "earlier.");
	change_runs(1, 1);
	(void)snprintf(id, sizeof(id), "%s", peer_last_id(x));
	peer_leaves(x);
	world_settle();
	for (int i = 0; i < LIVE_READ_EVENTS_MAX + 10; i++) { /* more than one read takes */
		char text[24];
		(void)snprintf(text, sizeof(text), "missed-%d.", i);
		(void)change_model(t, m, text);
	}
	change_runs(2, 3);
	struct http_exchange *again = peer_follows("model:m,run:*", id);
	(void)change_model(t, m, "meanwhile");
	world_settle();
	(void)change_model(t, m, "later.");
	change_runs(5, 1);
	assert_int_equal(peer_heard(again, RESET_EVENT), 0);
	assert_int_equal(peer_heard(again, "earlier."), 0);
	assert_int_equal(peer_heard(again, MODEL_EVENT), LIVE_READ_EVENTS_MAX + 12);
	assert_int_equal(peer_heard(again, RUN_EVENT), 4);
	const char *at = peer_text(again);
	for (int i = 0; i < LIVE_READ_EVENTS_MAX + 10; i++) {
		char text[24];
		(void)snprintf(text, sizeof(text), "missed-%d.", i);
		at = strstr(at, text);
		assert_non_null(at);
	}
	assert_non_null(at = strstr(at, "meanwhile"));
	assert_non_null(strstr(at, "later."));
	assert_string_equal(peer_last_id(again), peer_last_id(stays));
	assert_int_equal(peer_heard(stays, MODEL_EVENT), LIVE_READ_EVENTS_MAX + 13);
}

/* Each row is what Last-Event-ID says; the reply must be one reset of what it lacks, and end at a position that is
 * known: the greeting has no id then, so that the reset cannot be missed. */
static void test_what_cannot_be_told_any_more_is_reset(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	struct http_exchange *first = peer_follows("model:m,run:*", NULL);
	world_settle();
	change_runs(1, 2);
	char ring[16], known[LIVE_POSITION_TEXT_BYTES], future[LIVE_POSITION_TEXT_BYTES];
	char future_ring[LIVE_POSITION_TEXT_BYTES];
	(void)snprintf(known, sizeof(known), "%s", peer_last_id(first));
	(void)snprintf(ring, sizeof(ring), "%.8s", known);
	(void)snprintf(future, sizeof(future), "%s-2.99.-", ring);
	(void)snprintf(future_ring, sizeof(future_ring), "%s-3.1.-", ring);
	const struct {
		const char *last_id, *reset_or_null;
	} rows[] = {
		{known, NULL},
		{future, "{\"topics\":[\"model:m\"]}"},
		{future_ring, "{\"topics\":[\"run:*\"]}"},
		{"00000000-2.1.-", "{\"topics\":[\"run:*\"]}"},
		{"00000000-2.-.-", "{\"topics\":[\"model:m\",\"run:*\"]}"},
		{"00000000--.-.-", "{\"topics\":[\"model:m\",\"run:*\"]}"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct http_exchange *x = peer_follows("model:m,run:*", rows[i].last_id);
		world_settle();
		assert_int_equal(peer_heard(x, RESET_EVENT), rows[i].reset_or_null != NULL);
		if (rows[i].reset_or_null != NULL) {
			assert_int_equal(peer_heard(x, rows[i].reset_or_null), 1);
			assert_int_equal(peer_heard(x, "retry: 1000\n\n"), 1);
		}
		assert_string_equal(peer_last_id(x), known);
		assert_int_equal(peer_heard(x, MODEL_EVENT) + peer_heard(x, RUN_EVENT), 0);
		peer_leaves(x);
		world_settle();
	}
	(void)m;
}

static void test_the_ring_is_told_to_its_end_and_reset_beyond(void **state)
{
	char oldest[LIVE_POSITION_TEXT_BYTES], next[LIVE_POSITION_TEXT_BYTES];
	struct http_exchange *stays = peer_follows("run:*", NULL);
	(void)state;
	world_settle();
	change_runs(1, 1);
	(void)snprintf(oldest, sizeof(oldest), "%s", peer_last_id(stays));
	change_runs(2, 1);
	(void)snprintf(next, sizeof(next), "%s", peer_last_id(stays));
	for (int i = 0; i < LIVE_RING_CHANGES; i++)
		tell_run(100 + i, LIVE_METRICS);
	world_pass_ms(LIVE_GATHER_MS);
	struct http_exchange *reached = peer_follows("run:*", next);
	struct http_exchange *lost = peer_follows("run:*", oldest);
	world_settle();
	assert_int_equal(peer_heard(reached, RUN_EVENT), LIVE_RING_CHANGES);
	assert_int_equal(peer_heard(reached, RESET_EVENT), 0);
	assert_int_equal(peer_heard(lost, RUN_EVENT), 0);
	assert_int_equal(peer_heard(lost, RESET_EVENT), 1);
	assert_int_equal(peer_heard(stays, RUN_EVENT), LIVE_RING_CHANGES + 2);
	assert_string_equal(peer_last_id(lost), peer_last_id(stays));
}

static void test_a_slow_reader_costs_little_and_misses_nothing(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	static char large[4000];
	memset(large, 'x', sizeof(large) - 1);
	struct http_exchange *slow = peer_follows("model:m,run:*", NULL);
	struct http_exchange *fast = peer_follows("model:m,run:*", NULL);
	slow->reads_slowly = true;
	world_settle();
	for (int i = 0; i < 100; i++) {
		(void)change_model(t, m, large);
		world_settle();
	}
	change_runs(1, 1000);
	const struct live_stream *stream = slow->context;
	assert_in_range(stream->backlog.len, LIVE_BACKLOG_BYTES_MAX, LIVE_BACKLOG_BYTES_MAX + 2 * sizeof(large));
	assert_int_equal(peer_heard(fast, MODEL_EVENT), 100);
	assert_int_equal(peer_heard(fast, RUN_EVENT), 1000);
	slow->reads_slowly = false;
	world_settle();
	(void)change_model(t, m, "last");
	world_settle();
	assert_int_equal(peer_heard(slow, MODEL_EVENT), 101);
	assert_int_equal(peer_heard(slow, RUN_EVENT), 1000);
	assert_int_equal(peer_heard(slow, RESET_EVENT), 0);
	assert_string_equal(peer_last_id(slow), peer_last_id(fast));
}

static void test_a_slow_reader_that_the_ring_leaves_behind_is_reset(void **state)
{
	struct http_exchange *slow = peer_follows("run:*", NULL);
	(void)state;
	slow->reads_slowly = true;
	world_settle();
	for (int i = 0; i < 2 * LIVE_RING_CHANGES; i++)
		tell_run(i, LIVE_METRICS);
	world_pass_ms(LIVE_GATHER_MS);
	slow->reads_slowly = false;
	world_settle();
	assert_int_equal(peer_heard(slow, RESET_EVENT), 1);
	unsigned heard = peer_heard(slow, RUN_EVENT);
	assert_in_range(heard, 1, LIVE_RING_CHANGES);
	change_runs(1, 1);
	assert_int_equal(peer_heard(slow, RUN_EVENT), heard + 1);
}

static void test_who_leaves_in_the_midst_is_forgotten(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	struct http_exchange *unread = peer_follows("model:m", NULL);
	peer_leaves(unread); /* before its read */
	struct http_exchange *reading = peer_follows("model:m,run:*", NULL);
	world_run_reads();
	peer_leaves(reading); /* before the outcome is there */
	world_settle();
	struct http_exchange *writing = peer_follows("model:m,run:*", NULL);
	writing->reads_slowly = true;
	world_settle();
	(void)change_model(t, m, "x");
	peer_leaves(writing); /* with a piece on its way, and news being read */
	world_settle();
	assert_int_equal(world_live()->stream_count, 0);
	change_runs(1, 1);
	assert_int_equal(peer_heard(writing, RUN_EVENT), 0);
	assert_int_equal(peer_heard(writing, MODEL_EVENT), 0);
}

static void test_a_failed_first_read_is_an_error_and_a_later_one_cuts(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	struct http_exchange *refused = peer_follows("model:m", NULL);
	world_fail_next_read();
	world_settle();
	assert_int_equal(refused->status, 503);
	struct http_exchange *x = peer_follows("model:m", "00000000--.0.-");
	world_run_reads();
	for (int i = 0; i < LIVE_READ_EVENTS_MAX; i++)
		(void)change_model(t, m, "x");
	struct http_exchange *y = peer_follows("model:m", "00000000--.1.-");
	world_settle();
	assert_int_equal(peer_heard(x, MODEL_EVENT), LIVE_READ_EVENTS_MAX + 1);
	assert_int_equal(peer_heard(y, MODEL_EVENT), LIVE_READ_EVENTS_MAX);
	world_refuse_jobs(true);
	struct http_exchange *late = peer_follows("model:m", "00000000--.1.-");
	assert_int_equal(late->status, 503);
	world_refuse_jobs(false);
	assert_int_equal(world_live()->stream_count, 2);
}

static void test_what_is_silent_is_pinged_with_its_position(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk m = world_add_model(t, "m", 1);
	struct http_exchange *x = peer_follows("model:other", NULL);
	world_settle();
	(void)change_model(t, m, "not for it");
	struct http_exchange *all = peer_follows("model:*", NULL);
	world_settle();
	(void)change_model(t, m, "for the second");
	world_settle();
	world_pass_ms(LIVE_PING_MS - 1);
	assert_int_equal(peer_heard(x, ": ping\n"), 0);
	world_pass_ms(1);
	assert_int_equal(peer_heard(x, ": ping\n"), 1);
	/* It does not ask again for what was not for it. */
	assert_string_equal(peer_last_id(x), peer_last_id(all));
	world_pass_ms(2 * LIVE_PING_MS);
	assert_int_equal(peer_heard(x, ": ping\n"), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_it_begins_now_and_hears_only_its_topics),
		TEST(test_who_comes_back_hears_what_it_missed_once_and_in_order),
		TEST(test_what_cannot_be_told_any_more_is_reset),
		TEST(test_the_ring_is_told_to_its_end_and_reset_beyond),
		TEST(test_a_slow_reader_costs_little_and_misses_nothing),
		TEST(test_a_slow_reader_that_the_ring_leaves_behind_is_reset),
		TEST(test_who_leaves_in_the_midst_is_forgotten),
		TEST(test_a_failed_first_read_is_an_error_and_a_later_one_cuts),
		TEST(test_what_is_silent_is_pinged_with_its_position),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
