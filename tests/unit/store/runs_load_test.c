/* Whole runs: everything of each, in the order asked for, whatever the count. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/runs_load.h"

#include <stdio.h>

#include "store/inputs.h"
#include "store/metrics.h"
#include "store/params.h"
#include "store/pk_list.h"
#include "store/tags.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void log_params(struct tracker_db *t, struct run_pk run_pk, struct key_value *params,
		       size_t count)
{
	CHECK(t, params_log_in_txn(t->db, run_pk, SLICE("r"),
				   (struct key_value_list){params, count}, &t->arena, &t->err));
}

static void lists_are_sorted_by_key(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	/* Interned in this order, so that rows come unsorted. */
	struct key_value params[] = {
		{SLICE("z"), SLICE("1")}, {SLICE("a"), SLICE("")}, {SLICE("m"), SLICE("3")}};
	log_params(t, run_pk, params, 3);
	const struct metric_point points[] = {
		{.name = SLICE("y"), .value = 1, .timestamp_ms = 1},
		{.name = SLICE("b"), .value = 2, .timestamp_ms = 1, .step = -4},
	};
	CHECK(t, metrics_append_in_txn(t->db, run_pk, 0, points, 2, &t->arena, &t->err));
	struct run run;
	CHECK(t, runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	assert_int_equal(run.params.count, 3);
	assert_true(slice_eq_cstr(run.params.items[0].key, "a"));
	assert_true(slice_is_present(run.params.items[0].value));
	assert_true(slice_eq_cstr(run.params.items[1].key, "m"));
	assert_true(slice_eq_cstr(run.params.items[2].key, "z"));
	assert_int_equal(run.metrics.count, 2);
	assert_true(slice_eq_cstr(run.metrics.items[0].key, "b"));
	assert_int_equal(run.metrics.items[0].step, -4);
	assert_int_equal(run.tags.count, 1);
	assert_int_equal(run.inputs.count, 0);
}

static void info_alone_leaves_the_lists_empty(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct run run;
	CHECK(t, runs_load_info(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	assert_true(slice_eq_cstr(run.run_id, RUN_1));
	assert_int_equal(run.tags.count, 0);
}

static void datasets_come_with_their_tags(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct key_value tags[] = {{SLICE("b"), SLICE("2")}, {SLICE("a"), SLICE("1")}};
	struct dataset_input inputs[] = {
		{.name = SLICE("one"),
		 .digest = SLICE("d"),
		 .source_type = SLICE("t"),
		 .source = SLICE("s"),
		 .tags = {tags, 2}},
		{.name = SLICE("two"),
		 .digest = SLICE("d"),
		 .source_type = SLICE("t"),
		 .source = SLICE("s"),
		 .schema = SLICE("{}"),
		 .profile = SLICE("")},
		{.name = SLICE("three"),
		 .digest = SLICE("d"),
		 .source_type = SLICE("t"),
		 .source = SLICE("s")},
	};
	CHECK(t, inputs_log_in_txn(t->db, run_pk, 0, (struct dataset_input_list){inputs, 3},
				   &t->arena, &t->err));
	struct run run;
	CHECK(t, runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	assert_int_equal(run.inputs.count, 3);
	assert_int_equal(run.inputs.items[0].tags.count, 2);
	assert_true(slice_eq_cstr(run.inputs.items[0].tags.items[0].key, "a"));
	assert_false(slice_is_present(run.inputs.items[0].schema));
	assert_int_equal(run.inputs.items[1].tags.count, 0);
	assert_true(slice_eq_cstr(run.inputs.items[1].schema, "{}"));
	assert_true(slice_is_present(run.inputs.items[1].profile));
	assert_true(slice_eq_cstr(run.inputs.items[2].name, "three"));
}

/* One more than a statement takes, asked for backwards, each with its own values. */
static void many_runs_keep_their_own(void **state)
{
	struct tracker_db *t = *state;
	enum { COUNT = 2 * PK_LIST_COUNT_MAX + 1, PARAMS = 9 };
	static struct run_pk pks[COUNT];
	static struct run runs[COUNT];
	for (int i = 0; i < COUNT; i++) {
		char run_id[33], value[16];
		(void)snprintf(run_id, sizeof(run_id), "%032d", i);
		(void)snprintf(value, sizeof(value), "%d", i);
		struct run_pk run_pk = tracker_db_add_run(t, run_id, 0);
		pks[COUNT - 1 - i] = run_pk;
		/* 0 to 9 parameters: lists at and around the size they first grow at. */
		struct key_value params[PARAMS];
		char keys[PARAMS][16];
		for (int k = 0; k < i % (PARAMS + 1); k++) {
			(void)snprintf(keys[k], sizeof(keys[k]), "p%d", k);
			params[k] = (struct key_value){slice_from_cstr(keys[k]),
						       slice_from_cstr(value)};
		}
		log_params(t, run_pk, params, (size_t)(i % (PARAMS + 1)));
	}
	CHECK(t, runs_load(t->db, pks, COUNT, &t->arena, runs, &t->err));
	for (int i = 0; i < COUNT; i++) {
		const struct run *run = &runs[COUNT - 1 - i];
		char run_id[33], value[16];
		(void)snprintf(run_id, sizeof(run_id), "%032d", i);
		(void)snprintf(value, sizeof(value), "%d", i);
		assert_true(slice_eq_cstr(run->run_id, run_id));
		assert_int_equal(run->params.count, i % (PARAMS + 1));
		for (size_t k = 0; k < run->params.count; k++)
			assert_true(slice_eq_cstr(run->params.items[k].value, value));
		assert_int_equal(run->tags.count, 1);
	}
}

static void a_row_number_that_is_not_there_is_an_error_of_ours(void **state)
{
	struct tracker_db *t = *state;
	const struct run_pk pks[] = {tracker_db_add_run(t, RUN_1, 0), {(int64_t)1 << 40}};
	struct run runs[2];
	bool ok = runs_load(t->db, pks, 2, &t->arena, runs, &t->err);
	tracker_db_check_error(t, ok, ERR_INTERNAL_ERROR, "A run vanished while it was read.");
	CHECK(t, runs_load(t->db, pks, 0, &t->arena, runs, &t->err));
}

static void row_numbers_beyond_32_bits_are_found(void **state)
{
	struct tracker_db *t = *state;
	CHECK(t,
	      db_exec(t->db,
		      SQL("INSERT INTO runs (run_pk, run_id, experiment_id, name, status, "
			  "start_time_ms,"
			  " artifact_uri) VALUES (5000000000, 'big', 0, 'n', 'RUNNING', 1, 'u')"),
		      &t->err));
	const struct run_pk run_pk = {5000000000};
	struct run run;
	CHECK(t, runs_load(t->db, &run_pk, 1, &t->arena, &run, &t->err));
	assert_true(slice_eq_cstr(run.run_id, "big"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_are_sorted_by_key),
		TEST(info_alone_leaves_the_lists_empty),
		TEST(datasets_come_with_their_tags),
		TEST(many_runs_keep_their_own),
		TEST(a_row_number_that_is_not_there_is_an_error_of_ours),
		TEST(row_numbers_beyond_32_bits_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
