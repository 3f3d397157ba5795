/* Dataset inputs: the first writer's description, one link a run, tags with the first link. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/inputs.h"

#include "store/experiments.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void link_one(struct tracker_db *t, struct run_pk run_pk, int64_t experiment_id,
		     const char *digest, const char *source, const char *context)
{
	struct key_value tag = {SLICE("mlflow.data.context"), slice_from_cstr(context)};
	struct dataset_input input = {
		.name = SLICE("taxi"),
		.digest = slice_from_cstr(digest),
		.source_type = SLICE("local"),
		.source = slice_from_cstr(source),
		.tags = {&tag, 1},
	};
	struct dataset_input_list list = {&input, 1};
	CHECK(t, inputs_log_in_txn(t->db, run_pk, experiment_id, list, &t->arena, &t->err));
}

static void the_first_writer_describes_the_dataset(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk one = tracker_db_add_run(t, RUN_1, 0), two = tracker_db_add_run(t, RUN_2, 0);
	link_one(t, one, 0, "d1", "first", "training");
	link_one(t, two, 0, "d1", "second", "testing");
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM datasets")), 1);
	assert_string_equal(tracker_db_text(t, SQL("SELECT source FROM datasets")), "first");
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM run_datasets")), 2);
}

static void tags_are_written_with_the_first_link_only(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	link_one(t, run_pk, 0, "d1", "s", "training");
	link_one(t, run_pk, 0, "d1", "s", "testing");
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM run_datasets")), 1);
	assert_string_equal(tracker_db_text(t, SQL("SELECT value FROM run_dataset_tags")),
			    "training");
}

static void digest_and_experiment_tell_datasets_apart(void **state)
{
	struct tracker_db *t = *state;
	const struct experiment_new new = {.name = SLICE("e"), .artifact_root = SLICE("r:/")};
	int64_t experiment_id;
	CHECK(t, experiment_insert_in_txn(t->db, &new, &t->arena, &experiment_id, &t->err));
	struct run_pk one = tracker_db_add_run(t, RUN_1, 0);
	struct run_pk two = tracker_db_add_run(t, RUN_2, experiment_id);
	link_one(t, one, 0, "d1", "s", "c");
	link_one(t, one, 0, "d2", "s", "c");
	link_one(t, two, experiment_id, "d1", "s", "c");
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM datasets")), 3);
}

static void repeats_in_one_request_count_once(void **state)
{
	struct tracker_db *t = *state;
	struct run_pk run_pk = tracker_db_add_run(t, RUN_1, 0);
	struct key_value tags[] = {{SLICE("k"), SLICE("1")}, {SLICE("k"), SLICE("2")}};
	struct dataset_input input = {.name = SLICE("n"),
				      .digest = SLICE("d"),
				      .source_type = SLICE("t"),
				      .source = SLICE("s"),
				      .tags = {tags, 2}};
	struct dataset_input inputs[] = {input, input};
	CHECK(t, inputs_log_in_txn(t->db, run_pk, 0, (struct dataset_input_list){inputs, 2},
				   &t->arena, &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM run_datasets")), 1);
	assert_string_equal(tracker_db_text(t, SQL("SELECT value FROM run_dataset_tags")), "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_writer_describes_the_dataset),
		TEST(tags_are_written_with_the_first_link_only),
		TEST(digest_and_experiment_tell_datasets_apart),
		TEST(repeats_in_one_request_count_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
