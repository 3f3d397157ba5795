/* The SQL that filters become. What it finds is tested in tests/unit/store/run_search_test.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "search/experiment_fields.h"
#include "search/filter.h"
#include "search/run_fields.h"

#define OF_PARAM "k.run_pk = r.run_pk AND k.name_pk = (SELECT name_pk FROM names WHERE name = "

struct row {
	const char *filter, *sql;
	size_t value_count;
};

static const struct row run_rows[] = {
	{"", "", 0},
	{"status = 'a'", " AND r.status = $1", 1},
	{"status != 'a'", " AND r.status <> $1", 1},
	{"run_name LIKE 'a%'", " AND like_cs($1, r.name)", 1},
	{"run_name ILIKE 'a%'", " AND ilike($1, r.name)", 1},
	{"run_id IN ('a', 'b')", " AND r.run_id IN ($1, $2)", 2},
	{"run_id NOT IN ('a')", " AND r.run_id NOT IN ($1)", 1},
	{"start_time >= 5", " AND r.start_time_ms >= $1", 1},
	{"end_time < 5", " AND (r.end_time_ms IS NOT NULL AND r.end_time_ms < $1)", 1},
	{"end_time IS NULL", " AND r.end_time_ms IS NULL", 0},
	{"params.p = 'x'",
	 " AND EXISTS (SELECT 1 FROM params AS k WHERE " OF_PARAM "$1) AND k.value = $2)", 2},
	{"tags.t LIKE 'x'",
	 " AND EXISTS (SELECT 1 FROM run_tags AS k WHERE " OF_PARAM "$1) AND like_cs($2, k.value))",
	 2},
	{"metrics.m > 1",
	 " AND EXISTS (SELECT 1 FROM metric_series AS k WHERE " OF_PARAM
	 "$1) AND k.last_value > $2)",
	 2},
	{"params.p IS NULL", " AND NOT EXISTS (SELECT 1 FROM params AS k WHERE " OF_PARAM "$1))",
	 1},
	{"params.p IS NOT NULL", " AND EXISTS (SELECT 1 FROM params AS k WHERE " OF_PARAM "$1))",
	 1},
	{"dataset.name = 'd'",
	 " AND EXISTS (SELECT 1 FROM run_datasets AS l JOIN datasets AS d ON d.dataset_pk = "
	 "l.dataset_pk WHERE l.run_pk = r.run_pk AND d.name = $1)",
	 1},
	{"dataset.context IN ('train')",
	 " AND EXISTS (SELECT 1 FROM run_dataset_tags AS l WHERE l.run_pk = r.run_pk AND l.key = "
	 "'mlflow.data.context' AND l.value IN ($1))",
	 1},
	{"status = 'a' AND user_id = 'b' AND run_id = 'c'",
	 " AND r.status = $1 AND r.user_id = $2 AND r.run_id = $3", 3},
	{"status = 'a' OR user_id = 'b'", " AND (r.status = $1 OR r.user_id = $2)", 2},
	{"NOT status = 'a'", " AND NOT r.status = $1", 1},
	{"NOT (status = 'a' OR user_id = 'b')", " AND NOT (r.status = $1 OR r.user_id = $2)", 2},
	{"NOT (status = 'a' AND user_id = 'b')", " AND NOT (r.status = $1 AND r.user_id = $2)", 2},
	{"(status = 'a' AND user_id = 'b') OR run_id = 'c'",
	 " AND (r.status = $1 AND r.user_id = $2 OR r.run_id = $3)", 3},
	/* What nests deepest comes first. */
	{"status = 'a' AND (run_id = 'b' OR NOT user_id = 'c')",
	 " AND (NOT r.user_id = $1 OR r.run_id = $2) AND r.status = $3", 3},
};

