/* The fields of runs. */
#include "search/run_fields.h"

#define TEXT_ATTRIBUTE(field_name, sql, more)                                                      \
	.name = (field_name), .type = SEARCH_TEXT, .operators = SEARCH_TEXT_OPERATORS | (more),    \
	.is_orderable = true, .column = SQL_LITERAL(sql)

static const struct search_field attributes[] = {
	{TEXT_ATTRIBUTE("run_id", "r.run_id", SEARCH_LIST_OPERATORS)},
	{TEXT_ATTRIBUTE("run_name", "r.name", 0), .aliases = {"run name", "Run name", "Run Name"}},
	{TEXT_ATTRIBUTE("status", "r.status", 0)},
	{TEXT_ATTRIBUTE("artifact_uri", "r.artifact_uri", 0)},
	{TEXT_ATTRIBUTE("user_id", "r.user_id", 0)},
	{.name = "start_time",
	 .aliases = {"created", "Created"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("r.start_time_ms")},
	{.name = "end_time",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_nullable = true,
	 .is_orderable = true,
	 .column = SQL_LITERAL("r.end_time_ms")},
};

#define STATISTIC(field_name, field_type, sql)                                                     \
	.name = (field_name), .type = (field_type), .operators = SEARCH_NUMBER_OPERATORS,          \
	.is_nullable = true, .is_orderable = true, .column = SQL_LITERAL(sql)

static const struct search_field metric_value[] = {
	{.type = SEARCH_REAL,
	 .operators = SEARCH_NUMBER_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_nullable = true,
	 .is_orderable = true,
	 .column = SQL_LITERAL("last_value")},
};

static const struct search_field metric_statistics[] = {
	{STATISTIC("min", SEARCH_REAL, "min_value")},
	{STATISTIC("max", SEARCH_REAL, "max_value")},
	{STATISTIC("first", SEARCH_REAL, "first_value")},
	{STATISTIC("min_step", SEARCH_INTEGER, "min_step")},
	{STATISTIC("max_step", SEARCH_INTEGER, "max_step")},
	{STATISTIC("best_step", SEARCH_INTEGER, "min_step")},
};

static const struct search_field text_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("value")},
};

#define OF_DATASETS                                                                                \
	SQL_LITERAL("SELECT 1 FROM run_datasets AS l JOIN datasets AS d ON d.dataset_pk = "        \
		    "l.dataset_pk"                                                                 \
		    " WHERE l.run_pk = r.run_pk AND ")
#define OF_DATASET_CONTEXTS                                                                        \
	SQL_LITERAL("SELECT 1 FROM run_dataset_tags AS l WHERE l.run_pk = r.run_pk"                \
		    " AND l.key = 'mlflow.data.context' AND ")

static const struct search_field datasets[] = {
	{.name = "name",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("d.name"),
	 .linked_from = OF_DATASETS},
	{.name = "digest",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("d.digest"),
	 .linked_from = OF_DATASETS},
	{.name = "context",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("l.value"),
	 .linked_from = OF_DATASET_CONTEXTS},
};

static const struct search_family families[] = {
	{.names = {"attribute", "attributes", "attr", "run"},
	 .kind = FAMILY_ATTRIBUTES,
	 .fields = attributes,
	 .field_count = ARRAY_COUNT(attributes)},
	{.names = {"metric", "metrics"},
	 .kind = FAMILY_KEYED,
	 .fields = metric_value,
	 .field_count = 1,
	 .statistics_or_null = metric_statistics,
	 .statistic_count = ARRAY_COUNT(metric_statistics),
	 .table = SQL_LITERAL("metric_series"),
	 .key_column = SQL_LITERAL("name_pk"),
	 .key_is_interned = true},
	{.names = {"parameter", "parameters", "param", "params"},
	 .kind = FAMILY_KEYED,
	 .fields = text_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("params"),
	 .key_column = SQL_LITERAL("name_pk"),
	 .key_is_interned = true},
	{.names = {"tag", "tags"},
	 .kind = FAMILY_KEYED,
	 .fields = text_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("run_tags"),
	 .key_column = SQL_LITERAL("name_pk"),
	 .key_is_interned = true},
	{.names = {"dataset", "datasets"},
	 .kind = FAMILY_LINKED,
	 .fields = datasets,
	 .field_count = ARRAY_COUNT(datasets)},
};

const struct search_table run_search_table = {
	.name = "runs",
	.families = families,
	.family_count = ARRAY_COUNT(families),
	.alias = SQL_LITERAL("r"),
	.owner_columns = {SQL_LITERAL("run_pk")},
	.default_order = {{"start_time", true}, {"run_id", false}},
	.ties = {{"start_time", true}, {"run_id", false}},
};
