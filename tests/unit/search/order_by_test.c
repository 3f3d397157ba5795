/* Orders, their SQL, and the condition of the next page. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "limits.h"
#include "search/experiment_fields.h"
#include "search/order_by.h"
#include "search/run_fields.h"

#define NAME "(SELECT name_pk FROM names WHERE name = $1)"

struct fixture {
	struct arena arena;
	struct error err;
	struct order_by order;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){0};
	arena_init(&f.arena, 4 * 1024 * 1024);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_deinit(&f->arena);
	return 0;
}

static bool compile(struct fixture *f, const struct search_table *table, const char *clause_or_null)
{
	struct slice clause = slice_from_cstr(clause_or_null);
	return order_by_compile(table, &clause, clause_or_null == NULL ? 0 : 1, &f->arena,
				&f->order, &f->err);
}

typedef void (*writer)(const struct order_by *order, struct sql_builder *b);

static const char *written(struct fixture *f, writer write)
{
	struct sql_builder b;
	sql_builder_init(&b, &f->arena);
	write(&f->order, &b);
	return sql_builder_text(&b);
}

struct accepted {
	const char *clause_or_null, *order;
};

static const struct accepted run_orders[] = {
	{NULL, " ORDER BY r.start_time_ms DESC, r.run_id"},
	{"start_time", " ORDER BY r.start_time_ms, r.run_id"},
	{"start_time ASC", " ORDER BY r.start_time_ms, r.run_id"},
	{"  start_time\tdesc ", " ORDER BY r.start_time_ms DESC, r.run_id"},
	{"attributes.start_time DeSc", " ORDER BY r.start_time_ms DESC, r.run_id"},
	{"Created DESC", " ORDER BY r.start_time_ms DESC, r.run_id"},
	{"attribute.`Run name`", " ORDER BY r.name, r.start_time_ms DESC, r.run_id"},
	{"\"run name\" desc", " ORDER BY r.name DESC, r.start_time_ms DESC, r.run_id"},
	{"run_id", " ORDER BY r.run_id, r.start_time_ms DESC"},
	{"status", " ORDER BY r.status, r.start_time_ms DESC, r.run_id"},
	{"artifact_uri", " ORDER BY r.artifact_uri, r.start_time_ms DESC, r.run_id"},
	{"user_id", " ORDER BY r.user_id, r.start_time_ms DESC, r.run_id"},
	{"end_time DESC",
	 " ORDER BY r.end_time_ms IS NULL, r.end_time_ms DESC, r.start_time_ms DESC, r.run_id"},
	{"metrics.rmse", " ORDER BY o0.run_pk IS NULL, o0.last_value IS NULL, o0.last_value, "
			 "r.start_time_ms DESC, r.run_id"},
	{"metric.`a b` DESC", " ORDER BY o0.run_pk IS NULL, o0.last_value IS NULL, o0.last_value "
			      "DESC, r.start_time_ms DESC, r.run_id"},
	{"metrics.rmse.min DESC", " ORDER BY o0.run_pk IS NULL, o0.min_value IS NULL, o0.min_value "
				  "DESC, r.start_time_ms DESC, r.run_id"},
	{"metrics.`a b`.best_step",
	 " ORDER BY o0.run_pk IS NULL, o0.min_step IS NULL, o0.min_step, "
	 "r.start_time_ms DESC, r.run_id"},
	{"metrics.`rmse.min`", " ORDER BY o0.run_pk IS NULL, o0.last_value IS NULL, "
			       "o0.last_value, r.start_time_ms DESC, r.run_id"},
	{"params.\"lr\" DESC",
	 " ORDER BY o0.run_pk IS NULL, o0.value DESC, r.start_time_ms DESC, r.run_id"},
	{"tags.mlflow.runName",
	 " ORDER BY o0.run_pk IS NULL, o0.value, r.start_time_ms DESC, r.run_id"},
	{"metrics.desc desc", " ORDER BY o0.run_pk IS NULL, o0.last_value IS NULL, o0.last_value "
			      "DESC, r.start_time_ms DESC, r.run_id"},
};

static const struct accepted experiment_orders[] = {
	{NULL, " ORDER BY e.creation_time_ms DESC, e.experiment_id"},
	{"name", " ORDER BY e.name, e.experiment_id DESC"},
	{"experiment_id", " ORDER BY e.experiment_id"},
	{"experiment_id DESC", " ORDER BY e.experiment_id DESC"},
	{"creation_time", " ORDER BY e.creation_time_ms, e.experiment_id DESC"},
	{"attribute.last_update_time DESC",
	 " ORDER BY e.last_update_time_ms DESC, e.experiment_id DESC"},
};

static void test_clauses_become_orders_that_end_in_an_id(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(run_orders); i++) {
		assert_true(compile(f, &run_search_table, run_orders[i].clause_or_null));
		assert_string_equal(written(f, order_by_sql), run_orders[i].order);
	}
	for (size_t i = 0; i < ARRAY_COUNT(experiment_orders); i++) {
		assert_true(
			compile(f, &experiment_search_table, experiment_orders[i].clause_or_null));
		assert_string_equal(written(f, order_by_sql), experiment_orders[i].order);
	}
}

struct refused {
	const struct search_table *table;
	const char *clause, *message;
};

static const struct refused refused_clauses[] = {
	{&run_search_table, "", "Invalid order_by clause '': expected an identifier"},
	{&run_search_table, "   ", "Invalid order_by clause '   ': expected an identifier"},
	{&run_search_table, "start_time ASC DESC",
	 "Invalid order_by clause 'start_time ASC DESC': expected ASC, DESC"},
	{&run_search_table, "start_time up",
	 "Invalid order_by clause 'start_time up': expected ASC, DESC"},
	{&run_search_table, "start_time DESCC", "Invalid order_by clause"},
	{&run_search_table, "start_time, run_id", "Invalid order_by clause"},
	{&run_search_table, "start_time `DESC`", "Invalid order_by clause"},
	{&run_search_table, "metrics.a != 1", "Invalid order_by clause"},
	{&run_search_table, "metrics.a; params.b", "Invalid order_by clause"},
	{&run_search_table, "'start_time'", "Invalid order_by clause"},
	{&run_search_table, "metrics.", "Invalid order_by clause"},
	{&run_search_table, "metrics.``", "Invalid order_by clause"},
	{&run_search_table, "`metrics.A",
	 "Invalid order_by clause '`metrics.A': a quotation mark ` is not closed"},
	{&run_search_table, "dataset.name",
	 "Invalid order_by clause 'dataset.name': this kind of field has no order"},
	{&run_search_table, "m.acc", "Invalid entity type 'm'."},
	{&run_search_table, "acc",
	 "Invalid attribute key 'acc' specified. Valid keys are '{run_id, run_name, status, "
	 "artifact_uri, user_id, "
	 "start_time, end_time}'"},
	{&run_search_table, "attribute.experiment_id", "Invalid attribute key 'experiment_id'"},
	{&run_search_table, "dataset.status", "Invalid dataset key 'status'"},
	{&run_search_table, "params.\xff", "Invalid order_by clause"},
	{&experiment_search_table, "tags.x",
	 "Invalid order_by clause 'tags.x': this kind of field has no order"},
	{&experiment_search_table, "start_time",
	 "Invalid attribute key 'start_time' specified. Valid keys are '{name, creation_time, "
	 "last_update_time, "
	 "experiment_id}'"},
};

static void test_other_clauses_are_refused(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(refused_clauses); i++) {
		const struct refused *row = &refused_clauses[i];
		if (compile(f, row->table, row->clause))
			fail_msg("taken: %s", row->clause);
		assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
		if (strncmp(f->err.message, row->message, strlen(row->message)) != 0)
			assert_string_equal(f->err.message, row->message);
	}
}

static void test_the_same_field_twice_is_refused_however_it_is_spelled(void **state)
{
	struct fixture *f = *state;
	const struct slice rows[][2] = {
		{SLICE("start_time"), SLICE("attributes.Created DESC")},
		{SLICE("metrics.a"), SLICE("metric.`a` DESC")},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_false(order_by_compile(&run_search_table, rows[i], 2, &f->arena, &f->order,
					      &f->err));
		assert_non_null(strstr(f->err.message, "`order_by` contains duplicate fields"));
	}
	const struct slice different[] = {SLICE("metrics.a"), SLICE("params.a"), SLICE("tags.a"),
					  SLICE("metrics.b")};
	assert_true(
		order_by_compile(&run_search_table, different, 4, &f->arena, &f->order, &f->err));
	assert_int_equal(f->order.count, 6);
}

static void test_the_number_of_clauses_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct slice clauses[ORDER_CLAUSES_MAX + 1];
	for (size_t i = 0; i < ARRAY_COUNT(clauses); i++)
		clauses[i] = arena_printf(&f->arena, "metrics.m%zu", i);
	assert_true(order_by_compile(&run_search_table, clauses, ORDER_CLAUSES_MAX, &f->arena,
				     &f->order, &f->err));
	assert_false(order_by_compile(&run_search_table, clauses, ORDER_CLAUSES_MAX + 1, &f->arena,
				      &f->order, &f->err));
}

static void test_keyed_terms_join_and_select_their_row(void **state)
{
	struct fixture *f = *state;
	assert_true(compile(f, &run_search_table, "metrics.rmse"));
	assert_string_equal(
		written(f, order_by_joins_sql),
		" LEFT JOIN metric_series AS o0 ON o0.run_pk = r.run_pk AND o0.name_pk = " NAME);
	assert_string_equal(written(f, order_by_columns_sql),
			    ", o0.run_pk, o0.last_value, r.start_time_ms, r.run_id");
	assert_true(compile(f, &run_search_table, NULL));
	assert_string_equal(written(f, order_by_joins_sql), "");
	assert_string_equal(written(f, order_by_columns_sql), ", r.start_time_ms, r.run_id");
}

static const char *after(struct fixture *f, const char *clause, struct order_key first)
{
	const struct order_key keys[] = {
		first,
		{.kind = ORDER_KEY_INTEGER, .integer = 7},
		{.kind = ORDER_KEY_TEXT, .text = SLICE("id")},
	};
	struct sql_builder b;
	assert_true(compile(f, &run_search_table, clause));
	assert_true(order_by_keys_fit(&f->order, keys, 3));
	sql_builder_init(&b, &f->arena);
	order_by_after_sql(&f->order, keys, &b);
	return sql_builder_text(&b);
}

#define REST(first, second, third)                                                                 \
	" AND (((r.run_id > $" first ") AND r.start_time_ms = $" second                            \
	" OR r.start_time_ms < $" third ") AND "

static void test_the_next_page_starts_after_values_nulls_and_missing_ones(void **state)
{
	struct fixture *f = *state;
	assert_string_equal(
		after(f, "metrics.m DESC", (struct order_key){.kind = ORDER_KEY_REAL, .real = 0.5}),
		" AND (o0.last_value <= $1 OR o0.last_value IS NULL)" REST(
			"2", "3",
			"4") "o0.last_value = $5 OR o0.last_value < $6 OR o0.last_value IS NULL)");
	assert_string_equal(after(f, "metrics.m DESC", (struct order_key){.kind = ORDER_KEY_NULL}),
			    " AND o0.last_value IS NULL" REST(
				    "1", "2", "3") "o0.run_pk IS NOT NULL AND o0.last_value IS "
						   "NULL OR o0.run_pk IS NULL)");
	assert_string_equal(
		after(f, "metrics.m", (struct order_key){.kind = ORDER_KEY_MISSING}),
		" AND o0.last_value IS NULL" REST(
			"1", "2", "3") "o0.run_pk IS NULL AND o0.last_value IS NULL OR 1 = 0)");
	assert_string_equal(
		after(f, "end_time", (struct order_key){.kind = ORDER_KEY_NULL}),
		" AND r.end_time_ms IS NULL" REST("1", "2", "3") "r.end_time_ms IS NULL OR 1 = 0)");
	assert_string_equal(
		after(f, "status", (struct order_key){.kind = ORDER_KEY_TEXT, .text = SLICE("x")}),
		" AND r.status >= $1" REST("2", "3", "4") "r.status = $5 OR r.status > $6)");
}

static void test_keys_fit_only_the_order_they_came_from(void **state)
{
	struct fixture *f = *state;
	struct order_key keys[] = {
		{.kind = ORDER_KEY_REAL},
		{.kind = ORDER_KEY_INTEGER},
		{.kind = ORDER_KEY_TEXT, .text = SLICE("")},
	};
	assert_true(compile(f, &run_search_table, "metrics.m"));
	assert_true(order_by_keys_fit(&f->order, keys, 3));
	assert_false(order_by_keys_fit(&f->order, keys, 2));
	keys[0].kind = ORDER_KEY_MISSING;
	assert_true(order_by_keys_fit(&f->order, keys, 3));
	keys[1].kind = ORDER_KEY_MISSING;
	assert_false(order_by_keys_fit(&f->order, keys, 3));
	keys[1].kind = ORDER_KEY_NULL;
	assert_false(order_by_keys_fit(&f->order, keys, 3));
	keys[1].kind = ORDER_KEY_REAL;
	assert_false(order_by_keys_fit(&f->order, keys, 3));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clauses_become_orders_that_end_in_an_id),
		TEST(test_other_clauses_are_refused),
		TEST(test_the_same_field_twice_is_refused_however_it_is_spelled),
		TEST(test_the_number_of_clauses_is_bounded),
		TEST(test_keyed_terms_join_and_select_their_row),
		TEST(test_the_next_page_starts_after_values_nulls_and_missing_ones),
		TEST(test_keys_fit_only_the_order_they_came_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