static const struct search_field tag_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .column = SQL_LITERAL("value")},
};
static const struct search_default defaults[] = {{"hidden", "false"}, {NULL, NULL}};
static const struct search_family two_owner_families[] = {
	{.names = {"attribute"}, .kind = FAMILY_ATTRIBUTES},
	{.names = {"tag", "tags"},
	 .kind = FAMILY_KEYED,
	 .fields = tag_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("version_tags"),
	 .key_column = SQL_LITERAL("key"),
	 .defaults_or_null = defaults},
};
/* Like model versions: two owner columns, keys as text, a key with a default. */
static const struct search_table two_owner_table = {
	.name = "versions",
	.families = two_owner_families,
	.family_count = ARRAY_COUNT(two_owner_families),
	.alias = SQL_LITERAL("v"),
	.owner_columns = {SQL_LITERAL("model_pk"), SQL_LITERAL("version")},
};

#define OF_TAG                                                                                     \
	" FROM version_tags AS k WHERE k.model_pk = v.model_pk AND k.version = v.version AND "     \
	"k.key = "

static const struct row two_owner_rows[] = {
	{"tags.t = 'x'", " AND EXISTS (SELECT 1" OF_TAG "$1 AND k.value = $2)", 2},
	{"tags.hidden != 'true'", " AND COALESCE((SELECT k.value" OF_TAG "$1), $2) <> $3", 3},
	{"tags.hidden LIKE 'f%'", " AND like_cs($1, COALESCE((SELECT k.value" OF_TAG "$2), $3))",
	 3},
	{"tags.hidden IS NULL", " AND NOT EXISTS (SELECT 1" OF_TAG "$1)", 1},
};

static void check_rows(const struct search_table *table, const struct row *rows, size_t count)
{
	struct arena arena;
	struct error err;
	arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < count; i++) {
		struct filter filter;
		struct sql_builder b;
		sql_builder_init(&b, &arena);
		if (!filter_compile(table, slice_from_cstr(rows[i].filter), &arena, &filter, &err))
			fail_msg("%s: %s", rows[i].filter, err.message);
		filter_and_sql(&filter, &b);
		assert_string_equal(sql_builder_text(&b), rows[i].sql);
		assert_int_equal(b.value_count, rows[i].value_count);
	}
	arena_deinit(&arena);
}

static void test_filters_of_runs_become_conditions(void **state)
{
	(void)state;
	check_rows(&run_search_table, run_rows, ARRAY_COUNT(run_rows));
}

static void test_keys_may_be_texts_of_two_owner_columns_and_have_defaults(void **state)
{
	(void)state;
	check_rows(&two_owner_table, two_owner_rows, ARRAY_COUNT(two_owner_rows));
}

static void test_values_are_bound_as_what_they_are(void **state)
{
	(void)state;
	struct arena arena;
	struct error err;
	struct filter filter;
	struct sql_builder b;
	arena_init(&arena, 1024 * 1024);
	sql_builder_init(&b, &arena);
	assert_true(filter_compile(
			    &run_search_table,
			    SLICE("start_time > 9007199254740993 AND metrics.`m'); --` < 0.5 AND "
				  "status = 'x'' OR 1=1' AND run_id = '); DROP TABLE runs'"),
			    &arena, &filter, &err) == false);
	assert_true(filter_compile(
		&run_search_table,
		SLICE("start_time > 9007199254740993 AND metrics.`m'); --` < 0.5 AND "
		      "run_id = '); DROP TABLE runs'"),
		&arena, &filter, &err));
	filter_and_sql(&filter, &b);
	assert_int_equal(b.value_count, 4);
	assert_int_equal(b.values[0].kind, SQL_VALUE_I64);
	assert_true(b.values[0].i64 == INT64_C(9007199254740993));
	assert_int_equal(b.values[1].kind, SQL_VALUE_TEXT);
	assert_true(slice_eq_cstr(b.values[1].bytes, "m'); --"));
	assert_int_equal(b.values[2].kind, SQL_VALUE_DOUBLE);
	assert_true(slice_eq_cstr(b.values[3].bytes, "); DROP TABLE runs"));
	assert_null(strstr(sql_builder_text(&b), "DROP"));
	assert_null(strstr(sql_builder_text(&b), "--"));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_of_runs_become_conditions),
		cmocka_unit_test(test_keys_may_be_texts_of_two_owner_columns_and_have_defaults),
		cmocka_unit_test(test_values_are_bound_as_what_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
