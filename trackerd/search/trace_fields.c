/* The fields of traces. */
#include "search/trace_fields.h"

#define TEXT_OPERATORS (SEARCH_TEXT_OPERATORS | SEARCH_BIT(SEARCH_RLIKE))
#define OPTIONAL_TEXT(field_name, sql) \
	.name = (field_name), .type = SEARCH_TEXT, \
	.operators = TEXT_OPERATORS | SEARCH_LIST_OPERATORS | SEARCH_NULL_OPERATORS, \
	.is_nullable = true, .is_orderable = true, .column = SQL_LITERAL(sql)
#define METADATA(key) \
	"(SELECT a.value FROM trace_metadata AS a WHERE a.trace_pk = t.trace_pk AND a.key = '" key "')"

/* Linked afterwards, or the run that was active when the trace was made. */
#define OF_RUNS                                                                                    \
	SQL_LITERAL("SELECT 1 FROM (SELECT run_id FROM trace_runs WHERE trace_id = t.trace_id"     \
		    " UNION ALL SELECT " METADATA(TRACE_SOURCE_RUN_METADATA) ") AS l"              \
		    " WHERE l.run_id IS NOT NULL AND ")
#define OF_PROMPTS SQL_LITERAL("SELECT 1 FROM trace_prompts AS l WHERE l.trace_pk = t.trace_pk AND ")
#define OF_ISSUES                                                                                  \
	SQL_LITERAL("SELECT 1 FROM assessments AS l WHERE l.trace_pk = t.trace_pk"                 \
		    " AND l.kind = 'issue' AND ")

static const struct search_field attributes[] = {
	{.name = "request_id",
	 .aliases = {"trace_id"},
	 .type = SEARCH_TEXT,
	 .operators = TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("t.trace_id")},
	{.name = "timestamp_ms",
	 .aliases = {"timestamp"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("t.request_time_ms")},
	{.name = "execution_time_ms",
	 .aliases = {"execution_time"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_nullable = true,
	 .is_orderable = true,
	 .column = SQL_LITERAL("t.execution_time_ms")},
	{.name = "end_time_ms",
	 .aliases = {"end_time"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("(t.request_time_ms + COALESCE(t.execution_time_ms, 0))")},
	{.name = "status",
	 .type = SEARCH_TEXT,
	 .operators = TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("t.state")},
	{OPTIONAL_TEXT("client_request_id", "t.client_request_id")},
	{OPTIONAL_TEXT("name", "(SELECT a.value FROM trace_tags AS a WHERE a.trace_pk = t.trace_pk"
			       " AND a.key = '" TRACE_NAME_TAG "')")},
	{OPTIONAL_TEXT("session", METADATA(TRACE_SESSION_METADATA))},
	{OPTIONAL_TEXT("user", METADATA(TRACE_USER_METADATA))},
	{.name = "run_id",
	 .type = SEARCH_TEXT,
	 .operators = TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("l.run_id"),
	 .linked_from = OF_RUNS},
	{.name = "prompt",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_BIT(SEARCH_EQ),
	 .column = SQL_LITERAL("l.prompt"),
	 .linked_from = OF_PROMPTS},
	{.name = "experiment_id",
	 .type = SEARCH_INTEGER,
	 .is_orderable = true,
	 .column = SQL_LITERAL("t.experiment_id")},
};

static const struct search_field text_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("value")},
};

static const struct search_field assessment_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .column = SQL_LITERAL("search_text")},
	{.type = SEARCH_REAL,
	 .operators = SEARCH_BIT(SEARCH_LT) | SEARCH_BIT(SEARCH_LE) | SEARCH_BIT(SEARCH_GT) |
		      SEARCH_BIT(SEARCH_GE),
	 .column = SQL_LITERAL("search_number")},
};

static const struct search_field issues[] = {
	{.name = "id",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_BIT(SEARCH_EQ),
	 .column = SQL_LITERAL("l.name"),
	 .linked_from = OF_ISSUES},
};

#define KEYED(family_fields, table_sql, key) \
	.kind = FAMILY_KEYED, .fields = (family_fields), .field_count = ARRAY_COUNT(family_fields), \
	.table = SQL_LITERAL(table_sql), .key_column = SQL_LITERAL(key)
#define VALID(kind) "(SELECT * FROM assessments WHERE kind = '" kind "' AND is_valid = 1)"

static const struct search_family families[] = {
	{.names = {"attribute", "attributes", "attr", "trace"},
	 .kind = FAMILY_ATTRIBUTES,
	 .fields = attributes,
	 .field_count = ARRAY_COUNT(attributes)},
	{.names = {"tag", "tags"}, KEYED(text_value, "trace_tags", "key")},
	{.names = {"request_metadata", "metadata"}, KEYED(text_value, "trace_metadata", "key")},
	{.names = {"feedback"}, KEYED(assessment_value, VALID("feedback"), "name")},
	{.names = {"expectation"}, KEYED(assessment_value, VALID("expectation"), "name")},
	{.names = {"issue"},
	 .kind = FAMILY_LINKED,
	 .fields = issues,
	 .field_count = ARRAY_COUNT(issues)},
};

const struct search_table trace_search_table = {
	.name = "traces",
	.families = families,
	.family_count = ARRAY_COUNT(families),
	.alias = SQL_LITERAL("t"),
	.owner_columns = {SQL_LITERAL("trace_pk")},
	.default_order = {{"timestamp_ms", true}, {"request_id", false}},
	.ties = {{"timestamp_ms", true}, {"request_id", false}},
};
