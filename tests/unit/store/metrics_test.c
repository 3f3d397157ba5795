/* Tests of the metric store as a whole: random batches, compactions and reads against a naive model. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/metrics.h"
#include "unit/store/metric_model_helper.h"

static void housekeeping(struct tracker_db *t, bool is_idle, unsigned steps)
{
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	bool more = true;
	while (more && steps-- > 0)
		CHECK(t, metrics_housekeeping(t->db, is_idle, &more, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
}

static void reopen(struct tracker_db *t)
{
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	db_close(t->db);
	const struct db_options options = {.mode = DB_READ_WRITE};
	CHECK(t, db_open(t->path, &options, &t->db, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
}

/* One thing that happens to a store. */
static void random_event(struct metric_model *model, size_t batch_max)
{
	struct tracker_db *t = model->t;
	unsigned run = (unsigned)metric_model_random(model, MODEL_RUNS);
	unsigned name = (unsigned)metric_model_random(model, MODEL_NAMES);
	switch (metric_model_random(model, 40)) {
	case 0:
		reopen(t);
		break;
	case 1:
		CHECK(t, metrics_compact_run_in_txn(t->db, model->runs[run], &t->err));
		break;
	case 2:
		housekeeping(t, true, 1 + (unsigned)metric_model_random(model, 4));
		break;
	case 3:
		metric_model_check_history(model, run, name, false);
		break;
	case 4:
		metric_model_check_curves(model);
		break;
	default:
		metric_model_append_random(
			model, metric_model_random(model, 20) == 0 ? 30 * batch_max : batch_max);
		if (metric_model_random(model, 4) ==
		    0) /* ends the transaction, so it waits for the disk */
			housekeeping(t, false, 1);
		break;
	}
}

static void run_random_events(void **state, unsigned event_count, size_t batch_max)
{
	struct tracker_db *t = *state;
	struct metric_model model;
	metric_model_init(&model, t);
	for (unsigned i = 0; i < event_count; i++)
		random_event(&model, batch_max);
	metric_model_check_all(&model, false);
	housekeeping(t, true, 1000);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail")), 0);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM metric_tail_runs")), 0);
	assert_int_equal(tracker_db_number(t, SQL("SELECT sum(point_count) FROM metric_series")),
			 tracker_db_number(t, SQL("SELECT sum(point_count) FROM metric_chunks")));
	metric_model_check_all(&model, true);
	metric_model_deinit(&model);
}

static void test_small_batches_and_compactions_match_a_naive_model(void **state)
{
	run_random_events(state, 1500, 3);
}

static void test_large_batches_and_compactions_match_a_naive_model(void **state)
{
	run_random_events(state, 150, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_small_batches_and_compactions_match_a_naive_model, tracker_db_setup,
			tracker_db_teardown),
		cmocka_unit_test_setup_teardown(
			test_large_batches_and_compactions_match_a_naive_model, tracker_db_setup,
			tracker_db_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
