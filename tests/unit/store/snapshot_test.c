/* Tests of holding a snapshot while another connection commits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/metric_history.h"
#include "store/metrics.h"
#include "store/names.h"
#include "store/snapshot.h"
#include "unit/store/metric_model_helper.h"

struct two {
	struct tracker_db *t;	  /* the writer */
	struct tracker_db reader; /* only db, arena and err are used */
};

static struct two two;

static int setup(void **state)
{
	if (tracker_db_setup(state) != 0)
		return -1;
	two.t = *state;
	const struct db_options options = {.mode = DB_READ_ONLY};
	arena_init(&two.reader.arena, (size_t)64 << 20);
	CHECK(&two.reader, db_open(two.t->path, &options, &two.reader.db, &two.reader.err));
	return 0;
}

static int teardown(void **state)
{
	db_close(two.reader.db);
	arena_deinit(&two.reader.arena);
	return tracker_db_teardown(state);
}

static int64_t chunks_seen(void)
{
	return tracker_db_number(&two.reader, SQL("SELECT count(*) FROM metric_chunks"));
}

static void test_a_compaction_is_not_seen_until_the_snapshot_is_released(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	const struct metric_point points[] = {{SLICE("m"), 1.0, 1, 1}, {SLICE("m"), 2.0, 2, 2}};
	CHECK(t, metrics_append_in_txn(t->db, run_pk, 0, points, 2, &t->arena, &t->err));
	tracker_db_commit(t);
	struct db_statement *snapshot = snapshot_hold(two.reader.db, &two.reader.err);
	assert_non_null(snapshot);
	CHECK(t, metrics_compact_run_in_txn(t->db, run_pk, &t->err));
	tracker_db_commit(t);
	assert_int_equal(chunks_seen(), 0);
	struct metric_series_key key = {.run_pk = run_pk};
	struct metric_samples samples;
	bool more, found = false;
	CHECK(t, names_find(t->db, SLICE("m"), &key.name_pk, &found, &t->err));
	assert_true(found);
	CHECK(&two.reader, metric_history_read(two.reader.db, key, NULL, 10, &two.reader.arena,
					       &samples, &more, &two.reader.err));
	assert_int_equal(samples.count, 2);
	snapshot_release(snapshot);
	assert_int_equal(chunks_seen(), 1);
}

static void test_resetting_all_statements_ends_a_snapshot(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	const struct metric_point point = {SLICE("m"), 1.0, 1, 1};
	CHECK(t, metrics_append_in_txn(t->db, run_pk, 0, &point, 1, &t->arena, &t->err));
	assert_non_null(snapshot_hold(two.reader.db, &two.reader.err));
	CHECK(t, metrics_compact_run_in_txn(t->db, run_pk, &t->err));
	tracker_db_commit(t);
	assert_int_equal(chunks_seen(), 0);
	db_reset_all(two.reader.db);
	assert_int_equal(chunks_seen(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_compaction_is_not_seen_until_the_snapshot_is_released, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_resetting_all_statements_ends_a_snapshot,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
