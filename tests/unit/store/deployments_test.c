/* Deployments: what a report changes, what turns stale and comes back, and what is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/deployments.h"

#include <stdio.h>

#include "limits.h"
#include "store/deployment_changes.h"
#include "store/models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

enum { NOW = TRACKER_DB_NOW_MS, HEARTBEAT_MS = 1000 };
#define ID "0123456789abcdef0123456789abcdef"

static struct deployment make_report(const char *id, enum deployment_state state, int64_t version)
{
	return (struct deployment){.deployment_id = slice_from_cstr(id),
				   .state = state,
				   .heartbeat_ms = HEARTBEAT_MS,
				   .model = SLICE("taxi"),
				   .version = version,
				   .previous_version = -1,
				   .alias = SLICE("champion"),
				   .environment = SLICE("prod"),
				   .target = SLICE("dispatch"),
				   .host = SLICE("h1"),
				   .path = SLICE("/srv/taxi"),
				   .reason = SLICE(""),
				   .actor = SLICE("ana")};
}

static bool report(struct tracker_db *t, const struct deployment *d, int64_t now_ms)
{
	bool has_changed = false;
	CHECK(t, deployment_report_in_txn(t->db, d, now_ms, &t->arena, &has_changed, &t->err));
	return has_changed;
}

static bool report_state(struct tracker_db *t, enum deployment_state state, int64_t version,
			 int64_t now_ms)
{
	const struct deployment d = make_report(ID, state, version);
	return report(t, &d, now_ms);
}

static struct deployment load(struct tracker_db *t)
{
	struct deployment d = {0};
	CHECK(t, deployment_load(t->db, SLICE(ID), &t->arena, &d, &t->err));
	return d;
}

static struct deployment_overview overview(struct tracker_db *t, int64_t now_ms, int64_t since_ms)
{
	const struct deployment_watch watch = {now_ms, since_ms};
	struct deployment_overview seen = {0};
	CHECK(t, deployments_overview(t->db, &watch, &seen, &t->err));
	return seen;
}

static size_t mark_stale(struct tracker_db *t, int64_t now_ms, int64_t since_ms)
{
	const struct deployment_watch watch = {now_ms, since_ms};
	struct deployment_list list = {0};
	CHECK(t, deployments_mark_stale_in_txn(t->db, &watch, 10, &t->arena, &list, &t->err));
	return list.count;
}

static enum deployment_state heartbeat(struct tracker_db *t, int64_t now_ms, bool expect_change)
{
	enum deployment_state state = DEPLOYMENT_UNKNOWN;
	bool has_changed = false;
	CHECK(t, deployment_heartbeat_in_txn(t->db, SLICE(ID), now_ms, &t->arena, &state,
					     &has_changed, &t->err));
	assert_int_equal(has_changed, expect_change);
	return state;
}

static struct deployment_change_list history(struct tracker_db *t)
{
	struct deployment_change_list list = {0};
	struct slice next = {0};
	CHECK(t, deployment_changes_list(t->db, SLICE(ID), SEARCH_DEPLOYMENTS_MAX,
					 (struct slice){0}, &t->arena, &list, &next, &t->err));
	return list;
}

/* ---- reports ------------------------------------------------------------------------------------ */

static void test_since_moves_with_state_version_and_model_only(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d = make_report(ID, DEPLOYMENT_ACTIVE, 3);
	assert_true(report(t, &d, NOW));
	assert_false(report(t, &d, NOW + 10));
	assert_int_equal(load(t).since_ms, NOW);
	assert_int_equal(load(t).last_seen_ms, NOW + 10);
	d.host = SLICE("h2");
	assert_true(report(t, &d, NOW + 20));
	assert_int_equal(load(t).since_ms, NOW);
	d.version = 4;
	assert_true(report(t, &d, NOW + 30));
	assert_int_equal(load(t).since_ms, NOW + 30);
	d.model = SLICE("other");
	assert_true(report(t, &d, NOW + 40));
	assert_int_equal(load(t).since_ms, NOW + 40);
	d.state = DEPLOYMENT_FAILED;
	assert_true(report(t, &d, NOW + 50));
	assert_int_equal(load(t).since_ms, NOW + 50);
}

static void test_who_reports_and_how_often_are_no_changes(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d = make_report(ID, DEPLOYMENT_ACTIVE, 3);
	(void)report(t, &d, NOW);
	d.actor = SLICE("ben");
	d.heartbeat_ms = 0;
	assert_false(report(t, &d, NOW + 10));
	assert_int_equal(load(t).heartbeat_ms, 0);
	assert_int_equal(history(t).count, 1);
}

