/* What may be asked of logged models, as SQL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/filter.h"
#include "search/logged_model_fields.h"
#include "search/order_by.h"

#define LOSS(alias)                                                                                \
	alias ".logged_model_pk = l.logged_model_pk AND " alias                                    \
	      ".name_pk = (SELECT name_pk FROM names WHERE name = $1)"

struct fixture {
	struct arena arena;
	struct error err;
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

static const char *filter_text(struct fixture *f, const struct search_table *table,
			       const char *text)
{
	struct filter filter;
	struct sql_builder b;
	assert_true(filter_compile(table, slice_from_cstr(text), &f->arena, &filter, &f->err));
	sql_builder_init(&b, &f->arena);
	filter_and_sql(&filter, &b);
	return sql_builder_text(&b);
}

static struct sql_builder *narrowing(struct fixture *f)
{
	struct sql_builder *b = ARENA_NEW(&f->arena, struct sql_builder, 1);
	sql_builder_init(b, &f->arena);
	sql_text(b, SQL(" AND (dataset_name = "));
	sql_value_text(b, SLICE("d"));
	sql_text(b, SQL(")"));
	return b;
}

static void comparisons_of_metrics_are_narrowed(void **state)
{
	struct fixture *f = *state;
	const struct search_table *table =
		logged_model_search_table_narrowed(narrowing(f), &f->arena);
	assert_string_equal(filter_text(f, &logged_model_search_table, "metrics.loss > 1"),
			    " AND EXISTS (SELECT 1 FROM logged_model_metrics AS k WHERE " LOSS(
				    "k") " AND k.value > $2)");
	assert_string_equal(filter_text(f, table, "metrics.loss > 1"),
			    " AND EXISTS (SELECT 1 FROM logged_model_metrics AS k WHERE " LOSS(
				    "k") " AND (dataset_name = $2) AND k.value > $3)");
	assert_string_equal(filter_text(f, table, "params.a = 'x'"),
			    filter_text(f, &logged_model_search_table, "params.a = 'x'"));
}

static void an_order_takes_the_newest_row_of_a_metric(void **state)
{
	struct fixture *f = *state;
	const struct order_field fields[] = {
		{.name = SLICE("metrics.loss"), .narrowing_or_null = narrowing(f)},
		{.name = SLICE("creation_time"), .is_descending = false}};
	struct order_by order;
	struct sql_builder b;
	assert_true(order_by_compile_fields(&logged_model_search_table, fields, 2, &f->arena,
					    &order, &f->err));
	sql_builder_init(&b, &f->arena);
	order_by_joins_sql(&order, &b);
	assert_string_equal(sql_builder_text(&b),
			    " LEFT JOIN logged_model_metrics AS o0 ON o0.metric_pk = (SELECT "
			    "n.metric_pk FROM logged_model_metrics AS n WHERE " LOSS(
				    "n") " AND (dataset_name = $2)"
					 " ORDER BY timestamp_ms DESC, step DESC, run_pk LIMIT 1)");
	sql_builder_init(&b, &f->arena);
	order_by_sql(&order, &b);
	assert_string_equal(sql_builder_text(&b),
			    " ORDER BY o0.logged_model_pk IS NULL, o0.value IS NULL, o0.value, "
			    "l.creation_time_ms, l.model_id");
}

struct field_row {
	const char *name;
	bool is_taken;
};

static const struct field_row field_rows[] = {
	{"name", true},
	{"model_id", true},
	{"model_type", true},
	{"status", true},
	{"source_run_id", true},
	{"creation_timestamp", true},
	{"creation_time", true},
	{"creation_timestamp_ms", true},
	{"experiment_id", true},
	{"last_updated_timestamp", true},
	{"artifact_location", true},
	{"metrics.a b/c.d", true},
	{"metric.x", true},
	{"params.x", false},
	{"tags.x", false},
	{"size", false},
	{"", false},
	{".", false},
	{"metrics", false},
	{"other.x", false},
};

static void orders_are_by_attributes_and_metrics(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(field_rows); i++) {
		const struct order_field field = {.name = slice_from_cstr(field_rows[i].name)};
		struct order_by order;
		bool ok = order_by_compile_fields(&logged_model_search_table, &field, 1, &f->arena,
						  &order, &f->err);
		assert_int_equal(ok, field_rows[i].is_taken);
		if (!ok)
			assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
	}
}

static void there_is_a_limit_to_orders(void **state)
{
	struct fixture *f = *state;
	struct order_field fields[ORDER_CLAUSES_MAX + 1];
	struct order_by order;
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		fields[i] =
			(struct order_field){.name = arena_printf(&f->arena, "metrics.m%zu", i)};
	assert_true(order_by_compile_fields(&logged_model_search_table, fields, ORDER_CLAUSES_MAX,
					    &f->arena, &order, &f->err));
	assert_int_equal(order.count, ORDER_CLAUSES_MAX + 2);
	assert_false(order_by_compile_fields(&logged_model_search_table, fields,
					     ORDER_CLAUSES_MAX + 1, &f->arena, &order, &f->err));
}

static void the_same_field_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct order_field fields[] = {
		{.name = SLICE("name")},
		{.name = SLICE("name"), .is_descending = true},
		{.name = SLICE("metrics.a")},
		{.name = SLICE("metrics.a")},
		{.name = SLICE("metrics.a"), .narrowing_or_null = narrowing(f)}};
	struct order_by order;
	assert_true(order_by_compile_fields(&logged_model_search_table, fields, 5, &f->arena,
					    &order, &f->err));
	assert_int_equal(order.count, 3 + 2); /* and the ties */
	assert_false(order.terms[0].is_descending);
}

static void any_key_of_a_family_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *filter;
		bool mentions;
	} rows[] = {{"metrics.a > 1", true},
		    {"name = 'x' OR NOT metric.b IS NULL", true},
		    {"name = 'x' AND params.a = '1'", false},
		    {"", false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct filter filter;
		assert_true(filter_compile(&logged_model_search_table,
					   slice_from_cstr(rows[i].filter), &f->arena, &filter,
					   &f->err));
		assert_int_equal(filter_mentions(&filter, LOGGED_MODEL_METRICS, NULL),
				 rows[i].mentions);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comparisons_of_metrics_are_narrowed),
		TEST(an_order_takes_the_newest_row_of_a_metric),
		TEST(orders_are_by_attributes_and_metrics),
		TEST(there_is_a_limit_to_orders),
		TEST(the_same_field_again_changes_nothing),
		TEST(any_key_of_a_family_can_be_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
