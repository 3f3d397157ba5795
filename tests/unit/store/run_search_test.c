/* Searches of runs, compared with a plain evaluation in C, page by page, and asked for their plans. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/run_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/db_faulty.h"
#include "limits.h"
#include "unit/store/search_world_helper.h"

enum { FILTERS = 250, ORDERS = 120, DEPTH_MAX = 3, TERMS_MAX = 3 };

static struct world world;

static const struct slice experiments_all[] = {{"0", 1}, {"1", 1}, {"2", 1}};
static const struct slice experiment_zero[] = {{"0", 1}};

static struct run_search search_of(const struct slice *experiment_ids, size_t count,
				   struct slice filter)
{
	return (struct run_search){
		.experiment_ids = experiment_ids,
		.experiment_count = count,
		.filter = filter,
		.view = SEARCH_VIEW_ALL,
		.rows_max = SEARCH_RUNS_MAX,
	};
}

static struct run_search_page found(struct tracker_db *t, const struct run_search *search)
{
	struct run_search_page page;
	if (!run_search(t->db, search, &t->arena, &page, &t->err))
		fail_msg("filter %.*s: %s", SLICE_FMT(search->filter), t->err.message);
	return page;
}

static const struct world_run *run_of(const struct run *run)
{
	return &world.runs[run->pk.value - 1];
}

/* --- filters */

static void check_filter(struct tracker_db *t, const struct world_filter *filter, struct slice text)
{
	struct run_search search = search_of(experiments_all, 3, text);
	struct run_search_page page = found(t, &search);
	bool is_found[WORLD_RUNS] = {false};
	for (size_t i = 0; i < page.count; i++) {
		assert_false(is_found[page.runs[i].pk.value - 1]);
		is_found[page.runs[i].pk.value - 1] = true;
	}
	for (size_t i = 0; i < WORLD_RUNS; i++) {
		if (is_found[i] != world_filter_matches(filter, &world.runs[i]))
			fail_msg("run %zu is %s by %.*s", i, is_found[i] ? "found" : "not found",
				 SLICE_FMT(text));
	}
}

static void test_random_filters_find_what_a_plain_evaluation_finds(void **state)
{
	struct tracker_db *t = *state;
	size_t useful = 0;
	world_fill(&world, t);
	for (size_t i = 0; i < FILTERS; i++) {
		struct arena_mark mark = arena_mark(&t->arena);
		struct slice text;
		const struct world_filter *filter = world_filter_random(
			&world, (unsigned)(i % (DEPTH_MAX + 1)), &t->arena, &text);
		size_t matches = 0;
		for (size_t r = 0; r < WORLD_RUNS; r++)
			matches += world_filter_matches(filter, &world.runs[r]);
		useful += matches > 0 && matches < WORLD_RUNS;
		check_filter(t, filter, text);
		arena_rewind(&t->arena, mark);
	}
	/* Filters that match all or nothing would prove little. */
	assert_true(useful > FILTERS / 2);
}

/* --- orders */

struct step {
	const char *clause;
	/* <0, 0, >0; what is missing was settled before. */
	int (*compare)(const struct world_run *a, const struct world_run *b);
	/* 0 has a value, 1 NaN or NULL, 2 missing */
	int (*rank)(const struct world_run *run);
};

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

static int by_metric(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers(a->metrics[0].value, b->metrics[0].value);
}

static int rank_metric(const struct world_run *run)
{
	return !run->metrics[0].exists ? 2 : run->metrics[0].is_nan;
}

static int by_metric_of_spaces(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers(a->metrics[2].value, b->metrics[2].value);
}

static int rank_metric_of_spaces(const struct world_run *run)
{
	return !run->metrics[2].exists ? 2 : run->metrics[2].is_nan;
}

/* The helper's curves begin with their greatest value. */
static int by_metric_max(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers(a->metrics[0].max, b->metrics[0].max);
}

static int by_metric_of_spaces_min(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers(a->metrics[2].min, b->metrics[2].min);
}

static int by_metric_best_step(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers(a->metrics[0].min < a->metrics[0].max,
			       b->metrics[0].min < b->metrics[0].max);
}