static void test_each_of_two_reporters_with_one_id_is_in_the_history(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d = make_report(ID, DEPLOYMENT_ACTIVE, 3);
	(void)report(t, &d, NOW);
	d.host = SLICE("copy");
	(void)report(t, &d, NOW + 1);
	d.host = SLICE("h1");
	(void)report(t, &d, NOW + 2);
	struct deployment_change_list list = history(t);
	assert_int_equal(list.count, 3);
	assert_true(slice_eq(list.items[1].deployment.host, SLICE("copy")));
	assert_true(slice_eq(load(t).host, SLICE("h1")));
}

static void test_the_version_before_is_remembered(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_int_equal(load(t).previous_version, 0);
	(void)report_state(t, DEPLOYMENT_DEPLOYING, 4, NOW + 1);
	assert_int_equal(load(t).previous_version, 3);
	(void)report_state(t, DEPLOYMENT_ACTIVE, 4, NOW + 2);
	assert_int_equal(load(t).previous_version, 3);
	d = make_report(ID, DEPLOYMENT_ROLLED_BACK, 3);
	d.previous_version = 0; /* that there was none is told */
	(void)report(t, &d, NOW + 3);
	assert_int_equal(load(t).previous_version, 0);
	d = make_report(ID, DEPLOYMENT_ACTIVE, 9);
	d.model = SLICE("other"); /* version 3 of another model is nothing to go back to */
	(void)report(t, &d, NOW + 4);
	assert_int_equal(load(t).previous_version, 0);
}

static void add_rows(struct tracker_db *t, int64_t count)
{
	struct db_statement *st = db_prepare(
		t->db,
		SQL("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)"
		    " INSERT INTO deployments (deployment_id, last_seen_ms, heartbeat_ms,"
		    " change_seq, state, since_ms, model, version, previous_version, alias,"
		    " environment, target, host, path, reason, actor)"
		    " SELECT 'row-' || i, 0, 0, i, 'active', 0, 'taxi', 1, 0, '', '', 't' || i,"
		    " '', '', '', '' FROM n"),
		&t->err);
	assert_non_null(st);
	db_bind_i64(st, 1, count);
	CHECK(t, db_run(st, &t->err));
}

static void test_there_may_be_so_many_and_no_more(void **state)
{
	struct tracker_db *t = *state;
	const struct deployment one_more =
		make_report("ffffffffffffffffffffffffffffffff", DEPLOYMENT_ACTIVE, 1);
	bool has_changed = false;
	add_rows(t, DEPLOYMENTS_MAX - 1);
	assert_true(report_state(t, DEPLOYMENT_ACTIVE, 1, NOW));
	tracker_db_check_error(
		t,
		deployment_report_in_txn(t->db, &one_more, NOW, &t->arena, &has_changed, &t->err),
		ERR_REQUEST_LIMIT_EXCEEDED,
		"There are 10000 deployments already; forget those that are gone, "
		"with \"trk deployments forget\".");
	assert_true(report_state(t, DEPLOYMENT_ACTIVE, 2, NOW + 1)); /* it is there already */
}

/* ---- turning stale ------------------------------------------------------------------------------ */

static void test_a_target_is_stale_after_three_of_its_own_heartbeats(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	struct deployment_overview seen = overview(t, NOW, NOW - 1);
	assert_int_equal(seen.next_due_ms, NOW + 3 * HEARTBEAT_MS);
	assert_int_equal(seen.counts[DEPLOYMENT_ACTIVE], 1);
	assert_int_equal(mark_stale(t, NOW + 3 * HEARTBEAT_MS - 1, NOW - 1), 0);
	assert_int_equal(load(t).state, DEPLOYMENT_ACTIVE);
	assert_int_equal(mark_stale(t, NOW + 3 * HEARTBEAT_MS, NOW - 1), 1);
	struct deployment d = load(t);
	assert_int_equal(d.state, DEPLOYMENT_STALE);
	assert_int_equal(d.since_ms, NOW + 3 * HEARTBEAT_MS);
	assert_int_equal(d.last_seen_ms, NOW);
	assert_true(slice_eq(d.reason,
			     SLICE("missed 3 heartbeats, one every 1 s; it was active before")));
	assert_int_equal(d.actor.len, 0);
	/* It is that only once. */
	assert_int_equal(mark_stale(t, NOW + 9 * HEARTBEAT_MS, NOW - 1), 0);
	seen = overview(t, NOW + 9 * HEARTBEAT_MS, NOW - 1);
	assert_true(seen.next_due_ms == INT64_MAX);
	assert_int_equal(seen.counts[DEPLOYMENT_STALE], 1);
	assert_int_equal(seen.counts[DEPLOYMENT_ACTIVE], 0);
	assert_int_equal(history(t).items[0].deployment.state, DEPLOYMENT_STALE);
}

