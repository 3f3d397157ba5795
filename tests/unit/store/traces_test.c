/* Tests the rows of traces: making, sending again, ending, tags, links, deletion, and what is read back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/assessments.h"
#include "store/key_values.h"
#include "store/traces.h"
#include "store/traces_load.h"
#include "unit/store/tracker_db_helper.h"

#define LOCATION SLICE("mlflow-artifacts:/0")

static struct trace trace_of(const char *id, int64_t time_ms)
{
	return (struct trace){.trace_id = slice_from_cstr(id), .request_time_ms = time_ms, .state = SLICE("OK")};
}

static struct trace_pk put(struct tracker_db *t, struct trace trace)
{
	bool is_new;
	CHECK(t, trace_put_in_txn(t->db, &trace, LOCATION, &t->arena, &is_new, &t->err));
	return trace.pk;
}

static struct trace load(struct tracker_db *t, struct trace_pk pk)
{
	struct trace trace;
	CHECK(t, traces_load(t->db, &pk, 1, &t->arena, &trace, &t->err));
	return trace;
}

static void check_value(const struct key_value_list *list, const char *key, const char *value)
{
	const struct key_value *item = key_values_find(*list, slice_from_cstr(key));
	assert_non_null(item);
	assert_true(slice_eq_cstr(item->value, value));
}

static void test_a_trace_is_read_as_it_was_put(void **state)
{
	struct tracker_db *t = *state;
	struct key_value tags[] = {{SLICE("b"), SLICE("1")}, {SLICE("a"), SLICE("")}, {SLICE("b"), SLICE("2")},
				   {TRACE_LOCATION_TAG, SLICE("elsewhere")}};
	struct key_value metadata[] = {{SLICE("m"), SLICE("x")}};
	struct trace new = trace_of("tr-1", 5);
	bool is_new = false;
	new.has_execution_time = true;
	new.execution_time_ms = 7;
	new.client_request_id = SLICE("c");
	new.request_preview = SLICE("");
	new.tags = (struct key_value_list){tags, ARRAY_COUNT(tags)};
	new.metadata = (struct key_value_list){metadata, 1};
	CHECK(t, trace_put_in_txn(t->db, &new, LOCATION, &t->arena, &is_new, &t->err));
	assert_true(is_new);
	struct trace read = load(t, new.pk);
	assert_true(slice_eq_cstr(read.trace_id, "tr-1") && slice_eq_cstr(read.state, "OK"));
	assert_int_equal(read.request_time_ms, 5);
	assert_true(read.has_execution_time && read.execution_time_ms == 7);
	assert_true(slice_is_present(read.request_preview) && !slice_is_present(read.response_preview));
	assert_int_equal(read.tags.count, 3);
	assert_int_equal(new.tags.count, 3);
	check_value(&read.tags, "a", "");
	check_value(&read.tags, "b", "2");
	check_value(&read.tags, "mlflow.artifactLocation", "mlflow-artifacts:/0/traces/tr-1/artifacts");
	check_value(&read.metadata, "m", "x");
	assert_int_equal(read.assessments.count, 0);
}

static void test_a_trace_that_comes_again_is_brought_up_to_date(void **state)
{
	struct tracker_db *t = *state;
	struct key_value tag = {SLICE("a"), SLICE("1")}, other = {SLICE("b"), SLICE("2")};
	struct assessment assessment = {.assessment_id = SLICE("a-1"), .name = SLICE("n"), .value = SLICE("1"),
					.source_type = SLICE("CODE"), .is_valid = true};
	struct trace first = trace_of("tr-1", 5), second = trace_of("tr-1", 6);
	bool is_new = true;
	first.request_preview = SLICE("kept");
	first.tags = (struct key_value_list){&tag, 1};
	first.assessments = (struct assessment_list){&assessment, 1};
	second.response_preview = SLICE("new");
	second.tags = (struct key_value_list){&other, 1};
	second.assessments = first.assessments;
	struct trace_pk pk = put(t, first);
	CHECK(t, trace_put_in_txn(t->db, &second, LOCATION, &t->arena, &is_new, &t->err));
	assert_false(is_new);
	assert_int_equal(second.pk.value, pk.value);
	struct trace read = load(t, pk);
	assert_int_equal(read.request_time_ms, 6);
	assert_false(read.has_execution_time);
	assert_true(slice_eq_cstr(read.request_preview, "kept") && slice_eq_cstr(read.response_preview, "new"));
	assert_int_equal(read.tags.count, 3);
	assert_int_equal(read.assessments.count, 1);
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM traces")), 1);
}

static void test_the_end_of_a_trace_gives_its_duration(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk = put(t, trace_of("tr-1", 1000));
	CHECK(t, trace_end_in_txn(t->db, pk, 1250, SLICE("ERROR"), &t->err));
	struct trace read = load(t, pk);
	assert_int_equal(read.execution_time_ms, 250);
	assert_true(slice_eq_cstr(read.state, "ERROR"));
}

static void test_tags_are_set_and_deleted(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk = put(t, trace_of("tr-1", 5));
	struct key_value tag = {SLICE("k"), SLICE("1")};
	bool deleted;
	CHECK(t, trace_tags_set_in_txn(t->db, pk, (struct key_value_list){&tag, 1}, &t->arena, &t->err));
	CHECK(t, trace_tag_delete_in_txn(t->db, pk, SLICE("k"), &deleted, &t->err));
	assert_true(deleted);
	CHECK(t, trace_tag_delete_in_txn(t->db, pk, SLICE("k"), &deleted, &t->err));
	assert_false(deleted);
}

static void test_a_missing_trace_is_an_error(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk;
	struct slice uri;
	tracker_db_check_error(t, trace_find(t->db, SLICE("tr-9"), &pk, &t->err), ERR_RESOURCE_DOES_NOT_EXIST,
			       "Trace with ID 'tr-9' not found.");
	tracker_db_check_error(t, trace_location(t->db, SLICE("tr-9"), &t->arena, &uri, &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, "Trace with ID 'tr-9' not found.");
}

static void test_a_trace_is_where_its_experiment_keeps_it(void **state)
{
	struct tracker_db *t = *state;
	struct slice uri;
	(void)put(t, trace_of("tr-1", 5));
	CHECK(t, trace_location(t->db, SLICE("tr-1"), &t->arena, &uri, &t->err));
	const char *location = tracker_db_text(t, SQL("SELECT artifact_location FROM experiments"));
	assert_true(slice_eq(uri, trace_directory_uri(slice_from_cstr(location), SLICE("tr-1"), &t->arena)));
	assert_true(slice_ends_with(uri, SLICE("/traces/tr-1")));
}

static void test_deletion_selects_by_age_the_oldest_first(void **state)
{
	struct tracker_db *t = *state;
	static const struct {
		int64_t max_time_ms;
		size_t count_max, found;
		const char *first;
	} rows[] = {{9, 5, 0, ""}, {10, 5, 1, "tr-b"}, {30, 5, 3, "tr-b"}, {30, 2, 2, "tr-b"}};
	(void)put(t, trace_of("tr-a", 20));
	(void)put(t, trace_of("tr-b", 10));
	(void)put(t, trace_of("tr-c", 30));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct trace_selection selection = {.max_time_ms = rows[i].max_time_ms};
		struct trace_ref_list list;
		CHECK(t, traces_select(t->db, &selection, rows[i].count_max, &t->arena, &list, &t->err));
		assert_int_equal(list.count, rows[i].found);
		assert_true(list.count == 0 || slice_eq_cstr(list.items[0].trace_id, rows[i].first));
	}
}

static void test_deletion_selects_ids_of_its_experiment_only(void **state)
{
	struct tracker_db *t = *state;
	const struct slice ids[] = {SLICE("tr-9"), SLICE("tr-b"), SLICE("tr-a")};
	struct trace_selection selection = {.trace_ids = ids, .trace_id_count = 3};
	struct trace_ref_list list;
	(void)put(t, trace_of("tr-a", 20));
	(void)put(t, trace_of("tr-b", 10));
	CHECK(t, traces_select(t->db, &selection, 3, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 2);
	assert_true(slice_eq_cstr(list.items[0].trace_id, "tr-b"));
	CHECK(t, traces_select(t->db, &selection, 1, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 1);
	selection.experiment_id = 1;
	CHECK(t, traces_select(t->db, &selection, 3, &t->arena, &list, &t->err));
	assert_int_equal(list.count, 0);
}

static void test_deletion_leaves_nothing_behind(void **state)
{
	struct tracker_db *t = *state;
	struct key_value item = {SLICE("k"), SLICE("v")};
	struct assessment assessment = {.assessment_id = SLICE("a-1"), .name = SLICE("n"), .value = SLICE("1"),
					.source_type = SLICE("CODE"), .metadata = {&item, 1}, .is_valid = true};
	struct trace new = trace_of("tr-1", 5);
	new.tags = new.metadata = (struct key_value_list){&item, 1};
	new.assessments = (struct assessment_list){&assessment, 1};
	const struct trace_ref ref = {put(t, new), SLICE("tr-1")};
	CHECK(t, trace_link_run_in_txn(t->db, SLICE("tr-1"), SLICE(RUN_1), &t->err));
	CHECK(t, trace_link_run_in_txn(t->db, SLICE("tr-1"), SLICE(RUN_1), &t->err));
	CHECK(t, trace_link_prompt_in_txn(t->db, ref.pk, SLICE("p/1"), &t->err));
	CHECK(t, trace_link_prompt_in_txn(t->db, ref.pk, SLICE("p/1"), &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM trace_runs")), 1);
	CHECK(t, trace_delete_in_txn(t->db, &ref, &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT (SELECT count(*) FROM traces)"
						  " + (SELECT count(*) FROM trace_tags)"
						  " + (SELECT count(*) FROM trace_metadata)"
						  " + (SELECT count(*) FROM trace_runs)"
						  " + (SELECT count(*) FROM trace_prompts)"
						  " + (SELECT count(*) FROM assessments)"
						  " + (SELECT count(*) FROM assessment_metadata)")),
			 0);
}

/* More than one piece, in an order that is not that of the rows. */
static void test_many_traces_are_read_where_they_were_asked_for(void **state)
{
	enum { COUNT = 1203 };
	struct tracker_db *t = *state;
	struct trace_pk *pks = ARENA_NEW(&t->arena, struct trace_pk, COUNT);
	struct trace *traces = ARENA_NEW(&t->arena, struct trace, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		struct slice number = arena_printf(&t->arena, "%zu", i);
		struct key_value tag = {SLICE("n"), number};
		struct assessment assessment = {.assessment_id = number, .name = number, .value = number,
						.source_type = SLICE("CODE"), .metadata = {&tag, 1}};
		struct trace new = trace_of(arena_cstr(&t->arena, number), (int64_t)i);
		new.tags = (struct key_value_list){&tag, 1};
		new.assessments = (struct assessment_list){&assessment, i % 3 == 0};
		pks[(i * 7) % COUNT] = put(t, new);
	}
	CHECK(t, traces_load(t->db, pks, COUNT, &t->arena, traces, &t->err));
	for (size_t i = 0; i < COUNT; i++) {
		const struct trace *trace = &traces[(i * 7) % COUNT];
		assert_int_equal(trace->request_time_ms, i);
		check_value(&trace->tags, "n", arena_cstr(&t->arena, trace->trace_id));
		assert_int_equal(trace->assessments.count, i % 3 == 0);
		if (trace->assessments.count > 0)
			check_value(&trace->assessments.items[0].metadata, "n",
				    arena_cstr(&t->arena, trace->trace_id));
	}
	const struct trace_pk nobody = {COUNT + 1};
	tracker_db_check_error(t, traces_load(t->db, &nobody, 1, &t->arena, traces, &t->err), ERR_INTERNAL_ERROR,
			       "A trace vanished while it was read.");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, tracker_db_setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_trace_is_read_as_it_was_put),
		TEST(test_a_trace_that_comes_again_is_brought_up_to_date),
		TEST(test_the_end_of_a_trace_gives_its_duration),
		TEST(test_tags_are_set_and_deleted),
		TEST(test_a_missing_trace_is_an_error),
		TEST(test_a_trace_is_where_its_experiment_keeps_it),
		TEST(test_deletion_selects_by_age_the_oldest_first),
		TEST(test_deletion_selects_ids_of_its_experiment_only),
		TEST(test_deletion_leaves_nothing_behind),
		TEST(test_many_traces_are_read_where_they_were_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