static int by_param(const struct world_run *a, const struct world_run *b)
{
	return compare_texts(a->params[0], b->params[0]);
}

static int rank_param(const struct world_run *run)
{
	return run->params[0] == NULL ? 2 : 0;
}

static int by_tag(const struct world_run *a, const struct world_run *b)
{
	return compare_texts(a->tags[0], b->tags[0]);
}

static int rank_tag(const struct world_run *run)
{
	return run->tags[0] == NULL ? 2 : 0;
}

static int by_end(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers((double)a->end_time, (double)b->end_time);
}

static int rank_end(const struct world_run *run)
{
	return run->has_end_time ? 0 : 1;
}

static int by_start(const struct world_run *a, const struct world_run *b)
{
	return compare_numbers((double)a->start_time, (double)b->start_time);
}

static int by_status(const struct world_run *a, const struct world_run *b)
{
	return compare_texts(a->status, b->status);
}

static int by_name(const struct world_run *a, const struct world_run *b)
{
	return compare_texts(a->name, b->name);
}

static int by_id(const struct world_run *a, const struct world_run *b)
{
	return compare_texts(a->run_id, b->run_id);
}

static int rank_always(const struct world_run *run)
{
	(void)run;
	return 0;
}

static const struct step steps[] = {
	{"metrics.rmse", by_metric, rank_metric},
	{"metric.`a metric.x`", by_metric_of_spaces, rank_metric_of_spaces},
	{"metrics.rmse.max", by_metric_max, rank_metric},
	{"metrics.rmse.first", by_metric_max, rank_metric},
	{"metrics.\"a metric.x\".min", by_metric_of_spaces_min, rank_metric_of_spaces},
	{"metrics.`rmse`.best_step", by_metric_best_step, rank_metric},
	{"params.lr", by_param, rank_param},
	{"tags.mlflow.source.name", by_tag, rank_tag},
	{"end_time", by_end, rank_end},
	{"attributes.start_time", by_start, rank_always},
	{"status", by_status, rank_always},
	{"run_name", by_name, rank_always},
	{"run_id", by_id, rank_always},
};

struct order {
	const struct step *terms[TERMS_MAX];
	bool is_descending[TERMS_MAX];
	struct slice clauses[TERMS_MAX];
	size_t count;
};

static struct order order_now; /* qsort has no context */

static int compare_runs(const void *left, const void *right)
{
	const struct world_run *a = *(const struct world_run *const *)left;
	const struct world_run *b = *(const struct world_run *const *)right;
	for (size_t i = 0; i < order_now.count; i++) {
		const struct step *step = order_now.terms[i];
		int rank = step->rank(a) - step->rank(b);
		if (rank != 0)
			return rank;
		int result = step->rank(a) != 0 ? 0 : step->compare(a, b);
		if (result != 0)
			return order_now.is_descending[i] ? -result : result;
	}
	int result = by_start(b, a);
	return result != 0 ? result : by_id(a, b);
}

static void random_order(struct tracker_db *t)
{
	bool is_used[ARRAY_COUNT(steps)] = {false};
	order_now = (struct order){.count = world_random(&world, TERMS_MAX + 1)};
	for (size_t i = 0; i < order_now.count; i++) {
		size_t step = world_random(&world, ARRAY_COUNT(steps));
		while (is_used[step])
			step = (step + 1) % ARRAY_COUNT(steps);
		is_used[step] = true;
		order_now.terms[i] = &steps[step];
		order_now.is_descending[i] = world_random(&world, 2) == 0;
		order_now.clauses[i] = arena_printf(&t->arena, "%s%s", steps[step].clause,
						    order_now.is_descending[i] ? " DESC" : "");
	}
}

static size_t runs_in_order(const struct world_filter *filter, enum search_view view,
			    const struct world_run *out[WORLD_RUNS])
{
	size_t count = 0;
	for (size_t i = 0; i < WORLD_RUNS; i++) {
		const struct world_run *run = &world.runs[i];
		bool is_in_view =
			view == SEARCH_VIEW_ALL || run->is_deleted == (view == SEARCH_VIEW_DELETED);
		if (is_in_view && world_filter_matches(filter, run))
			out[count++] = run;
	}
	qsort(out, count, sizeof(out[0]), compare_runs);
	return count;
}

