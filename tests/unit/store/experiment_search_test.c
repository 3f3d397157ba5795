/* Searches of experiments. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/experiment_search.h"

#include <stdlib.h>

#include "limits.h"
#include "store/experiments.h"
#include "unit/store/tracker_db_helper.h"

enum { EXPERIMENTS = 40 };

/* Ids 1 to EXPERIMENTS next to the Default; names e01…; created in groups of ten at the same time; every fifth is
 * deleted; every second has a tag. */
static void fill(struct tracker_db *t)
{
	for (int64_t i = 1; i <= EXPERIMENTS; i++) {
		struct key_value tags[] = {{SLICE("z"), SLICE("last")},
					   {SLICE("team x"), SLICE("Vision")}};
		const struct experiment_new new = {
			.name = arena_printf(&t->arena, "%c%02d", i % 2 == 0 ? 'e' : 'E', (int)i),
			.artifact_root = SLICE("mlflow-artifacts:/"),
			.now_ms = TRACKER_DB_NOW_MS + i / 10,
			.tags = {tags, i % 2 == 0 ? 2 : 0},
		};
		int64_t id = 0;
		CHECK(t, experiment_insert_in_txn(t->db, &new, &t->arena, &id, &t->err));
		assert_int_equal(id, i);
		if (i % 5 == 0)
			CHECK(t, experiment_delete_in_txn(t->db, id, TRACKER_DB_NOW_MS + 1000,
							  &t->err));
	}
}

struct row {
	const char *filter, *order_or_null;
	enum search_view view;
	size_t count;
	int64_t first, last;
};

static const struct row rows[] = {
	{"", NULL, SEARCH_VIEW_ACTIVE, 33, 31, 9},
	{"", NULL, SEARCH_VIEW_DELETED, 8, 40, 5},
	{"", NULL, SEARCH_VIEW_ALL, 41, 40, 9},
	{"", "name", SEARCH_VIEW_ALL, 41, 0, 40},
	{"", "name DESC", SEARCH_VIEW_ALL, 41, 40, 0},
	{"", "experiment_id", SEARCH_VIEW_ALL, 41, 0, 40},
	{"", "creation_time", SEARCH_VIEW_ALL, 41, 9, 40},
	{"", "creation_time DESC", SEARCH_VIEW_ACTIVE, 33, 39, 0},
	{"", "last_update_time DESC", SEARCH_VIEW_ALL, 41, 40, 0},
	{"name = 'e02'", NULL, SEARCH_VIEW_ALL, 1, 2, 2},
	{"name = 'E02'", NULL, SEARCH_VIEW_ALL, 0, 0, 0},
	{"name LIKE 'e%'", "experiment_id", SEARCH_VIEW_ALL, 20, 2, 40},
	{"name ILIKE 'e%'", "experiment_id", SEARCH_VIEW_ALL, 40, 1, 40},
	{"name != 'Default'", "experiment_id", SEARCH_VIEW_ALL, 40, 1, 40},
	{"experiment_id = '10'", "experiment_id", SEARCH_VIEW_ALL, 1, 10, 10},
	{"experiment_id IN ('9', '10', '77')", "experiment_id", SEARCH_VIEW_ALL, 2, 9, 10},
	{"attribute.experiment_id NOT IN ('0')", "experiment_id", SEARCH_VIEW_ALL, 40, 1, 40},
	{"tags.`team x` = 'Vision'", "experiment_id", SEARCH_VIEW_ACTIVE, 16, 2, 38},
	{"tags.`team x` != 'Vision'", NULL, SEARCH_VIEW_ALL, 0, 0, 0},
	{"NOT tags.`team x` = 'Vision'", "experiment_id", SEARCH_VIEW_ALL, 21, 0, 39},
	{"tags.z IS NULL", "experiment_id", SEARCH_VIEW_ALL, 21, 0, 39},
	{"tags.z ILIKE 'L_ST' and name like '%1_'", "experiment_id", SEARCH_VIEW_ALL, 5, 10, 18},
	{"creation_time >= 1700000004", NULL, SEARCH_VIEW_ALL, 1, 40, 40},
	{"last_update_time > 1700000999.5", "experiment_id", SEARCH_VIEW_ALL, 8, 5, 40},
};

