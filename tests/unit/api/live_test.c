/* The hub: how many may follow, when it reads, when it gathers, and how it ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "limits.h"
#include "unit/api/live_world_helper.h"

#define RUN_EVENT "event: run\n"
#define MODEL_EVENT "event: model\n"

static int64_t change_model(struct tracker_db *t, struct model_pk pk)
{
	return world_record(t, REGISTRY_MODEL_DESCRIBED, pk, "m", 0, "", "description", "d", 9);
}

static void test_changes_of_a_run_are_gathered_for_a_moment(void **state)
{
	(void)state;
	struct http_exchange *x = peer_follows("run:*", NULL);
	world_settle();
	for (int i = 0; i < 50; i++)
		tell_run(1, LIVE_METRICS);
	world_pass_ms(LIVE_GATHER_MS - 1);
	assert_int_equal(peer_heard(x, RUN_EVENT), 0);
	tell_run(1, LIVE_TAGS);
	world_pass_ms(1);
	assert_int_equal(peer_heard(x, RUN_EVENT), 1);
	assert_int_equal(peer_heard(x, "\"what\":[\"metrics\",\"tags\"]"), 1);
	/* More than may be pending are told at once. */
	for (int i = 0; i < LIVE_PENDING_MAX - 1; i++)
		tell_run(i, LIVE_METRICS);
	world_settle();
	assert_int_equal(peer_heard(x, RUN_EVENT), 1);
	tell_run(LIVE_PENDING_MAX, LIVE_METRICS);
	world_settle();
	assert_int_equal(peer_heard(x, RUN_EVENT), 1 + LIVE_PENDING_MAX);
}

/* Changes while a read of news runs are found by one more, however many they are. */
static void test_news_of_models_are_read_by_one_read_at_a_time(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	struct http_exchange *x = peer_follows("model:m", NULL), *y = peer_follows("model:*", NULL);
	world_settle();
	unsigned before = world_read_count();
	(void)change_model(t, pk);
	tell_model("m");
	world_run_reads();
	for (int i = 0; i < 10; i++) {
		(void)change_model(t, pk);
		tell_model("m");
	}
	world_settle();
	assert_int_equal(world_read_count(), before + 2);
	assert_int_equal(peer_heard(x, MODEL_EVENT), 11);
	assert_int_equal(peer_heard(y, MODEL_EVENT), 11);
	assert_string_equal(peer_last_id(x), peer_last_id(y));
}

static void test_a_read_of_news_that_fails_is_tried_again(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	struct http_exchange *x = peer_follows("model:m", NULL);
	world_settle();
	for (int i = 0; i < 2; i++) { /* it fails, or is not even begun */
		(void)change_model(t, pk);
		world_refuse_jobs(i == 1);
		if (i == 0)
			world_fail_next_read();
		tell_model("m");
		world_settle();
		world_refuse_jobs(false);
		assert_int_equal(peer_heard(x, MODEL_EVENT), i);
		world_pass_ms(1000);
		assert_int_equal(peer_heard(x, MODEL_EVENT), i + 1);
	}
}

/* All leave while news are read, and others come who were told less. */
static void test_who_comes_during_a_read_for_others_misses_nothing(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	char id[LIVE_POSITION_TEXT_BYTES];
	struct http_exchange *x = peer_follows("model:m", NULL);
	world_settle();
	(void)snprintf(id, sizeof(id), "%s", peer_last_id(x));
	for (int i = 0; i < 3; i++)
		(void)change_model(t, pk);
	tell_model("m");
	world_run_reads();
	peer_leaves(x);
	world_serve_peers();
	struct http_exchange *y = peer_follows("model:m", id), *z = peer_follows("model:m", NULL);
	(void)change_model(t, pk);
	tell_model("m");
	world_settle();
	assert_int_equal(peer_heard(y, MODEL_EVENT), 4);
	(void)change_model(t, pk);
	tell_model("m");
	world_settle();
	assert_int_equal(peer_heard(y, MODEL_EVENT), 5);
	assert_string_equal(peer_last_id(y), peer_last_id(z));
}

/* The read of one who catches up ends later than that of news which began after it. */
static void test_who_reads_longer_than_the_others_does_not_step_in_behind_them(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	struct http_exchange *x = peer_follows("model:m", NULL);
	world_settle();
	struct http_exchange *y = peer_follows("model:m", "00000000--.0.-");
	world_run_reads();
	(void)change_model(t, pk);
	tell_model("m");
	world_run_reads();
	world_overtake();
	world_settle();
	(void)change_model(t, pk);
	tell_model("m");
	world_settle();
	assert_int_equal(peer_heard(x, MODEL_EVENT), 2);
	assert_int_equal(peer_heard(y, MODEL_EVENT), 3);
	assert_string_equal(peer_last_id(x), peer_last_id(y));
}

