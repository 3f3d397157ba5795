/* Search tables hold together: what the compiler cannot see in their rows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "search/experiment_fields.h"
#include "search/model_fields.h"
#include "search/run_fields.h"
#include "search/trace_fields.h"

static const struct search_table *const tables[] = {
	&run_search_table, &experiment_search_table, &model_search_table,
	&model_version_search_table, &trace_search_table};

static void check_order(const struct search_table *table, const struct search_order *steps)
{
	assert_non_null(steps[0].attribute);
	for (size_t i = 0; i < SEARCH_ORDERS_MAX && steps[i].attribute != NULL; i++) {
		const struct search_field *field = search_family_field(
			&table->families[0], slice_from_cstr(steps[i].attribute));
		assert_non_null(field);
		assert_true(field->is_orderable);
	}
}

static void check_family(const struct search_family *family)
{
	assert_true(family->field_count > 0);
	assert_int_equal(family->kind == FAMILY_KEYED, family->table.text != NULL);
	assert_int_equal(family->kind == FAMILY_KEYED, family->key_column.text != NULL);
	for (size_t i = 0; i < family->field_count; i++) {
		const struct search_field *field = &family->fields[i];
		assert_int_equal(field->name == NULL, family->kind == FAMILY_KEYED);
		bool is_linked = field->linked_from.text != NULL;
		assert_true(is_linked || family->kind != FAMILY_LINKED);
		assert_false(is_linked && family->kind == FAMILY_KEYED);
		assert_non_null(field->column.text);
		assert_true(field->operators != 0 || field->is_orderable);
		assert_false(is_linked && field->is_orderable);
		assert_false(family->kind == FAMILY_KEYED && family->field_count > 1 &&
			     field->is_orderable);
		/* A name finds its own row, or the one for ordering before the one for comparing. */
		if (field->name != NULL) {
			const struct search_field *found =
				search_family_field(family, slice_from_cstr(field->name));
			assert_true(found == field ||
				    (found < field && found->is_orderable &&
				     found->operators == 0 && !field->is_orderable));
		}
		/* Lists and patterns are of texts. */
		unsigned of_texts = SEARCH_LIST_OPERATORS | SEARCH_BIT(SEARCH_LIKE) |
				    SEARCH_BIT(SEARCH_ILIKE) | SEARCH_BIT(SEARCH_RLIKE);
		assert_true(field->type == SEARCH_TEXT || (field->operators & of_texts) == 0);
	}
	assert_true(family->kind == FAMILY_KEYED || family->statistic_count == 0);
	for (size_t i = 0; i < family->statistic_count; i++) {
		const struct search_field *field = &family->statistics_or_null[i];
		assert_ptr_equal(search_family_statistic(family, slice_from_cstr(field->name)),
				 field);
		assert_non_null(field->column.text);
		assert_true(field->is_nullable);
	}
}

static void test_tables_hold_together(void **state)
{
	(void)state;
	for (size_t t = 0; t < ARRAY_COUNT(tables); t++) {
		const struct search_table *table = tables[t];
		assert_non_null(table->alias.text);
		assert_non_null(table->owner_columns[0].text);
		assert_int_equal(table->families[0].kind, FAMILY_ATTRIBUTES);
		for (size_t i = 0; i < table->family_count; i++) {
			const struct search_family *family = &table->families[i];
			check_family(family);
			for (size_t n = 0;
			     n < ARRAY_COUNT(family->names) && family->names[n] != NULL; n++)
				assert_ptr_equal(search_table_family(
							 table, slice_from_cstr(family->names[n])),
						 family);
		}
		check_order(table, table->default_order);
		check_order(table, table->ties);
	}
}

static void test_aliases_find_their_field(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"run name", "run_name"},  {"Run name", "run_name"},  {"Run Name", "run_name"},
		{"Created", "start_time"}, {"created", "start_time"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct search_field *field = search_family_field(
			&run_search_table.families[0], slice_from_cstr(rows[i][0]));
		assert_non_null(field);
		assert_string_equal(field->name, rows[i][1]);
	}
	assert_null(search_family_field(&run_search_table.families[0], SLICE("CREATED")));
	assert_null(search_table_family(&run_search_table, SLICE("Metric")));
}

static void test_a_key_without_default_has_none(void **state)
{
	(void)state;
	static const struct search_default defaults[] = {{"k", "v"}, {NULL, NULL}};
	static const struct search_family family = {.kind = FAMILY_KEYED,
						    .defaults_or_null = defaults};
	assert_true(slice_eq_cstr(search_family_default(&family, SLICE("k")), "v"));
	assert_false(slice_is_present(search_family_default(&family, SLICE("K"))));
	assert_false(
		slice_is_present(search_family_default(&run_search_table.families[1], SLICE("k"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_hold_together),
		cmocka_unit_test(test_aliases_find_their_field),
		cmocka_unit_test(test_a_key_without_default_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