static void test_a_heartbeat_puts_it_off(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_int_equal(heartbeat(t, NOW + 2999, false), DEPLOYMENT_ACTIVE);
	assert_int_equal(mark_stale(t, NOW + 2999 + 2999, NOW), 0);
	assert_int_equal(mark_stale(t, NOW + 2999 + 3000, NOW), 1);
	assert_int_equal(history(t).count, 2);
}

static void test_who_sends_none_is_not_missed(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d = make_report(ID, DEPLOYMENT_ACTIVE, 3);
	d.heartbeat_ms = 0;
	(void)report(t, &d, NOW);
	assert_true(overview(t, NOW, NOW).next_due_ms == INT64_MAX);
	assert_int_equal(mark_stale(t, INT64_MAX / 2, NOW), 0);
}

static void test_heartbeats_before_the_daemon_was_there_are_not_missed(void **state)
{
	struct tracker_db *t = *state;
	const int64_t started = NOW + 1000000;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_int_equal(overview(t, started, started).next_due_ms, started + 3 * HEARTBEAT_MS);
	assert_int_equal(mark_stale(t, started + 2999, started), 0);
	assert_int_equal(mark_stale(t, started + 3000, started), 1);
}

static void test_a_time_in_the_future_does_not_keep_a_target_alive(void **state)
{
	struct tracker_db *t = *state;
	const int64_t set_back = NOW - 1000000;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_int_equal(mark_stale(t, set_back + 2999, set_back), 0);
	assert_int_equal(mark_stale(t, set_back + 3000, set_back), 1);
}

static void test_what_was_reported_comes_back_with_a_heartbeat(void **state)
{
	static const enum deployment_state states[] = {DEPLOYMENT_DEPLOYING, DEPLOYMENT_ACTIVE,
						       DEPLOYMENT_ROLLED_BACK, DEPLOYMENT_FAILED};
	struct tracker_db *t = *state;
	int64_t now = NOW;
	for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
		int64_t since = now;
		(void)report_state(t, states[i], 3, now);
		now += 10000;
		assert_int_equal(mark_stale(t, now, NOW), 1);
		now += 10;
		assert_int_equal(heartbeat(t, now, true), states[i]);
		struct deployment d = load(t);
		assert_int_equal(d.state, states[i]);
		assert_int_equal(d.since_ms, since);
		assert_int_equal(d.last_seen_ms, now);
		assert_true(slice_eq(d.actor, SLICE("ana")));
		assert_int_equal(history(t).count, 3 * (i + 1));
		now += 10;
	}
}

static void test_a_report_ends_it_too(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	(void)mark_stale(t, NOW + 10000, NOW);
	assert_true(report_state(t, DEPLOYMENT_ACTIVE, 3, NOW + 20000));
	assert_int_equal(load(t).state, DEPLOYMENT_ACTIVE);
	assert_int_equal(load(t).since_ms, NOW);
}

