/* The checks of the history: pages, problems beyond the bound, a noted digest. What each change of a database is told as
 * is in tests/e2e/run_registry_history.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/registry_verify.h"

#include "json/json_reader.h"
#include "unit/store/registry_world_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

enum { EVENTS = 230 };

static void add_events(struct tracker_db *t)
{
	struct model_pk a = world_add_model(t, "a", 1);
	(void)world_add_version(t, a, "a", 1);
	for (int64_t i = 3; i <= EVENTS; i++)
		(void)world_move_alias(t, a, "a", "x", 1, i);
}

static struct registry_check_result check_all(struct tracker_db *t,
					      const struct registry_check *check)
{
	struct registry_check_result result;
	CHECK(t, registry_check_chain(t->db, check, &t->arena, &result, &t->err));
	return result;
}

static void pages_go_on_where_the_last_one_ended(void **state)
{
	struct tracker_db *t = *state;
	struct registry_check check = {.rows_max = 100};
	size_t checked = 0;
	add_events(t);
	for (int page = 0; page < 3; page++) {
		struct registry_check_result result = check_all(t, &check);
		assert_int_equal(result.problems.count, 0);
		assert_int_equal(result.head.event_seq, EVENTS);
		checked += result.checked_count;
		assert_int_equal(result.last_seq, checked);
		check.after_seq = result.last_seq;
		memcpy(check.after_sha256, result.last_sha256, SHA256_BYTES);
	}
	assert_int_equal(checked, EVENTS);
	check.after_sha256[0] ^= 1; /* another place than it was */
	check.after_seq--;
	assert_int_equal(check_all(t, &check).problems.count, 1);
}

static void a_noted_digest_is_found(void **state)
{
	struct tracker_db *t = *state;
	struct registry_head head;
	unsigned char other[SHA256_BYTES] = {1};
	struct registry_check check = {.rows_max = 1000, .expected_or_null = head.sha256};
	add_events(t);
	CHECK(t, registry_head_load(t->db, &head, &t->err));
	assert_int_equal(check_all(t, &check).expected_seq, EVENTS);
	check.expected_or_null = other;
	assert_int_equal(check_all(t, &check).expected_seq, 0);
}

static void problems_are_bounded(void **state)
{
	struct tracker_db *t = *state;
	const struct registry_check check = {.rows_max = 1000};
	add_events(t);
	CHECK(t, db_exec(t->db, SQL("UPDATE registry_events SET actor = 'eve'"), &t->err));
	struct registry_check_result result = check_all(t, &check);
	assert_int_equal(result.checked_count, EVENTS);
	assert_int_equal(result.problems.count, REGISTRY_PROBLEMS_MAX + 1);
	assert_true(slice_eq_cstr(result.problems.items[REGISTRY_PROBLEMS_MAX].text,
				  "there are more problems than are told"));
}

static void models_are_compared_page_by_page(void **state)
{
	struct tracker_db *t = *state;
	struct registry_problem_list problems;
	size_t checked = 0;
	int64_t last_pk = 0, pages = 0;
	for (int i = 0; i < 5; i++)
		(void)world_add_model(t, (const char *[]){"a", "b", "c", "d", "e"}[i], 1);
	CHECK(t,
	      db_exec(t->db, SQL("UPDATE registered_models SET description = 'x' WHERE name = 'c'"),
		      &t->err));
	CHECK(t, db_exec(t->db, SQL("DELETE FROM registered_models WHERE name = 'b'"), &t->err));
	size_t told = 0;
	do {
		CHECK(t, registry_check_models(t->db, last_pk, 2, &t->arena, &checked, &last_pk,
					       &problems, &t->err));
		told += problems.count;
		pages++;
	} while (last_pk != 0);
	assert_int_equal(pages, 3);
	assert_int_equal(told, 2);
	assert_true(slice_eq_cstr(problems.items[0].text,
				  "model 'b' is gone, but the history says that it is there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_go_on_where_the_last_one_ended),
		TEST(a_noted_digest_is_found),
		TEST(problems_are_bounded),
		TEST(models_are_compared_page_by_page),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
