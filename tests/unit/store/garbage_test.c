/* What was deleted: found in order, measured, hidden while it is removed, and gone with all that hangs on it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/garbage.h"

#include "store/experiments.h"
#include "store/metrics.h"
#include "store/runs.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

enum { POINTS = 500 };

static struct run_pk add_full_run(struct tracker_db *t, const char *run_id)
{
	struct run_pk pk = tracker_db_add_run(t, run_id, 0);
	struct metric_point points[POINTS];
	for (int i = 0; i < POINTS; i++)
		points[i] = (struct metric_point){SLICE("loss"), 1.0 / (i + 1), i, i};
	CHECK(t, metrics_append_in_txn(t->db, pk, 0, points, POINTS, &t->arena, &t->err));
	return pk;
}

static bool next(struct tracker_db *t, struct garbage_cursor *cursor, struct garbage *out)
{
	bool found;
	CHECK(t, garbage_next(t->db, cursor, &t->arena, out, &found, &t->err));
	return found;
}

static void only_deleted_things_are_found(void **state)
{
	struct tracker_db *t = *state;
	struct garbage_cursor cursor = GARBAGE_CURSOR_BEGIN;
	struct garbage garbage;
	struct run_pk first = tracker_db_add_run(t, RUN_1, 0);
	(void)tracker_db_add_run(t, RUN_2, 0);
	assert_false(next(t, &cursor, &garbage));
	CHECK(t, run_delete_in_txn(t->db, first, 77, &t->err));
	CHECK(t, experiment_delete_in_txn(t->db, 0, 99, &t->err)); /* and the other run with it */
	cursor = GARBAGE_CURSOR_BEGIN;
	assert_true(next(t, &cursor, &garbage));
	assert_int_equal(garbage.kind, GARBAGE_RUN);
	assert_true(slice_eq_cstr(garbage.id, RUN_1));
	assert_int_equal(garbage.deleted_ms, 77);
	assert_true(next(t, &cursor, &garbage));
	assert_true(slice_eq_cstr(garbage.id, RUN_2));
	assert_int_equal(garbage.deleted_ms, 99);
	assert_true(next(t, &cursor, &garbage));
	assert_int_equal(garbage.kind, GARBAGE_EXPERIMENT);
	assert_int_equal(garbage.pk, 0);
	assert_false(next(t, &cursor, &garbage));
}

static void a_run_goes_with_all_it_logged(void **state)
{
	struct tracker_db *t = *state;
	struct garbage_cursor cursor = GARBAGE_CURSOR_BEGIN;
	struct garbage garbage;
	struct garbage_figures figures;
	struct run_ref ref;
	bool found, is_gone = false;
	struct run_pk kept = add_full_run(t, RUN_2), gone = add_full_run(t, RUN_1);
	int64_t kept_bytes, all_bytes = tracker_db_number(t, SQL("SELECT sum(length(data)) FROM metric_tail"));
	(void)kept;
	CHECK(t, run_delete_in_txn(t->db, gone, 1, &t->err));
	assert_true(next(t, &cursor, &garbage));
	CHECK(t, garbage_measure(t->db, &garbage, &figures, &t->err));
	assert_int_equal(figures.rows, 1 + 1 + 1 + 1); /* run, its name's tag, batch, series */
	CHECK(t, garbage_mark_in_txn(t->db, &garbage, &t->err));
	CHECK(t, run_find_if_any(t->db, SLICE(RUN_1), &ref, &found, &t->err));
	assert_false(found);
	while (!is_gone)
		CHECK(t, garbage_remove_piece_in_txn(t->db, &garbage, &is_gone, &t->err));
	CHECK(t, garbage_remove_row_in_txn(t->db, &garbage, &t->err));
	kept_bytes = tracker_db_number(t, SQL("SELECT sum(length(data)) FROM metric_tail"));
	assert_int_equal(all_bytes - kept_bytes, figures.metric_bytes);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_series")), 1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM runs")), 1);
	assert_false(next(t, &cursor, &garbage));
}

static void what_is_being_removed_is_found_again_and_not_restored(void **state)
{
	struct tracker_db *t = *state;
	struct garbage_cursor cursor = GARBAGE_CURSOR_BEGIN;
	struct garbage garbage;
	struct run_pk pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, experiment_delete_in_txn(t->db, 0, 5, &t->err));
	assert_true(next(t, &cursor, &garbage));
	assert_int_equal(garbage.pk, pk.value);
	assert_false(garbage.is_being_removed);
	CHECK(t, garbage_mark_in_txn(t->db, &garbage, &t->err));
	CHECK(t, experiment_restore_in_txn(t->db, 0, 6, &t->err)); /* the experiment comes back without it */
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM runs WHERE is_deleted = 0")), 0);
	cursor = GARBAGE_CURSOR_BEGIN;
	assert_true(next(t, &cursor, &garbage));
	assert_true(garbage.is_being_removed);
}

static void an_experiment_tells_what_it_holds(void **state)
{
	struct tracker_db *t = *state;
	bool is_empty, has_active;
	CHECK(t, garbage_experiment_is_empty(t->db, 0, &is_empty, &t->err));
	assert_true(is_empty);
	struct run_pk pk = tracker_db_add_run(t, RUN_1, 0);
	CHECK(t, garbage_has_active_runs(t->db, 0, &has_active, &t->err));
	assert_true(has_active);
	CHECK(t, run_delete_in_txn(t->db, pk, 1, &t->err));
	CHECK(t, garbage_has_active_runs(t->db, 0, &has_active, &t->err));
	assert_false(has_active);
	CHECK(t, garbage_experiment_is_empty(t->db, 0, &is_empty, &t->err));
	assert_false(is_empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_deleted_things_are_found),
		TEST(a_run_goes_with_all_it_logged),
		TEST(what_is_being_removed_is_found_again_and_not_restored),
		TEST(an_experiment_tells_what_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
