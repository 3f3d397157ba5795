/* Who waits for an alias, and when each is answered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "limits.h"
#include "store/models.h"
#include "unit/api/live_world_helper.h"

enum { WAIT_MS = 1000, LATE_MS = 100 };

/* A model 'm' with two versions, whose alias 'a' points at 1; its revision. */
static int64_t make_model(struct tracker_db *t, struct model_pk *pk_out)
{
	*pk_out = world_add_model(t, "m", 1);
	(void)world_add_version(t, *pk_out, "m", 2);
	(void)world_add_version(t, *pk_out, "m", 3);
	return world_move_alias(t, *pk_out, "m", "a", 1, 4);
}

static unsigned waiters(void)
{
	unsigned streams, count;
	live_counts(world_live(), &streams, &count);
	return count;
}

static void expect_answer(struct http_exchange *x, int status, const char *text)
{
	assert_int_equal(x->status, status);
	assert_true(x->is_released);
	if (strstr(peer_text(x), text) == NULL)
		fail_msg("'%s' is not in '%s'", text, peer_text(x));
}

static void expect_waiting(struct http_exchange *x)
{
	assert_int_equal(x->status, 0);
	assert_true(x->is_parked);
}

static void test_who_knows_less_or_asks_without_waiting_is_answered_at_once(void **state)
{
	struct model_pk pk;
	int64_t revision = make_model(*state, &pk);
	static const char *const v1 = "\"version\":\"1\"";
	const struct {
		int64_t revision, wait_ms;
		int status;
		const char *text;
	} rows[] = {
		{-1, 0, 200, v1},
		{revision - 1, WAIT_MS, 200, v1},
		{revision + 1, WAIT_MS, 200, v1}, /* of a database that was put back */
		{0, WAIT_MS, 200, v1},
		{revision, 0, 304, ""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct http_exchange *x = peer_asks("m", "a", rows[i].revision, rows[i].wait_ms);
		world_settle();
		expect_answer(x, rows[i].status, rows[i].text);
		assert_false(x->is_parked);
	}
	static const struct {
		const char *model, *alias, *message;
	} absent[] = {{"m", "b", "Model 'm' has no alias 'b'."}, {"n", "a", "There is no model 'n'."}};
	for (size_t i = 0; i < ARRAY_COUNT(absent); i++) {
		struct http_exchange *x = peer_asks(absent[i].model, absent[i].alias, -1, 0);
		struct http_exchange *y = peer_asks(absent[i].model, absent[i].alias, revision, WAIT_MS);
		world_settle();
		expect_answer(x, 404, absent[i].message);
		expect_answer(y, 404, absent[i].message);
	}
	assert_int_equal(waiters(), 0);
}

static void test_all_who_wait_are_told_of_a_move_by_one_read(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk;
	struct http_exchange *x[20];
	int64_t revision = make_model(t, &pk);
	for (size_t i = 0; i < ARRAY_COUNT(x); i++)
		x[i] = peer_asks("m", "a", revision, WAIT_MS);
	struct http_exchange *other = peer_asks("m", "b", 0, WAIT_MS);
	world_settle();
	for (size_t i = 0; i < ARRAY_COUNT(x); i++)
		expect_waiting(x[i]);
	assert_int_equal(waiters(), ARRAY_COUNT(x) + 1);
	(void)world_move_alias(t, pk, "m", "a", 2, 5);
	unsigned before = world_read_count();
	tell_model("another");
	world_settle();
	assert_int_equal(world_read_count(), before);
	tell_model("m");
	world_settle();
	assert_int_equal(world_read_count(), before + 2); /* one an alias */
	for (size_t i = 0; i < ARRAY_COUNT(x); i++)
		expect_answer(x[i], 200, "\"version\":\"2\"");
	expect_waiting(other);
	(void)world_move_alias(t, pk, "m", "b", 1, 6);
	tell_model("m");
	world_settle();
	expect_answer(other, 200, "\"alias\":\"b\"");
	assert_int_equal(waiters(), 0);
}

/* The alias moves after the read and before its answer: who waits hears of it by the next one. */
static void test_a_move_during_a_read_is_not_missed(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk;
	int64_t revision = make_model(t, &pk);
	struct http_exchange *early = peer_asks("m", "a", revision, WAIT_MS);
	world_run_reads();
	(void)world_move_alias(t, pk, "m", "a", 2, 5);
	tell_model("m");
	/* It comes after the move, and must not be answered by the read of before. */
	struct http_exchange *late = peer_asks("m", "a", -1, 0);
	world_settle();
	expect_answer(early, 200, "\"version\":\"2\"");
	expect_answer(late, 200, "\"version\":\"2\"");
}

static void test_what_goes_while_it_is_waited_for_is_told(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk;
	int64_t revision = make_model(t, &pk);
	/* The alias is deleted, the model is renamed, the model is deleted. */
	static const char *const messages[] = {"Model 'm' has no alias 'a'.", "Model 'm' was renamed to 'new'.",
					       "There is no model 'm'."};
	for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
		struct http_exchange *x = peer_asks("m", "a", revision, WAIT_MS);
		world_settle();
		expect_waiting(x);
		if (i == 0)
			(void)world_move_alias(t, pk, "m", "a", 0, 5);
		else if (i == 1)
			CHECK(t, db_exec(t->db, SQL("UPDATE registered_models SET name = 'new'"), &t->err));
		else
			CHECK(t, db_exec(t->db, SQL("DELETE FROM registered_models"), &t->err));
		tell_model("m");
		world_settle();
		expect_answer(x, 404, messages[i]);
		/* Who knows that it is not there waits for it. */
		struct http_exchange *y = peer_asks("m", "a", 0, WAIT_MS);
		world_settle();
		expect_waiting(y);
		if (i == 1)
			CHECK(t, db_exec(t->db, SQL("UPDATE registered_models SET name = 'm'"), &t->err));
		if (i < 2) {
			revision = world_move_alias(t, pk, "m", "a", 1, 6);
			tell_model("m");
			world_settle();
			expect_answer(y, 200, "\"version\":\"1\"");
		} else {
			peer_leaves(y);
			world_settle();
		}
	}
}