static void test_so_many_turn_stale_at_a_time(void **state)
{
	struct tracker_db *t = *state;
	const struct deployment_watch watch = {NOW + 3000, NOW};
	struct deployment_list list = {0};
	for (int i = 0; i < 5; i++) {
		char id[40];
		(void)snprintf(id, sizeof(id), "%032d", i);
		const struct deployment d = make_report(id, DEPLOYMENT_ACTIVE, 1);
		(void)report(t, &d, NOW);
	}
	CHECK(t, deployments_mark_stale_in_txn(t->db, &watch, 3, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 3);
	assert_int_equal(list.items[2].state, DEPLOYMENT_STALE);
	assert_true(list.items[2].change_seq > list.items[1].change_seq);
	CHECK(t, deployments_mark_stale_in_txn(t->db, &watch, 3, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 2);
}

static bool report_end(struct tracker_db *t, const char *reason, int64_t now_ms)
{
	struct deployment d = make_report(ID, DEPLOYMENT_STALE, 3);
	d.reason = slice_from_cstr(reason);
	return report(t, &d, now_ms);
}

static void test_a_target_that_ends_is_stale_at_once(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ROLLED_BACK, 3, NOW);
	assert_true(report_end(t, "it was stopped", NOW + 5));
	struct deployment d = load(t);
	assert_true(d.state == DEPLOYMENT_STALE && d.since_ms == NOW + 5 && d.heartbeat_ms == 0);
	assert_true(slice_eq(d.reason, SLICE("it was stopped")) && slice_eq(d.actor, SLICE("ana")));
	assert_int_equal(history(t).items[0].deployment.state, DEPLOYMENT_STALE);
	assert_true(overview(t, NOW + 5, NOW).next_due_ms == INT64_MAX);
	assert_int_equal(mark_stale(t, NOW + 100000, NOW), 0);
	assert_false(report_end(t, "it was stopped", NOW + 6)); /* once */
	assert_int_equal(load(t).since_ms, NOW + 5);
	assert_int_equal(heartbeat(t, NOW + 7, true), DEPLOYMENT_ROLLED_BACK);
	assert_int_equal(load(t).reason.len, 0);
	assert_true(report_state(t, DEPLOYMENT_ACTIVE, 3, NOW + 8));
	assert_int_equal(load(t).heartbeat_ms, HEARTBEAT_MS);
}

static void test_a_target_that_was_missed_may_still_say_that_it_ends(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	(void)mark_stale(t, NOW + 10000, NOW);
	assert_true(report_end(t, "it was stopped", NOW + 10005));
	assert_int_equal(load(t).since_ms, NOW + 10000);
	assert_true(slice_eq(load(t).reason, SLICE("it was stopped")));
}

static void test_nobody_ends_who_never_began(void **state)
{
	struct tracker_db *t = *state;
	const struct deployment d = make_report(ID, DEPLOYMENT_STALE, 3);
	bool has_changed = false;
	tracker_db_check_error(
		t, deployment_report_in_txn(t->db, &d, NOW, &t->arena, &has_changed, &t->err),
		ERR_RESOURCE_DOES_NOT_EXIST, "Deployment with ID " ID " not found.");
}

/* ---- the registry ------------------------------------------------------------------------------- */

static void add_model(struct tracker_db *t)
{
	CHECK(t, db_exec(t->db,
			 SQL("INSERT INTO registered_models (model_pk, name, creation_time_ms,"
			     " last_updated_time_ms) VALUES (7, 'taxi', 1, 1)"),
			 &t->err));
	CHECK(t, db_exec(t->db,
			 SQL("INSERT INTO model_versions (model_pk, version, source,"
			     " storage_location, creation_time_ms, last_updated_time_ms)"
			     " VALUES (7, 3, 's', 's', 1, 1), (7, 5, 's', 's', 1, 1)"),
			 &t->err));
	CHECK(t,
	      model_alias_set_in_txn(t->db, (struct model_pk){7}, SLICE("champion"), 3, &t->err));
}

static void test_what_runs_is_compared_with_what_the_alias_means_now(void **state)
{
	struct tracker_db *t = *state;
	const struct model_pk pk = {7};
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_true(deployment_differs(&(struct deployment){.alias = SLICE("a"), .version = 3}));
	assert_true(load(t).alias_version == 0 && !load(t).is_in_registry);
	add_model(t);
	struct deployment d = load(t);
	assert_true(d.alias_version == 3 && d.is_in_registry && !deployment_differs(&d));
	CHECK(t, model_alias_set_in_txn(t->db, pk, SLICE("champion"), 5, &t->err));
	d = load(t);
	assert_true(d.alias_version == 5 && d.is_in_registry && deployment_differs(&d));
	CHECK(t, model_alias_delete_in_txn(t->db, pk, SLICE("champion"), &t->err));
	d = load(t);
	assert_true(d.alias_version == 0 && deployment_differs(&d));
	CHECK(t, model_delete_in_txn(t->db, SLICE("taxi"), 1, &t->err));
	assert_false(load(t).is_in_registry);
	d.alias = SLICE(""); /* it was given a number: there is nothing to differ from */
	assert_false(deployment_differs(&d));
}

static struct deployment_list rename_model(struct tracker_db *t, const char *from, const char *to,
					   int64_t now_ms)
{
	struct deployment_list list = {0};
	CHECK(t, deployments_rename_in_txn(t->db, slice_from_cstr(from), slice_from_cstr(to),
					   SLICE("ben"), now_ms, &t->arena, &list, &t->err));
	return list;
}

static void test_a_renamed_model_takes_its_deployments_along(void **state)
{
	struct tracker_db *t = *state;
	struct deployment other =
		make_report("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", DEPLOYMENT_ACTIVE, 1);
	other.model = SLICE("bus");
	(void)report(t, &other, NOW);
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	struct deployment_list list = rename_model(t, "taxi", "cab", NOW + 5);
	assert_int_equal(list.count, 1);
	assert_true(slice_eq(list.items[0].deployment_id, SLICE(ID)));
	struct deployment d = load(t);
	assert_true(slice_eq(d.model, SLICE("cab")) && slice_eq(d.actor, SLICE("ben")));
	assert_true(d.state == DEPLOYMENT_ACTIVE && d.since_ms == NOW && d.last_seen_ms == NOW);
	assert_int_equal(history(t).count, 2);
	assert_int_equal(history(t).items[0].deployment.change_seq, d.change_seq);
	assert_int_equal(rename_model(t, "taxi", "van", NOW + 6).count, 0);
}

static void test_a_stale_one_is_renamed_too_and_stays_stale(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_FAILED, 3, NOW);
	(void)mark_stale(t, NOW + 10000, NOW);
	assert_int_equal(rename_model(t, "taxi", "cab", NOW + 10005).count, 1);
	assert_int_equal(load(t).state, DEPLOYMENT_STALE);
	assert_int_equal(load(t).since_ms, NOW + 10000);
	assert_int_equal(history(t).items[0].deployment.state, DEPLOYMENT_STALE);
	assert_int_equal(heartbeat(t, NOW + 10010, true), DEPLOYMENT_FAILED);
	assert_true(slice_eq(load(t).model, SLICE("cab")));
}

