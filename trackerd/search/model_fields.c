/* The fields of registered models and of model versions. */
#include "search/model_fields.h"

static const struct search_field tag_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_NULL_OPERATORS,
	 .column = SQL_LITERAL("value")},
};

static const struct search_default prompt_default[] = {{PROMPT_TAG, "false"}, {NULL, NULL}};

static const struct search_field model_attributes[] = {
	{.name = "name",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("m.name")},
	{.name = "creation_timestamp",
	 .aliases = {"timestamp"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("m.creation_time_ms")},
	{.name = "last_updated_timestamp",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("m.last_updated_time_ms")},
};

static const struct search_family model_families[] = {
	{.names = {"attribute", "attributes", "attr"},
	 .kind = FAMILY_ATTRIBUTES,
	 .fields = model_attributes,
	 .field_count = ARRAY_COUNT(model_attributes)},
	{.names = {"tag", "tags"},
	 .kind = FAMILY_KEYED,
	 .fields = tag_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("registered_model_tags"),
	 .key_column = SQL_LITERAL("key"),
	 .defaults_or_null = prompt_default},
};

const struct search_table model_search_table = {
	.name = "registered_models",
	.families = model_families,
	.family_count = ARRAY_COUNT(model_families),
	.alias = SQL_LITERAL("m"),
	.owner_columns = {SQL_LITERAL("model_pk")},
	.default_order = {{"name", false}},
	.ties = {{"name", false}},
};

static const struct search_field version_attributes[] = {
	{.name = "name",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("m.name")},
	{.name = "version_number",
	 .aliases = {"version"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("v.version")},
	{.name = "run_id",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS,
	 .column = SQL_LITERAL("v.run_id")},
	{.name = "source_path",
	 .type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS,
	 .column = SQL_LITERAL("v.source")},
	{.name = "creation_timestamp",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("v.creation_time_ms")},
	{.name = "last_updated_timestamp",
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("v.last_updated_time_ms")},
};

static const struct search_family version_families[] = {
	{.names = {"attribute", "attributes", "attr"},
	 .kind = FAMILY_ATTRIBUTES,
	 .fields = version_attributes,
	 .field_count = ARRAY_COUNT(version_attributes)},
	{.names = {"tag", "tags"},
	 .kind = FAMILY_KEYED,
	 .fields = tag_value,
	 .field_count = 1,
	 .table = SQL_LITERAL("model_version_tags"),
	 .key_column = SQL_LITERAL("key"),
	 .defaults_or_null = prompt_default},
};

const struct search_table model_version_search_table = {
	.name = "model_versions",
	.families = version_families,
	.family_count = ARRAY_COUNT(version_families),
	.alias = SQL_LITERAL("v"),
	.owner_columns = {SQL_LITERAL("model_pk"), SQL_LITERAL("version")},
	.default_order = {{"last_updated_timestamp", true},
			  {"name", false},
			  {"version_number", true}},
	.ties = {{"name", false}, {"version_number", true}},
};