/* Reads all pages, with another size for each, and compares them with the whole order. */
static void check_pages(struct tracker_db *t, struct run_search search,
			const struct world_run **expected, size_t expected_count)
{
	size_t seen = 0;
	do {
		search.rows_max = 1 + world_random(&world, 40);
		struct run_search_page page = found(t, &search);
		assert_true(page.count <= search.rows_max);
		for (size_t i = 0; i < page.count; i++, seen++) {
			assert_true(seen < expected_count);
			if (run_of(&page.runs[i]) != expected[seen])
				fail_msg("place %zu of %zu by %.*s %.*s %.*s, filter %.*s", seen,
					 expected_count, SLICE_FMT(order_now.clauses[0]),
					 SLICE_FMT(order_now.clauses[1]),
					 SLICE_FMT(order_now.clauses[2]), SLICE_FMT(search.filter));
		}
		search.page_token = page.next_page_token;
		/* A token promises at least one more row. */
		assert_true(page.next_page_token.ptr == NULL || seen < expected_count);
		assert_true(page.next_page_token.ptr == NULL || page.count == search.rows_max);
	} while (search.page_token.ptr != NULL);
	assert_int_equal(seen, expected_count);
}

static void test_pages_one_after_the_other_are_the_whole_order(void **state)
{
	struct tracker_db *t = *state;
	static const enum search_view views[] = {SEARCH_VIEW_ALL, SEARCH_VIEW_ACTIVE,
						 SEARCH_VIEW_DELETED};
	world_fill(&world, t);
	for (size_t i = 0; i < ORDERS; i++) {
		struct arena_mark mark = arena_mark(&t->arena);
		const struct world_run *expected[WORLD_RUNS];
		struct slice text;
		const struct world_filter *filter =
			world_filter_random(&world, 2, &t->arena, &text);
		random_order(t);
		struct run_search search = search_of(experiments_all, 3, text);
		search.view = views[i % 3];
		search.order_by = order_now.clauses;
		search.order_by_count = order_now.count;
		check_pages(t, search, expected, runs_in_order(filter, search.view, expected));
		arena_rewind(&t->arena, mark);
	}
}

/* --- the rest of the contract */

static void test_a_page_that_is_exactly_full_has_no_token(void **state)
{
	struct tracker_db *t = *state;
	(void)tracker_db_add_run(t, RUN_1, 0);
	(void)tracker_db_add_run(t, RUN_2, 0);
	struct run_search search = search_of(experiment_zero, 1, SLICE(""));
	search.rows_max = 2;
	struct run_search_page page = found(t, &search);
	assert_int_equal(page.count, 2);
	assert_null(page.next_page_token.ptr);
	search.rows_max = 1;
	assert_non_null(found(t, &search).next_page_token.ptr);
}

static void test_experiments_that_are_no_numbers_match_nothing(void **state)
{
	struct tracker_db *t = *state;
	(void)tracker_db_add_run(t, RUN_1, 0);
	static const struct slice rows[][2] = {
		{{"x", 1}, {"", 0}},
		{{"0 ", 2}, {"0x0", 3}},
		{{"99999999999999999999", 20}, {"1.5", 3}},
		{{"7", 1}, {"-1", 2}},
		{{"9223372036854775807", 19}, {"4294967296", 10}},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct run_search search = search_of(rows[i], 2, SLICE(""));
		assert_int_equal(found(t, &search).count, 0);
	}
	static const struct slice mixed[] = {{"x", 1}, {"0", 1}, {"0", 1}};
	struct run_search search = search_of(mixed, 3, SLICE(""));
	assert_int_equal(found(t, &search).count, 1);
	search.experiment_count = 0;
	assert_int_equal(found(t, &search).count, 0);
}

static void test_thousands_of_experiments_can_be_searched(void **state)
{
	struct tracker_db *t = *state;
	enum { COUNT = 10000 };
	struct slice *ids = ARENA_NEW(&t->arena, struct slice, COUNT);
	(void)tracker_db_add_run(t, RUN_1, 0);
	for (size_t i = 0; i < COUNT; i++)
		ids[i] = arena_printf(&t->arena, "%zu", COUNT - 1 - i);
	struct run_search search = search_of(ids, COUNT, SLICE(""));
	assert_int_equal(found(t, &search).count, 1);
}

