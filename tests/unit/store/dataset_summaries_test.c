/* Which datasets experiments used: each use once, in order, no more than asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/dataset_summaries.h"

#include "store/experiments.h"
#include "store/inputs.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void use(struct tracker_db *t, struct run_pk run_pk, int64_t experiment_id, const char *name,
		const char *context_or_null)
{
	struct key_value tags[] = {{SLICE("mlflow.data.context"), slice_from_cstr(context_or_null)},
				   {SLICE("other"), SLICE("x")}};
	size_t skipped = context_or_null == NULL ? 1 : 0;
	struct dataset_input input = {
		.name = slice_from_cstr(name),
		.digest = SLICE("d"),
		.source_type = SLICE("local"),
		.source = SLICE("s"),
		.tags = {tags + skipped, 2 - skipped},
	};
	CHECK(t, inputs_log_in_txn(t->db, run_pk, experiment_id,
				   (struct dataset_input_list){&input, 1}, &t->arena, &t->err));
}

static int64_t add_experiment(struct tracker_db *t)
{
	const struct experiment_new new = {.name = SLICE("e"), .artifact_root = SLICE("s3://b")};
	int64_t id = 0;
	CHECK(t, experiment_insert_in_txn(t->db, &new, &t->arena, &id, &t->err));
	return id;
}

static void each_use_is_told_once_in_order(void **state)
{
	struct tracker_db *t = *state;
	int64_t ids[] = {add_experiment(t), 0, 4711};
	struct run_pk one = tracker_db_add_run(t, RUN_1, 0), two = tracker_db_add_run(t, RUN_2, 0);
	struct run_pk three = tracker_db_add_run(t, "3", ids[0]);
	use(t, one, 0, "taxi", "training");
	use(t, two, 0, "taxi", "training");
	use(t, two, 0, "bus", NULL);
	use(t, three, ids[0], "taxi", "test");
	struct dataset_summary_list list;
	CHECK(t, dataset_summaries_load(t->db, ids, 3, 10, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 3);
	assert_true(slice_eq_cstr(list.items[0].name, "bus"));
	assert_false(slice_is_present(list.items[0].context));
	assert_true(slice_eq_cstr(list.items[1].context, "training"));
	assert_int_equal(list.items[2].experiment_id, ids[0]);
	assert_true(slice_eq_cstr(list.items[2].context, "test"));
	CHECK(t, dataset_summaries_load(t->db, ids, 3, 2, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 2);
	CHECK(t, dataset_summaries_load(t->db, ids + 2, 1, 2, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_use_is_told_once_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
