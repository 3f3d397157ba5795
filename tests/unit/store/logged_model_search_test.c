/* Searches of logged models against a plain reading of the same rows, page by page, and what they cost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "store/logged_model_search.h"

#include "store/logged_model_metrics.h"
#include "store/logged_models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

enum { MODELS = 60, POINTS_MAX = 4 };

struct known_point {
	double value;
	int64_t time_ms;
	const char *dataset; /* "" for none */
};

struct known_model {
	char model_id[16];
	int64_t created_ms;
	struct known_point points[POINTS_MAX];
	size_t point_count;
};

static struct known_model known[MODELS];
static const int64_t experiment_0[] = {0};

static const char *const datasets[] = {"", "train", "test"};

/* Models made at few different times, each with up to four points of "loss" at different times. */
static void fill(struct tracker_db *t)
{
	struct run_pk run = tracker_db_add_run(t, RUN_1, 0);
	srand(7);
	for (int i = 0; i < MODELS; i++) {
		struct known_model *model = &known[i];
		(void)snprintf(model->model_id, sizeof(model->model_id), "m-%03d", rand() % 1000);
		for (int j = 0; j < i; j++) {
			if (strcmp(known[j].model_id, model->model_id) == 0)
				(void)snprintf(model->model_id, sizeof(model->model_id), "m-x%d",
					       i);
		}
		model->created_ms = rand() % 5;
		model->point_count = (size_t)(rand() % (POINTS_MAX + 1));
		const struct logged_model_new new = {.model_id = slice_from_cstr(model->model_id),
						     .experiment_location = SLICE("s3://b"),
						     .name = SLICE("n"),
						     .now_ms = model->created_ms};
		struct logged_model_pk pk;
		CHECK(t, logged_model_insert_in_txn(t->db, &new, &t->arena, &pk, &t->err));
		for (size_t p = 0; p < model->point_count; p++) {
			struct known_point *point = &model->points[p];
			point->value = rand() % 6 == 0 ? (double)NAN : rand() % 4;
			point->time_ms = (int64_t)((p * 7) % POINTS_MAX);
			point->dataset = datasets[rand() % 3];
			const struct model_point logged = {
				.point = {.name = SLICE("loss"),
					  .value = point->value,
					  .timestamp_ms = point->time_ms},
				.model_id = new.model_id,
				.dataset_name = slice_from_cstr(point->dataset),
			};
			CHECK(t, logged_model_metrics_log_in_txn(t->db, run, &logged, 1, &t->err));
		}
	}
}

/* The newest point on the dataset (NULL: any), or NULL. */
static const struct known_point *newest(const struct known_model *model,
					const char *dataset_or_null)
{
	const struct known_point *best = NULL;
	for (size_t i = 0; i < model->point_count; i++) {
		const struct known_point *point = &model->points[i];
		bool fits = dataset_or_null == NULL || strcmp(point->dataset, dataset_or_null) == 0;
		if (fits && (best == NULL || point->time_ms > best->time_ms))
			best = point;
	}
	return best;
}

struct wanted_order {
	bool is_descending;
	const char *dataset_or_null;
};
static struct wanted_order wanted_order;

static int rank(const struct known_point *point)
{
	if (point == NULL)
		return 2;
	return isnan(point->value) ? 1 : 0;
}

static int compare_wanted(const void *a, const void *b)
{
	const struct known_model *left = a, *right = b;
	const struct known_point *x = newest(left, wanted_order.dataset_or_null);
	const struct known_point *y = newest(right, wanted_order.dataset_or_null);
	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (rank(x) == 0 && x->value != y->value)
		return (x->value < y->value) != wanted_order.is_descending ? -1 : 1;
	if (left->created_ms != right->created_ms)
		return left->created_ms > right->created_ms ? -1 : 1;
	return strcmp(left->model_id, right->model_id);
}

static void check_order(struct tracker_db *t, struct wanted_order order, size_t rows_max)
{
	const struct logged_model_order by = {
		.field = SLICE("metrics.loss"),
		.is_descending = order.is_descending,
		.dataset = {.name = slice_from_cstr(order.dataset_or_null)},
	};
	struct logged_model_search search = {.experiment_ids = experiment_0,
					     .experiment_count = 1,
					     .order_by = &by,
					     .order_by_count = 1,
					     .rows_max = rows_max};
	size_t seen = 0;
	wanted_order = order;
	qsort(known, MODELS, sizeof(known[0]), compare_wanted);
	do {
		struct logged_model_page page;
		CHECK(t, logged_model_search(t->db, &search, &t->arena, &page, &t->err));
		for (size_t i = 0; i < page.count; i++, seen++) {
			assert_true(seen < MODELS);
			assert_true(slice_eq_cstr(page.models[i].model_id, known[seen].model_id));
		}
		search.page_token = page.next_page_token;
	} while (slice_is_present(search.page_token));
	assert_int_equal(seen, MODELS);
}

static void orders_go_by_the_newest_point_page_by_page(void **state)
{
	struct tracker_db *t = *state;
	static const struct wanted_order orders[] = {
		{false, NULL}, {true, NULL}, {false, "train"}, {true, "test"}, {true, "nothing"}};
	static const size_t pages[] = {1, 7, MODELS - 1, MODELS, MODELS + 1};
	fill(t);
	for (size_t o = 0; o < ARRAY_COUNT(orders); o++) {
		for (size_t p = 0; p < ARRAY_COUNT(pages); p++)
			check_order(t, orders[o], pages[p]);
	}
}