static void test_a_list_that_is_too_long_for_the_database_is_the_peers_mistake(void **state)
{
	struct tracker_db *t = *state;
	char filter[FILTER_BYTES_MAX];
	size_t len = (size_t)snprintf(filter, sizeof(filter), "run_id IN ('a'");
	while (len < sizeof(filter) - 8)
		len += (size_t)snprintf(filter + len, sizeof(filter) - len, ",'a'");
	len += (size_t)snprintf(filter + len, sizeof(filter) - len, ")");
	struct run_search_page page;
	struct run_search search = search_of(experiment_zero, 1, slice_make(filter, len));
	assert_false(run_search(t->db, &search, &t->arena, &page, &t->err));
	assert_int_equal(t->err.code, ERR_INVALID_PARAMETER_VALUE);
}

/* Every kind of comparison at the deepest place, below alternating ANDs and ORs that keep the rest of the filter on
 * the other side, and a balanced tree: what costs a parser most. */
static size_t deep_filter(char *filter, size_t bytes, unsigned levels, const char *level,
			  const char *innermost)
{
	size_t len = 0;
	for (unsigned i = 0; i < levels; i++)
		len += (size_t)snprintf(filter + len, bytes - len, "%s(", level);
	len += (size_t)snprintf(filter + len, bytes - len, "%s", innermost);
	for (unsigned i = 0; i < levels; i++)
		len += (size_t)snprintf(filter + len, bytes - len, ")");
	return len;
}

static size_t balanced_filter(char *filter, size_t bytes, unsigned depth, const char *leaf)
{
	if (depth == 0)
		return (size_t)snprintf(filter, bytes, "%s", leaf);
	size_t len = (size_t)snprintf(filter, bytes, "(");
	len += balanced_filter(filter + len, bytes - len, depth - 1, leaf);
	len += (size_t)snprintf(filter + len, bytes - len, depth % 2 == 0 ? " and " : " or ");
	len += balanced_filter(filter + len, bytes - len, depth - 1, leaf);
	return len + (size_t)snprintf(filter + len, bytes - len, ")");
}

static void test_filters_at_the_limits_run(void **state)
{
	struct tracker_db *t = *state;
	static const char *const levels[] = {
		"metrics.m > 1 or status = 'x' and ", "status = 'x' and ", "status = 'x' or ",
		"tags.t is null or metrics.m > 1 and metrics.n > 2 and "};
	static const char *const leaves[] = {"dataset.name ilike 'x'",
					     "dataset.context in ('a', 'b')", "end_time > 5",
					     "not tags.t like 'x'", "params.p is not null"};
	static char tree[FILTER_BYTES_MAX / 2], filter[FILTER_BYTES_MAX];
	(void)tracker_db_add_run(t, RUN_1, 0);
	for (size_t i = 0; i < ARRAY_COUNT(levels); i++) {
		for (size_t l = 0; l < ARRAY_COUNT(leaves); l++) {
			size_t len = deep_filter(filter, sizeof(filter), FILTER_NESTING_MAX - 1,
						 levels[i], leaves[l]);
			struct run_search search =
				search_of(experiment_zero, 1, slice_make(filter, len));
			(void)found(t, &search);
			/* 64 comparisons in 6 levels below 25 more. */
			(void)balanced_filter(tree, sizeof(tree), 6, leaves[l]);
			len = deep_filter(filter, sizeof(filter), FILTER_NESTING_MAX - 7, levels[i],
					  tree);
			search.filter = slice_make(filter, len);
			(void)found(t, &search);
		}
	}
	size_t len = deep_filter(filter, sizeof(filter), FILTER_NESTING_MAX / 2, "not ",
				 "status = 'RUNNING'");
	struct run_search search = search_of(experiment_zero, 1, slice_make(filter, len));
	assert_int_equal(found(t, &search).count, 1);
}

