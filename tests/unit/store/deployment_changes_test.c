/* The history of deployments: its pages, its numbers, and how much of it is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/deployment_changes.h"

#include "limits.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)
#define COUNT	   SQL("SELECT count(*) FROM deployment_changes")

static struct deployment make_deployment(const char *id, int64_t version)
{
	return (struct deployment){.deployment_id = slice_from_cstr(id),
				   .state = DEPLOYMENT_ACTIVE,
				   .since_ms = TRACKER_DB_NOW_MS,
				   .last_seen_ms = TRACKER_DB_NOW_MS,
				   .model = SLICE("taxi"),
				   .version = version,
				   .alias = SLICE("champion"),
				   .environment = SLICE("prod"),
				   .target = SLICE("dispatch"),
				   .host = SLICE("h1"),
				   .path = SLICE("/srv"),
				   .reason = SLICE("why"),
				   .actor = SLICE("ana")};
}

static int64_t record(struct tracker_db *t, const char *id, int64_t version)
{
	const struct deployment d = make_deployment(id, version);
	int64_t seq = 0;
	CHECK(t, deployment_change_record_in_txn(t->db, &d, TRACKER_DB_NOW_MS + version, &seq,
						 &t->err));
	return seq;
}

static struct deployment_change_list after(struct tracker_db *t, int64_t seq, size_t rows_max)
{
	struct deployment_change_list list = {0};
	CHECK(t, deployment_changes_after(t->db, seq, rows_max, &t->arena, &list, &t->err));
	return list;
}

static void test_a_row_holds_all_of_the_deployment(void **state)
{
	struct tracker_db *t = *state;
	int64_t seq = record(t, "a", 3);
	struct deployment_change_list list = after(t, 0, 10);
	assert_int_equal(list.count, 1);
	const struct deployment *d = &list.items[0].deployment;
	assert_int_equal(list.items[0].time_ms, TRACKER_DB_NOW_MS + 3);
	assert_int_equal(d->change_seq, seq);
	assert_int_equal(d->state, DEPLOYMENT_ACTIVE);
	assert_int_equal(d->version, 3);
	assert_true(slice_eq(d->deployment_id, SLICE("a")) && slice_eq(d->model, SLICE("taxi")) &&
		    slice_eq(d->alias, SLICE("champion")) &&
		    slice_eq(d->environment, SLICE("prod")) &&
		    slice_eq(d->target, SLICE("dispatch")) && slice_eq(d->host, SLICE("h1")) &&
		    slice_eq(d->path, SLICE("/srv")) && slice_eq(d->reason, SLICE("why")) &&
		    slice_eq(d->actor, SLICE("ana")));
}

static void test_who_knows_a_number_is_told_what_came_after_it(void **state)
{
	struct tracker_db *t = *state;
	int64_t oldest = -1, last = -1;
	CHECK(t, deployment_changes_bounds(t->db, &oldest, &last, &t->err));
	assert_int_equal(oldest, 0);
	assert_int_equal(last, 0);
	int64_t first = record(t, "a", 1);
	(void)record(t, "b", 2);
	(void)record(t, "a", 3);
	CHECK(t, deployment_changes_bounds(t->db, &oldest, &last, &t->err));
	assert_int_equal(oldest, 1);
	assert_int_equal(last, 3);
	struct deployment_change_list list = after(t, first, 10);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].deployment.version, 2);
	assert_int_equal(list.items[1].deployment.version, 3);
	assert_int_equal(after(t, first, 1).count, 1);
	assert_int_equal(after(t, last, 10).count, 0);
}

static void test_pages_go_from_the_newest_to_the_oldest(void **state)
{
	struct tracker_db *t = *state;
	struct deployment_change_list page = {0};
	struct slice token = {0};
	int64_t expected = 5;
	for (int64_t version = 1; version <= 5; version++) {
		(void)record(t, "a", version);
		(void)record(t, "b", version);
	}
	do {
		CHECK(t, deployment_changes_list(t->db, SLICE("a"), 2, token, &t->arena, &page,
						 &token, &t->err));
		for (size_t i = 0; i < page.count; i++)
			assert_int_equal(page.items[i].deployment.version, expected--);
	} while (token.len > 0);
	assert_int_equal(expected, 0);
	tracker_db_check_error(t,
			       deployment_changes_list(t->db, SLICE("c"), 2, (struct slice){0},
						       &t->arena, &page, &token, &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, "Deployment with ID c not found.");
}

static void test_a_deployment_keeps_so_many_rows(void **state)
{
	struct tracker_db *t = *state;
	(void)record(t, "b", 1);
	for (int64_t version = 1; version <= DEPLOYMENT_CHANGES_MAX; version++)
		(void)record(t, "a", version);
	assert_int_equal(tracker_db_number(t, COUNT), DEPLOYMENT_CHANGES_MAX + 1);
	int64_t seq = record(t, "a", DEPLOYMENT_CHANGES_MAX + 1);
	assert_int_equal(tracker_db_number(t, COUNT), DEPLOYMENT_CHANGES_MAX + 1);
	struct deployment_change_list list = after(t, 0, DEPLOYMENT_CHANGES_MAX + 2);
	assert_true(slice_eq(list.items[0].deployment.deployment_id, SLICE("b")));
	assert_int_equal(list.items[1].deployment.version, 2);
	assert_int_equal(list.items[list.count - 1].deployment.change_seq, seq);
}

static void test_all_together_keep_so_many_rows(void **state)
{
	struct tracker_db *t = *state;
	(void)record(t, "a", 1);
	(void)record(t, "a", 2);
	/* As if there had been so many in between. */
	CHECK(t, db_exec(t->db,
			 SQL("UPDATE sqlite_sequence SET seq = 1000000 WHERE name ="
			     " 'deployment_changes'"),
			 &t->err));
	assert_int_equal(record(t, "b", 3), DEPLOYMENT_CHANGES_ALL_MAX + 1);
	struct deployment_change_list list = after(t, 0, 10);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].deployment.version, 2);
	(void)record(t, "b", 4);
	assert_int_equal(after(t, 0, 10).items[0].deployment.version, 3);
}

