/* Models that runs took in or made: linked once, read with the run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/run_models.h"

#include "store/runs_load.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void the_first_link_stays(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct model_output first[] = {{SLICE("m-2"), 7}, {SLICE("m-1"), -1}};
	struct model_output again = {SLICE("m-2"), 8};
	CHECK(t, run_model_outputs_log_in_txn(t->db, run_pk, (struct model_output_list){first, 2},
					      &t->err));
	CHECK(t, run_model_outputs_log_in_txn(t->db, run_pk, (struct model_output_list){&again, 1},
					      &t->err));
	struct run run;
	CHECK(t, runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	assert_int_equal(run.model_outputs.count, 2);
	assert_true(slice_eq_cstr(run.model_outputs.items[0].model_id, "m-1"));
	assert_int_equal(run.model_outputs.items[0].step, -1);
	assert_int_equal(run.model_outputs.items[1].step, 7);
}

static void outputs_belong_to_their_runs(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk pks[] = {tracker_db_add_run(t, RUN_1, 0), tracker_db_add_run(t, RUN_2, 0)};
	struct model_output output = {SLICE("m-1"), 0};
	CHECK(t, run_model_outputs_log_in_txn(t->db, pks[1], (struct model_output_list){&output, 1},
					      &t->err));
	struct run runs[2];
	CHECK(t, runs_load(t->db, pks, 2, &t->arena, runs, &t->err));
	assert_int_equal(runs[0].model_outputs.count, 0);
	assert_int_equal(runs[1].model_outputs.count, 1);
}

static void inputs_are_a_sorted_set(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct slice ids[] = {SLICE("m-3"), SLICE("m-1"), SLICE("m-3")};
	struct model_input_list list;
	CHECK(t, run_model_inputs_load(t->db, run_pk, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 0);
	CHECK(t, run_model_inputs_log_in_txn(t->db, run_pk, (struct model_input_list){ids, 3},
					     &t->err));
	CHECK(t, run_model_inputs_load(t->db, run_pk, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 2);
	assert_true(slice_eq_cstr(list.items[0], "m-1"));
	assert_true(slice_eq_cstr(list.items[1], "m-3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_link_stays),
		TEST(outputs_belong_to_their_runs),
		TEST(inputs_are_a_sorted_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
