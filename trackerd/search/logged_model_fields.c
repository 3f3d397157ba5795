/* The fields of logged models. */
#include "search/logged_model_fields.h"

#define TEXT_ATTRIBUTE(field_name, sql) \
	.name = (field_name), .type = SEARCH_TEXT, .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS, \
	.is_orderable = true, .column = SQL_LITERAL(sql)

static const struct search_field attributes[] = {
	{TEXT_ATTRIBUTE("name", "l.name")},
	{TEXT_ATTRIBUTE("model_id", "l.model_id")},
	{TEXT_ATTRIBUTE("model_type", "l.model_type")},
	{TEXT_ATTRIBUTE("status", "l.status")},
	{TEXT_ATTRIBUTE("source_run_id", "l.source_run_id")},
	{TEXT_ATTRIBUTE("artifact_location", "l.artifact_uri")},
	{.name = "creation_timestamp",
	 .aliases = {"creation_time", "creation_timestamp_ms"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("l.creation_time_ms")},
	{.name = "last_updated_timestamp",
	 .aliases = {"last_updated_timestamp_ms"},
	 .type = SEARCH_INTEGER,
	 .operators = SEARCH_NUMBER_OPERATORS,
	 .is_orderable = true,
	 .column = SQL_LITERAL("l.last_updated_time_ms")},
	{.name = "experiment_id",
	 .type = SEARCH_INTEGER,
	 .is_orderable = true,
	 .column = SQL_LITERAL("l.experiment_id")},
};

static const struct search_field metric_value[] = {
	{.type = SEARCH_REAL,
	 .operators = SEARCH_NUMBER_OPERATORS | SEARCH_NULL_OPERATORS,
	 .is_nullable = true,
	 .is_orderable = true,
	 .column = SQL_LITERAL("value")},
};

static const struct search_field text_value[] = {
	{.type = SEARCH_TEXT,
	 .operators = SEARCH_TEXT_OPERATORS | SEARCH_LIST_OPERATORS | SEARCH_NULL_OPERATORS,
	 .column = SQL_LITERAL("value")},
};

enum { ATTRIBUTES, METRICS, PARAMS, TAGS, FAMILY_COUNT };

static const struct search_family families[FAMILY_COUNT] = {
	[ATTRIBUTES] = {.names = {"attributes", "attribute", "attr"},
			.kind = FAMILY_ATTRIBUTES,
			.fields = attributes,
			.field_count = ARRAY_COUNT(attributes)},
	/* A model has all points that were logged for it; its order is that of the newest. */
	[METRICS] = {.names = {LOGGED_MODEL_METRICS, "metric"},
		     .kind = FAMILY_KEYED,
		     .fields = metric_value,
		     .field_count = 1,
		     .table = SQL_LITERAL("logged_model_metrics"),
		     .key_column = SQL_LITERAL("name_pk"),
		     .key_is_interned = true,
		     .row_column = SQL_LITERAL("metric_pk"),
		     .row_order = SQL_LITERAL(" ORDER BY timestamp_ms DESC, step DESC, run_pk")},
	[PARAMS] = {.names = {"params", "param", "parameters", "parameter"},
		    .kind = FAMILY_KEYED,
		    .fields = text_value,
		    .field_count = 1,
		    .table = SQL_LITERAL("logged_model_params"),
		    .key_column = SQL_LITERAL("key")},
	[TAGS] = {.names = {"tags", "tag"},
		  .kind = FAMILY_KEYED,
		  .fields = text_value,
		  .field_count = 1,
		  .table = SQL_LITERAL("logged_model_tags"),
		  .key_column = SQL_LITERAL("key")},
};

const struct search_table logged_model_search_table = {
	.name = "logged_models",
	.families = families,
	.family_count = FAMILY_COUNT,
	.alias = SQL_LITERAL("l"),
	.owner_columns = {SQL_LITERAL("logged_model_pk")},
	.default_order = {{"creation_timestamp", true}, {"model_id", false}},
	.ties = {{"creation_timestamp", true}, {"model_id", false}},
};

const struct search_table *logged_model_search_table_narrowed(const struct sql_builder *narrowing,
							      struct arena *arena)
{
	struct search_family *copies = ARENA_NEW(arena, struct search_family, FAMILY_COUNT);
	struct search_table *table = ARENA_NEW(arena, struct search_table, 1);
	memcpy(copies, families, sizeof(families));
	copies[METRICS].narrowing_or_null = narrowing;
	*table = logged_model_search_table;
	table->families = copies;
	return table;
}
