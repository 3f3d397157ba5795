/* Tests the rows of assessments: every kind, replacing, overriding, deleting, and the values that searches see. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/assessments.h"
#include "store/key_values.h"
#include "store/traces.h"
#include "unit/store/tracker_db_helper.h"

static struct trace_pk add_trace(struct tracker_db *t, const char *id)
{
	struct trace trace = {.trace_id = slice_from_cstr(id), .state = SLICE("OK")};
	bool is_new;
	CHECK(t, trace_put_in_txn(t->db, &trace, SLICE("x:/"), &t->arena, &is_new, &t->err));
	return trace.pk;
}

static struct assessment feedback(const char *id, const char *value)
{
	return (struct assessment){
		.assessment_id = slice_from_cstr(id),
		.trace_id = SLICE("tr-1"),
		.name = SLICE("n"),
		.value = slice_from_cstr(value),
		.source_type = SLICE("HUMAN"),
		.is_valid = true,
	};
}

static struct assessment load(struct tracker_db *t, const char *id)
{
	struct assessment a;
	struct trace_pk pk;
	CHECK(t, assessment_load(t->db, SLICE("tr-1"), slice_from_cstr(id), &t->arena, &a, &pk, &t->err));
	return a;
}

static void test_every_kind_is_read_as_it_was_put(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk = add_trace(t, "tr-1");
	for (enum assessment_kind kind = ASSESSMENT_FEEDBACK; kind <= ASSESSMENT_ISSUE; kind++) {
		struct key_value item = {SLICE("k"), SLICE("v")};
		struct assessment a = feedback("a-1", "{\"x\":[1]}");
		a.kind = kind;
		a.is_serialized = kind == ASSESSMENT_EXPECTATION;
		a.has_error = kind == ASSESSMENT_FEEDBACK;
		a.error.error_message = SLICE("why");
		a.span_id = SLICE("s");
		a.metadata = (struct key_value_list){&item, 1};
		a.create_time_ms = 3;
		a.last_update_time_ms = 4;
		CHECK(t, assessment_put_in_txn(t->db, pk, &a, &t->arena, &t->err));
		struct assessment read = load(t, "a-1");
		assert_int_equal(read.kind, kind);
		assert_int_equal(read.is_serialized, a.is_serialized);
		assert_int_equal(read.has_error, a.has_error);
		assert_true(slice_eq(read.value, a.value) && slice_eq(read.error.error_message, SLICE("why")));
		assert_true(!slice_is_present(read.error.error_code) && !slice_is_present(read.rationale));
		assert_true(slice_eq(read.trace_id, SLICE("tr-1")) && slice_eq(read.span_id, SLICE("s")));
		assert_true(read.is_valid && read.create_time_ms == 3 && read.last_update_time_ms == 4);
		assert_int_equal(read.metadata.count, 1);
	}
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM assessments")), 1);
}

static void test_a_replacement_adds_to_the_metadata(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk = add_trace(t, "tr-1"), other = add_trace(t, "tr-2");
	struct key_value first[] = {{SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}};
	struct key_value second[] = {{SLICE("b"), SLICE("3")}, {SLICE("c"), SLICE("4")}};
	struct assessment a = feedback("a-1", "1");
	a.metadata = (struct key_value_list){first, 2};
	CHECK(t, assessment_put_in_txn(t->db, pk, &a, &t->arena, &t->err));
	a.metadata = (struct key_value_list){second, 2};
	CHECK(t, assessment_put_in_txn(t->db, other, &a, &t->arena, &t->err));
	struct assessment read = load(t, "a-1"); /* still of the first trace */
	assert_int_equal(read.metadata.count, 3);
	assert_true(slice_eq_cstr(key_values_find(read.metadata, SLICE("b"))->value, "3"));
}

/* What searches compare with. */
static void test_searches_see_texts_and_numbers(void **state)
{
	static const struct {
		const char *value, *text;
		bool is_number;
	} rows[] = {
		{"\"yes\"", "yes", false}, {"\"a\\\"b\"", "a\"b", false}, {"true", "true", false}, {"0.5", "0.5", true},
		{"-3", "-3", true},	   {"null", "null", false},	  {"[1]", "[1]", false},   {"\"7\"", "7", false},
		{"not json", "not json", false},
	};
	struct tracker_db *t = *state;
	struct trace_pk pk = add_trace(t, "tr-1");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct assessment a = feedback("a-1", rows[i].value);
		CHECK(t, assessment_put_in_txn(t->db, pk, &a, &t->arena, &t->err));
		assert_string_equal(tracker_db_text(t, SQL("SELECT search_text FROM assessments")), rows[i].text);
		assert_int_equal(tracker_db_number(t, SQL("SELECT search_number IS NOT NULL FROM assessments")),
				 rows[i].is_number);
	}
}

static void test_an_overridden_one_counts_again_when_the_other_goes(void **state)
{
	struct tracker_db *t = *state;
	struct trace_pk pk = add_trace(t, "tr-1"), other = add_trace(t, "tr-2");
	struct assessment first = feedback("a-1", "1"), second = feedback("a-2", "2");
	second.overrides = SLICE("a-1");
	CHECK(t, assessment_put_in_txn(t->db, pk, &first, &t->arena, &t->err));
	CHECK(t, assessment_override_in_txn(t->db, pk, SLICE("tr-1"), SLICE("a-1"), &t->err));
	CHECK(t, assessment_put_in_txn(t->db, pk, &second, &t->arena, &t->err));
	assert_false(load(t, "a-1").is_valid);
	tracker_db_check_error(t, assessment_override_in_txn(t->db, other, SLICE("tr-2"), SLICE("a-1"), &t->err),
			       ERR_RESOURCE_DOES_NOT_EXIST, "Assessment with ID 'a-1' not found for trace 'tr-2'");
	CHECK(t, assessment_delete_in_txn(t->db, SLICE("tr-2"), SLICE("a-2"), &t->arena, &t->err));
	assert_false(load(t, "a-1").is_valid);
	CHECK(t, assessment_delete_in_txn(t->db, SLICE("tr-1"), SLICE("a-2"), &t->arena, &t->err));
	CHECK(t, assessment_delete_in_txn(t->db, SLICE("tr-1"), SLICE("a-2"), &t->arena, &t->err));
	assert_true(load(t, "a-1").is_valid);
}

static void test_a_missing_one_is_an_error(void **state)
{
	struct tracker_db *t = *state;
	struct assessment a;
	struct trace_pk pk = add_trace(t, "tr-1");
	bool exists;
	tracker_db_check_error(
		t, assessment_load(t->db, SLICE("tr-1"), SLICE("a-9"), &t->arena, &a, &pk, &t->err),
		ERR_RESOURCE_DOES_NOT_EXIST, "Assessment with ID 'a-9' not found for trace 'tr-1'");
	tracker_db_check_error(
		t, assessment_load(t->db, SLICE("tr-9"), SLICE("a-9"), &t->arena, &a, &pk, &t->err),
		ERR_RESOURCE_DOES_NOT_EXIST, "Trace with request_id 'tr-9' not found");
	CHECK(t, assessment_exists(t->db, SLICE("a-9"), &exists, &t->err));
	assert_false(exists);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, tracker_db_setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_kind_is_read_as_it_was_put),
		TEST(test_a_replacement_adds_to_the_metadata),
		TEST(test_searches_see_texts_and_numbers),
		TEST(test_an_overridden_one_counts_again_when_the_other_goes),
		TEST(test_a_missing_one_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