static struct experiment_search_page found(struct tracker_db *t,
					   const struct experiment_search *search)
{
	struct experiment_search_page page;
	if (!experiment_search(t->db, search, &t->arena, &page, &t->err))
		fail_msg("%.*s: %s", SLICE_FMT(search->filter), t->err.message);
	return page;
}

static void test_searches_find_their_experiments_in_order(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		const struct slice order = slice_from_cstr(row->order_or_null);
		const struct experiment_search search = {
			.filter = slice_from_cstr(row->filter),
			.order_by = &order,
			.order_by_count = row->order_or_null != NULL,
			.view = row->view,
			.rows_max = SEARCH_EXPERIMENTS_MAX,
		};
		struct experiment_search_page page = found(t, &search);
		if (page.count != row->count)
			fail_msg("%s: %zu experiments", row->filter, page.count);
		assert_null(page.next_page_token.ptr);
		if (page.count == 0)
			continue;
		if (page.experiments[0].experiment_id != row->first ||
		    page.experiments[page.count - 1].experiment_id != row->last)
			fail_msg("%s by %s: %lld to %lld", row->filter, row->order_or_null,
				 (long long)page.experiments[0].experiment_id,
				 (long long)page.experiments[page.count - 1].experiment_id);
	}
}

static void test_experiments_come_whole_with_their_tags(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	const struct experiment_search search = {
		.filter = SLICE("name = 'e10'"), .view = SEARCH_VIEW_DELETED, .rows_max = 1};
	struct experiment_search_page page = found(t, &search);
	assert_int_equal(page.count, 1);
	const struct experiment *experiment = &page.experiments[0];
	assert_true(slice_eq_cstr(experiment->artifact_location, "mlflow-artifacts:/10"));
	assert_true(experiment->is_deleted);
	assert_int_equal(experiment->tags.count, 2);
	assert_true(slice_eq_cstr(experiment->tags.items[0].key, "team x"));
	assert_true(slice_eq_cstr(experiment->tags.items[1].value, "last"));
}

static void test_pages_one_after_the_other_are_the_whole_order(void **state)
{
	struct tracker_db *t = *state;
	static const struct slice orders[] = {
		{"name", 4}, {"creation_time", 13}, {"last_update_time DESC", 21}};
	fill(t);
	for (size_t i = 0; i <= ARRAY_COUNT(orders); i++) {
		for (size_t page_rows = 1; page_rows <= EXPERIMENTS + 2; page_rows += 3) {
			size_t seen = 0;
			struct experiment_search search = {
				.order_by = &orders[i],
				.order_by_count = i < ARRAY_COUNT(orders),
				.view = SEARCH_VIEW_ALL,
				.rows_max = SEARCH_EXPERIMENTS_MAX,
			};
			struct experiment_search_page whole = found(t, &search);
			search.rows_max = page_rows;
			do {
				struct experiment_search_page page = found(t, &search);
				for (size_t n = 0; n < page.count; n++, seen++)
					assert_int_equal(page.experiments[n].experiment_id,
							 whole.experiments[seen].experiment_id);
				search.page_token = page.next_page_token;
			} while (search.page_token.ptr != NULL);
			assert_int_equal(seen, EXPERIMENTS + 1);
		}
	}
}

static void test_a_token_of_another_query_is_refused(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	struct experiment_search search = {.view = SEARCH_VIEW_ALL, .rows_max = 1};
	struct experiment_search_page page = found(t, &search);
	search.page_token = page.next_page_token;
	search.view = SEARCH_VIEW_ACTIVE;
	tracker_db_check_error(
		t, experiment_search(t->db, &search, &t->arena, &page, &t->err),
		ERR_INVALID_PARAMETER_VALUE,
		"Invalid page token: it was not given out for this query. A token belongs to one "
		"filter, order and list of experiments.");
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, tracker_db_setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_searches_find_their_experiments_in_order),
		TEST(test_experiments_come_whole_with_their_tags),
		TEST(test_pages_one_after_the_other_are_the_whole_order),
		TEST(test_a_token_of_another_query_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