static void test_waiting_ends_in_time(void **state)
{
	struct model_pk pk;
	int64_t revision = make_model(*state, &pk);
	struct http_exchange *brief = peer_asks("m", "a", revision, WAIT_MS);
	struct http_exchange *longer = peer_asks("m", "a", revision, 2 * WAIT_MS);
	world_settle();
	world_pass_ms(WAIT_MS - 1);
	expect_waiting(brief);
	world_pass_ms(LATE_MS);
	expect_answer(brief, 304, "");
	assert_int_equal(brief->etag[0], '"');
	expect_waiting(longer);
	world_pass_ms(WAIT_MS - LATE_MS);
	expect_waiting(longer);
	/* A later one with an earlier end. */
	struct http_exchange *last = peer_asks("m", "a", revision, 1);
	world_pass_ms(LATE_MS);
	expect_answer(longer, 304, "");
	expect_answer(last, 304, "");
	assert_int_equal(waiters(), 0);
}

static void test_who_leaves_is_forgotten_wherever_it_waits(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk;
	int64_t revision = make_model(t, &pk);
	struct http_exchange *parked = peer_asks("m", "a", revision, WAIT_MS);
	world_settle();
	/* One leaves before its read, one while it runs, one after it and before its answer. */
	struct http_exchange *unread = peer_asks("m", "b", 0, WAIT_MS);
	peer_leaves(unread);
	struct http_exchange *reading = peer_asks("m", "c", 0, WAIT_MS);
	world_run_reads();
	peer_leaves(reading);
	(void)world_move_alias(t, pk, "m", "a", 2, 5);
	tell_model("m");
	peer_leaves(parked);
	world_settle();
	assert_int_equal(waiters(), 0);
	const struct http_exchange *const all[] = {parked, unread, reading};
	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		assert_int_equal(all[i]->status, 0);
		assert_true(all[i]->is_released);
	}
	unsigned before = world_read_count();
	tell_model("m");
	world_settle();
	assert_int_equal(world_read_count(), before); /* nobody is left to read for */
}

static void test_a_read_that_fails_is_told_and_the_next_one_is_another(void **state)
{
	struct model_pk pk;
	int64_t revision = make_model(*state, &pk);
	struct http_exchange *x = peer_asks("m", "a", revision, WAIT_MS);
	world_fail_next_read();
	world_run_reads();
	struct http_exchange *late = peer_asks("m", "a", -1, 0);
	world_settle();
	expect_answer(x, 503, "The disk is tired.");
	expect_answer(late, 200, "\"version\":\"1\"");
}

static void test_a_full_lane_only_delays_the_answer(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk;
	int64_t revision = make_model(t, &pk);
	struct http_exchange *parked = peer_asks("m", "a", revision, 10 * WAIT_MS);
	world_settle();
	world_refuse_jobs(true);
	(void)world_move_alias(t, pk, "m", "a", 2, 5);
	tell_model("m");
	struct http_exchange *x = peer_asks("m", "a", -1, 0);
	world_pass_ms(WAIT_MS);
	expect_waiting(parked);
	assert_int_equal(x->status, 0);
	world_refuse_jobs(false);
	world_pass_ms(LATE_MS);
	expect_answer(parked, 200, "\"version\":\"2\"");
	expect_answer(x, 200, "\"version\":\"2\"");
}

static void test_a_daemon_that_stops_answers_everybody(void **state)
{
	struct model_pk pk;
	int64_t revision = make_model(*state, &pk);
	struct http_exchange *parked = peer_asks("m", "a", revision, WAIT_MS);
	world_settle();
	struct http_exchange *reading = peer_asks("m", "b", 0, WAIT_MS);
	live_stop_on_loop(world_live());
	expect_answer(parked, 304, "");
	expect_answer(reading, 503, "The server is stopping; try again.");
	struct http_exchange *x = peer_asks("m", "a", -1, 0);
	expect_answer(x, 503, "The server is stopping; try again.");
	assert_int_equal(waiters(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_knows_less_or_asks_without_waiting_is_answered_at_once),
		TEST(test_all_who_wait_are_told_of_a_move_by_one_read),
		TEST(test_a_move_during_a_read_is_not_missed),
		TEST(test_what_goes_while_it_is_waited_for_is_told),
		TEST(test_waiting_ends_in_time),
		TEST(test_who_leaves_is_forgotten_wherever_it_waits),
		TEST(test_a_read_that_fails_is_told_and_the_next_one_is_another),
		TEST(test_a_full_lane_only_delays_the_answer),
		TEST(test_a_daemon_that_stops_answers_everybody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
