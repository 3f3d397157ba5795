/* The fields of experiments. */
#include "search/experiment_fields.h"

static const struct search_field attributes[] = {
	{.name = "name",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("e.name")},
	{.name = "creation_time",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("e.creation_time_ms")},
	{.name = "last_update_time",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("e.last_update_time_ms")},
	{.name = "experiment_id",
	 .type = SEARCH_INTEGER,
	 .is_orderable = true,
	 .column = SQL_LITERAL("e.experiment_id")},
	/* Filters write ids as texts. */
	{.name = "experiment_id",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_BIT(SEARCH_EQ) | SEARCH_BIT(SEARCH_NE) | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("CAST(e.experiment_id AS TEXT)")},
};

static const struct search_field tag_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .column = SQL_LITERAL("value")},
};

static const struct search_family families[] = {
	{.names = {"attribute", "attributes", "attr"},
	 .kind = FAMILY_ATTRIBUTES,
	 .fields = attributes,
	 .field_count = ARRAY_COUNT(attributes)},
	{.names = {"tag", "tags"},
	 .kind = FAMILY_KEYED,
	 .fields = tag_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("experiment_tags"),
	 .key_column = SQL_LITERAL("key")},
};

const struct search_table experiment_search_table = {
	.name = "experiments",
	.families = families,
	.family_count = ARRAY_COUNT(families),
	.alias = SQL_LITERAL("e"),
	.owner_columns = {SQL_LITERAL("experiment_id")},
	.default_order = {{"creation_time", true}, {"experiment_id", false}},
	.ties = {{"experiment_id", true}},
};