static size_t count_of_version(struct tracker_db *t, const char *model, int64_t version)
{
	struct deployment_list list = {0};
	CHECK(t, deployments_of_version(t->db, slice_from_cstr(model), version, 10, &t->arena,
					&list, &t->err));
	return list.count;
}

static void
test_a_version_is_needed_where_it_runs_and_where_it_runs_until_another_does(void **state)
{
	struct tracker_db *t = *state;
	(void)report_state(t, DEPLOYMENT_ACTIVE, 3, NOW);
	assert_int_equal(count_of_version(t, "taxi", 3), 1);
	assert_int_equal(count_of_version(t, "taxi", 0), 1);
	assert_int_equal(count_of_version(t, "taxi", 4), 0);
	assert_int_equal(count_of_version(t, "bus", 3), 0);
	(void)report_state(t, DEPLOYMENT_DEPLOYING, 4, NOW + 1);
	assert_int_equal(count_of_version(t, "taxi", 3), 1);
	assert_int_equal(count_of_version(t, "taxi", 4), 1);
	(void)report_state(t, DEPLOYMENT_ACTIVE, 4, NOW + 2);
	assert_int_equal(count_of_version(t, "taxi", 3), 0);
	(void)mark_stale(t, NOW + 10000, NOW);
	assert_int_equal(count_of_version(t, "taxi", 4), 1);
	CHECK(t, deployment_forget_in_txn(t->db, SLICE(ID), SLICE("ana"), NOW + 10001, &t->arena,
					  &t->err));
	assert_int_equal(count_of_version(t, "taxi", 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_since_moves_with_state_version_and_model_only),
		TEST(test_who_reports_and_how_often_are_no_changes),
		TEST(test_each_of_two_reporters_with_one_id_is_in_the_history),
		TEST(test_the_version_before_is_remembered),
		TEST(test_there_may_be_so_many_and_no_more),
		TEST(test_a_renamed_model_takes_its_deployments_along),
		TEST(test_a_stale_one_is_renamed_too_and_stays_stale),
		TEST(test_a_target_is_stale_after_three_of_its_own_heartbeats),
		TEST(test_a_heartbeat_puts_it_off),
		TEST(test_who_sends_none_is_not_missed),
		TEST(test_heartbeats_before_the_daemon_was_there_are_not_missed),
		TEST(test_a_time_in_the_future_does_not_keep_a_target_alive),
		TEST(test_what_was_reported_comes_back_with_a_heartbeat),
		TEST(test_a_report_ends_it_too),
		TEST(test_so_many_turn_stale_at_a_time),
		TEST(test_a_target_that_ends_is_stale_at_once),
		TEST(test_a_target_that_was_missed_may_still_say_that_it_ends),
		TEST(test_nobody_ends_who_never_began),
		TEST(test_what_runs_is_compared_with_what_the_alias_means_now),
		TEST(test_a_version_is_needed_where_it_runs_and_where_it_runs_until_another_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