static void attempt(struct tracker_db *t, const char *id, int64_t version, const char *reason)
{
	struct deployment d = make_deployment(id, version);
	int64_t seq;
	d.state = DEPLOYMENT_DEPLOYING;
	d.reason = SLICE("");
	CHECK(t, deployment_change_record_in_txn(t->db, &d, TRACKER_DB_NOW_MS, &seq, &t->err));
	d.state = DEPLOYMENT_FAILED;
	d.version = 1;
	d.reason = slice_from_cstr(reason);
	d.since_ms = d.last_seen_ms = TRACKER_DB_NOW_MS + seq;
	CHECK(t, deployment_change_record_in_txn(t->db, &d, TRACKER_DB_NOW_MS, &seq, &t->err));
}

/* The numbers of what is kept, as "1 2 3 ". */
static void assert_kept(struct tracker_db *t, const char *expected)
{
	struct deployment_change_list list = after(t, 0, 100);
	struct slice kept = SLICE("");
	for (size_t i = 0; i < list.count; i++)
		kept = arena_printf(&t->arena, "%.*s%d ", SLICE_FMT(kept),
				    (int)list.items[i].deployment.change_seq);
	assert_string_equal(arena_cstr(&t->arena, kept), expected);
}

static void test_of_attempts_that_fail_alike_the_first_and_the_last_stay(void **state)
{
	struct tracker_db *t = *state;
	(void)record(t, "a", 1);
	attempt(t, "a", 2, "no room");
	attempt(t, "a", 2, "no room");
	assert_kept(t, "1 2 3 4 5 ");
	attempt(t, "a", 2, "no room");
	assert_kept(t, "1 2 3 6 7 ");
	for (int i = 0; i < 10; i++)
		attempt(t, "a", 2, "no room");
	assert_kept(t, "1 2 3 26 27 ");
}

static void test_attempts_that_differ_all_stay(void **state)
{
	struct tracker_db *t = *state;
	attempt(t, "a", 2, "no room");
	attempt(t, "a", 2, "no room");
	attempt(t, "b", 2, "no room");
	attempt(t, "a", 2, "no hook");
	assert_kept(t, "1 2 3 4 5 6 7 8 ");
	attempt(t, "a", 2, "no room");
	attempt(t, "a", 2, "no room");
	attempt(t, "a", 3, "no room");
	assert_kept(t, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 ");
}

static void test_changes_that_are_no_attempts_all_stay(void **state)
{
	struct tracker_db *t = *state;
	struct deployment d = make_deployment("a", 1);
	int64_t seq;
	for (int i = 0; i < 6; i++) {
		d.state = i % 2 == 0 ? DEPLOYMENT_STALE : DEPLOYMENT_FAILED;
		CHECK(t, deployment_change_record_in_txn(t->db, &d, TRACKER_DB_NOW_MS, &seq,
							 &t->err));
	}
	assert_kept(t, "1 2 3 4 5 6 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_row_holds_all_of_the_deployment),
		TEST(test_who_knows_a_number_is_told_what_came_after_it),
		TEST(test_pages_go_from_the_newest_to_the_oldest),
		TEST(test_a_deployment_keeps_so_many_rows),
		TEST(test_all_together_keep_so_many_rows),
		TEST(test_of_attempts_that_fail_alike_the_first_and_the_last_stay),
		TEST(test_attempts_that_differ_all_stay),
		TEST(test_changes_that_are_no_attempts_all_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