static bool is_wanted(const struct known_model *model, double at_least, const char *dataset_or_null)
{
	for (size_t i = 0; i < model->point_count; i++) {
		const struct known_point *point = &model->points[i];
		if ((dataset_or_null == NULL || strcmp(point->dataset, dataset_or_null) == 0) &&
		    (at_least < 0 || point->value >= at_least))
			return true;
	}
	return false;
}

static void check_count(struct tracker_db *t, const char *filter_or_null, double at_least,
			const char *dataset_or_null)
{
	const struct logged_model_dataset dataset = {.name = slice_from_cstr(dataset_or_null)};
	const struct logged_model_search search = {
		.experiment_ids = experiment_0,
		.experiment_count = 1,
		.filter = slice_from_cstr(filter_or_null),
		.datasets = &dataset,
		.dataset_count = dataset_or_null == NULL ? 0 : 1,
		.rows_max = 1000,
	};
	struct logged_model_page page;
	size_t wanted = 0;
	for (size_t i = 0; i < MODELS; i++)
		wanted += is_wanted(&known[i], at_least, dataset_or_null);
	CHECK(t, logged_model_search(t->db, &search, &t->arena, &page, &t->err));
	assert_int_equal(page.count, wanted);
	assert_in_range(wanted, 1, MODELS - 1);
}

static void comparisons_hold_for_any_point_on_the_datasets(void **state)
{
	struct tracker_db *t = *state;
	fill(t);
	check_count(t, "metrics.loss >= 2", 2, NULL);
	check_count(t, "metrics.loss >= 2", 2, "train");
	check_count(t, "metrics.`loss` >= 3", 3, "test");
	check_count(t, NULL, -1, "train");
	check_count(t, "name = 'n'", -1, "test");
}

static void wrong_searches_are_refused(void **state)
{
	struct tracker_db *t = *state;
	static const struct {
		const char *field, *message;
	} rows[] = {
		{"nothing", "Invalid order by field name: nothing"},
		{"", "Invalid order by field name: "},
		{"tags.a", "Invalid order by field name: tags.a. Only metrics are supported."},
		{"lost.a", "Invalid order by field name: lost.a. Only metrics are supported."},
		{"attributes.size",
		 "Invalid order by field name: attributes.size. Only metrics are supported."},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct logged_model_order by = {.field = slice_from_cstr(rows[i].field)};
		const struct logged_model_search search = {.experiment_ids = experiment_0,
							   .experiment_count = 1,
							   .order_by = &by,
							   .order_by_count = 1,
							   .rows_max = 1};
		struct logged_model_page page;
		bool ok = logged_model_search(t->db, &search, &t->arena, &page, &t->err);
		tracker_db_check_error(t, ok, ERR_INVALID_PARAMETER_VALUE, rows[i].message);
	}
}

/* All lines of the plan. */
static const char *plan_of(struct tracker_db *t, const struct logged_model_search *search)
{
	struct sql_builder b, explain;
	struct slice plan = SLICE("");
	sql_builder_init(&b, &t->arena);
	CHECK(t, logged_model_search_statement(search, &t->arena, &b, &t->err));
	sql_builder_init(&explain, &t->arena);
	sql_text(&explain, SQL("EXPLAIN QUERY PLAN "));
	sql_append(&explain, &b);
	struct db_statement *st = db_prepare_built(t->db, &explain, &t->err);
	assert_non_null(st);
	while (db_step(st, &t->err) == DB_ROW) {
		struct slice line = db_column_text(st, 3);
		plan = arena_printf(&t->arena, "%.*s%.*s\n", SLICE_FMT(plan), SLICE_FMT(line));
	}
	return arena_cstr(&t->arena, plan);
}

static void plans_read_rows_by_their_indexes(void **state)
{
	struct tracker_db *t = *state;
	const struct logged_model_order by = {.field = SLICE("metrics.loss"),
					      .dataset = {.name = SLICE("train")}};
	struct logged_model_search search = {
		.experiment_ids = experiment_0, .experiment_count = 1, .rows_max = 50};
	const char *by_time = plan_of(t, &search);
	assert_non_null(strstr(by_time, "INDEX logged_models_by_experiment"));
	assert_null(strstr(by_time, "TEMP B-TREE"));

	search.filter = SLICE("metrics.loss > 1 AND params.lr = '1' AND tags.a LIKE '%'");
	search.order_by = &by;
	search.order_by_count = 1;
	const char *full = plan_of(t, &search);
	assert_non_null(strstr(full, "SEARCH o0 USING INTEGER PRIMARY KEY"));
	assert_non_null(strstr(full, "SEARCH n USING COVERING INDEX"));
	assert_null(strstr(full, "SCAN n\n"));
	assert_null(strstr(full, "SCAN k\n"));
	assert_null(strstr(full, "AUTOMATIC"));

	search = (struct logged_model_search){.experiment_ids = experiment_0,
					      .experiment_count = 1,
					      .filter = SLICE("source_run_id = 'r'"),
					      .rows_max = 50};
	assert_non_null(strstr(plan_of(t, &search), "USING INDEX logged_models_by_"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(orders_go_by_the_newest_point_page_by_page),
		TEST(comparisons_hold_for_any_point_on_the_datasets),
		TEST(wrong_searches_are_refused),
		TEST(plans_read_rows_by_their_indexes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