static void test_as_many_comparisons_and_clauses_as_are_taken_run(void **state)
{
	struct tracker_db *t = *state;
	static char filter[FILTER_BYTES_MAX];
	struct slice clauses[32];
	size_t len = 0;
	(void)tracker_db_add_run(t, RUN_1, 0);
	(void)tracker_db_add_run(t, RUN_2, 0);
	for (unsigned i = 1; i < FILTER_COMPARISONS_MAX; i++)
		len += (size_t)snprintf(filter + len, sizeof(filter) - len,
					"not metrics.`m%u` > %u.5 and ", i, i);
	len += (size_t)snprintf(filter + len, sizeof(filter) - len, "status = 'RUNNING'");
	for (unsigned i = 0; i < ARRAY_COUNT(clauses); i++)
		clauses[i] = arena_printf(&t->arena, "metrics.m%u DESC", i);
	struct run_search search = search_of(experiment_zero, 1, slice_make(filter, len));
	search.order_by = clauses;
	search.order_by_count = ARRAY_COUNT(clauses);
	search.rows_max = 1;
	struct run_search_page page = found(t, &search);
	assert_int_equal(page.count, 1);
	search.page_token = page.next_page_token;
	assert_int_equal(found(t, &search).count, 1);
}

static void check_refused(struct tracker_db *t, const struct run_search *search, const char *part)
{
	struct run_search_page page;
	assert_false(run_search(t->db, search, &t->arena, &page, &t->err));
	assert_int_equal(t->err.code, ERR_INVALID_PARAMETER_VALUE);
	assert_non_null(strstr(t->err.message, part));
}

static void test_bad_queries_are_refused_even_where_nothing_can_be_found(void **state)
{
	struct tracker_db *t = *state;
	static const struct slice bad_order[] = {{"nothing", 7}};
	struct run_search search = search_of(NULL, 0, SLICE("oops"));
	check_refused(t, &search, "Invalid clause(s) in filter string");
	search.filter = SLICE("");
	search.order_by = bad_order;
	search.order_by_count = 1;
	check_refused(t, &search, "Invalid attribute key");
	search.order_by_count = 0;
	search.page_token = SLICE("bm90IG91cnM");
	check_refused(t, &search, "Invalid page token");
}

static void test_a_token_belongs_to_its_query_but_not_to_its_page_size(void **state)
{
	struct tracker_db *t = *state;
	static const struct slice by_run_id[] = {{"run_id", 6}};
	(void)tracker_db_add_run(t, RUN_1, 0);
	(void)tracker_db_add_run(t, RUN_2, 0);
	struct run_search search = search_of(experiment_zero, 1, SLICE("status = 'RUNNING'"));
	search.rows_max = 1;
	search.page_token = found(t, &search).next_page_token;
	struct run_search other = search;
	other.filter = SLICE("status = 'RUNNING' ");
	check_refused(t, &other, "Invalid page token");
	other = search;
	other.order_by = by_run_id;
	other.order_by_count = 1;
	check_refused(t, &other, "Invalid page token");
	other = search;
	other.view = SEARCH_VIEW_ACTIVE;
	check_refused(t, &other, "Invalid page token");
	other = search;
	other.experiment_ids = experiments_all;
	other.experiment_count = 3;
	check_refused(t, &other, "Invalid page token");
	search.rows_max = 100;
	assert_int_equal(found(t, &search).count, 1);
}

static void test_a_failing_database_fails_the_search_cleanly(void **state)
{
	struct tracker_db *t = *state;
	unsigned countdown = 0;
	bool ok = false;
	(void)tracker_db_add_run(t, RUN_1, 0);
	(void)tracker_db_add_run(t, RUN_2, 0);
	tracker_db_commit(t);
	struct run_search search = search_of(experiment_zero, 1, SLICE("metrics.m IS NULL"));
	search.rows_max = 1;
	while (!ok) {
		struct run_search_page page = {.count = 77};
		assert_true(countdown < 1000);
		db_faulty_set(t->db, ++countdown, ERR_TEMPORARILY_UNAVAILABLE);
		ok = run_search(t->db, &search, &t->arena, &page, &t->err);
		assert_int_equal(ok, !db_faulty_fired(t->db));
		assert_int_equal(page.count, ok ? 1 : 77);
		assert_true(ok || t->err.code == ERR_TEMPORARILY_UNAVAILABLE);
	}
	/* Preparing, each row and the statements that load runs. */
	assert_true(countdown > 5);
	db_faulty_set(t->db, 0, ERR_NONE);
}