static void test_the_ring_goes_on_for_a_while_when_nobody_follows(void **state)
{
	(void)state;
	static const struct {
		int64_t away_ms;
		unsigned told;
	} rows[] = {{LIVE_KEPT_MS - 1, 1}, {LIVE_KEPT_MS, 0}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char id[LIVE_POSITION_TEXT_BYTES];
		struct http_exchange *x = peer_follows("run:*", NULL);
		world_settle();
		(void)snprintf(id, sizeof(id), "%s", peer_last_id(x));
		peer_leaves(x);
		world_settle();
		world_pass_ms(rows[i].away_ms);
		tell_run(1, LIVE_METRICS);
		world_pass_ms(LIVE_GATHER_MS);
		struct http_exchange *y = peer_follows("run:*", id);
		world_settle();
		assert_int_equal(peer_heard(y, RUN_EVENT), rows[i].told);
		assert_int_equal(peer_heard(y, "event: reset\n"), 1 - rows[i].told);
		peer_leaves(y);
		world_settle();
	}
}

static void test_streams_and_waiters_share_a_limit(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	enum { MAX = WORLD_CONNECTIONS_MAX * LIVE_CONNECTIONS_PERCENT / 100 };
	struct http_exchange *x[MAX];
	(void)world_add_version(t, pk, "m", 2);
	int64_t revision = world_move_alias(t, pk, "m", "a", 1, 3);
	for (int i = 0; i < MAX; i++) {
		x[i] = i % 2 == 0 ? peer_follows("model:m", NULL) : peer_asks("m", "a", revision, 1000);
		world_settle();
		assert_int_equal(x[i]->status, i % 2 == 0 ? 200 : 0);
	}
	struct http_exchange *const refused[] = {peer_follows("run:*", NULL), peer_asks("m", "a", revision, 1000)};
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		assert_int_equal(refused[i]->status, 503);
		assert_int_equal(peer_heard(refused[i], "75 follow live events or wait for an alias, as many as this"), 1);
	}
	struct http_exchange *asks = peer_asks("m", "a", revision, 0); /* does not stay */
	world_settle();
	assert_int_equal(asks->status, 304);
	for (int i = 0; i < 2; i++) { /* a stream, then a waiter: each makes room for one */
		peer_leaves(x[i]);
		world_settle();
		struct http_exchange *next = i == 0 ? peer_asks("m", "a", revision, 1000) : peer_follows("run:*", NULL);
		world_settle();
		assert_int_equal(next->status, i == 0 ? 0 : 200);
		assert_int_equal(peer_follows("run:*", NULL)->status, 503);
	}
}

static void test_followers_are_limited_however_many_connections_there_are(void **state)
{
	(void)state;
	static const struct {
		unsigned connections_max, followers_max;
	} rows[] = {
		{1, 0}, {2, 1}, {8, 6}, {13333, 9999}, {13334, 10000}, {13335, 10000}, {1000000, 10000}, {UINT32_MAX, 10000},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct api api = {0};
		struct live *live;
		struct error err;
		assert_true(live_new(&api, NULL, world_live()->clock, rows[i].connections_max, &live, &err));
		assert_int_equal(live->followers_max, rows[i].followers_max);
		live_stop_on_loop(live);
		live_free(live);
	}
}

static void test_a_daemon_that_stops_ends_all_and_takes_nobody(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = world_add_model(t, "m", 1);
	struct http_exchange *idle = peer_follows("model:m", NULL);
	world_settle();
	struct http_exchange *slow = peer_follows("run:*", NULL);
	slow->reads_slowly = true;
	struct http_exchange *reading = peer_follows("model:*", "00000000--.0.-");
	(void)change_model(t, pk);
	tell_model("m");
	live_stop_on_loop(world_live());
	assert_true(idle->is_ended && !idle->is_cut);
	assert_int_equal(reading->status, 503);
	assert_false(slow->is_ended);
	peer_reads(slow);
	assert_true(slow->is_ended && !slow->is_cut);
	struct http_exchange *late = peer_follows("run:*", NULL);
	assert_int_equal(late->status, 503);
	assert_int_equal(peer_heard(late, "The server is stopping; try again."), 1);
	tell_run(1, LIVE_METRICS);
	world_settle();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_changes_of_a_run_are_gathered_for_a_moment),
		TEST(test_news_of_models_are_read_by_one_read_at_a_time),
		TEST(test_a_read_of_news_that_fails_is_tried_again),
		TEST(test_who_comes_during_a_read_for_others_misses_nothing),
		TEST(test_who_reads_longer_than_the_others_does_not_step_in_behind_them),
		TEST(test_the_ring_goes_on_for_a_while_when_nobody_follows),
		TEST(test_streams_and_waiters_share_a_limit),
		TEST(test_followers_are_limited_however_many_connections_there_are),
		TEST(test_a_daemon_that_stops_ends_all_and_takes_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