/* --- plans */

/* The plan, one line a step, for a statement of run_search. */
static const char *plan_of(struct tracker_db *t, const struct run_search *search)
{
	struct sql_builder b;
	struct sql_builder statement;
	struct slice plan = {"", 0};
	sql_builder_init(&b, &t->arena);
	sql_builder_init(&statement, &t->arena);
	CHECK(t, run_search_statement(search, &t->arena, &statement, &t->err));
	sql_text(&b, SQL("EXPLAIN QUERY PLAN "));
	sql_append(&b, &statement);
	struct db_statement *st = db_prepare_built(t->db, &b, &t->err);
	CHECK(t, st != NULL);
	while (db_step(st, &t->err) == DB_ROW) {
		plan = arena_concat(&t->arena, plan, db_column_text(st, 3));
		plan = arena_concat(&t->arena, plan, SLICE("\n"));
	}
	return arena_cstr(&t->arena, plan);
}

static void test_the_default_listing_walks_its_index_without_a_sort(void **state)
{
	struct tracker_db *t = *state;
	world_fill(&world, t);
	struct run_search search = search_of(experiment_zero, 1, SLICE(""));
	search.view = SEARCH_VIEW_ACTIVE;
	search.rows_max = 10;
	const char *plan = plan_of(t, &search);
	assert_non_null(strstr(plan, "runs_by_experiment (experiment_id=? AND is_deleted=?)"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	/* The next page seeks to its place. */
	search.page_token = found(t, &search).next_page_token;
	assert_non_null(search.page_token.ptr);
	plan = plan_of(t, &search);
	assert_non_null(strstr(
		plan, "runs_by_experiment (experiment_id=? AND is_deleted=? AND start_time_ms<?)"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	/* A filter is asked row by row on the way, through primary keys. */
	search.page_token = (struct slice){NULL, 0};
	search.filter = SLICE("metrics.rmse < 5 AND params.lr = '1' AND tags.x IS NULL");
	plan = plan_of(t, &search);
	assert_non_null(strstr(plan, "runs_by_experiment (experiment_id=? AND is_deleted=?)"));
	assert_null(strstr(plan, "TEMP B-TREE"));
	assert_null(strstr(plan, "SCAN"));
}

static void test_orders_by_keys_find_them_through_primary_keys(void **state)
{
	struct tracker_db *t = *state;
	static const struct slice clauses[] = {{"metrics.rmse DESC", 17}, {"params.lr", 9}};
	struct run_search search = search_of(experiment_zero, 1, SLICE(""));
	search.order_by = clauses;
	search.order_by_count = 2;
	const char *plan = plan_of(t, &search);
	assert_non_null(strstr(plan, "SEARCH o0 USING PRIMARY KEY (run_pk=? AND name_pk=?)"));
	assert_non_null(strstr(plan, "SEARCH o1 USING PRIMARY KEY (run_pk=? AND name_pk=?)"));
	assert_null(strstr(plan, "SCAN"));
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, tracker_db_setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_random_filters_find_what_a_plain_evaluation_finds),
		TEST(test_pages_one_after_the_other_are_the_whole_order),
		TEST(test_a_page_that_is_exactly_full_has_no_token),
		TEST(test_experiments_that_are_no_numbers_match_nothing),
		TEST(test_thousands_of_experiments_can_be_searched),
		TEST(test_a_list_that_is_too_long_for_the_database_is_the_peers_mistake),
		TEST(test_filters_at_the_limits_run),
		TEST(test_as_many_comparisons_and_clauses_as_are_taken_run),
		TEST(test_bad_queries_are_refused_even_where_nothing_can_be_found),
		TEST(test_a_token_belongs_to_its_query_but_not_to_its_page_size),
		TEST(test_a_failing_database_fails_the_search_cleanly),
		TEST(test_the_default_listing_walks_its_index_without_a_sort),
		TEST(test_orders_by_keys_find_them_through_primary_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
