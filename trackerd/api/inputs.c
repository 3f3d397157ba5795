/* Owns the endpoints that link datasets and logged models to a run. */
#include "api/inputs.h"

#include <stdio.h>

#include "api/validation.h"
#include "limits.h"
#include "store/inputs.h"
#include "store/run_models.h"
#include "store/runs.h"

struct model_entry {
	struct slice model_id;
};

struct inputs_request {
	struct slice run_id;
	struct object_list datasets;
	struct object_list models;
	/* Made by check. */
	struct dataset_input_list inputs;
	struct model_input_list model_inputs;
};

// clang-format off
static const struct field dataset_fields_table[] = {
	FIELD_TEXT(struct dataset_fields, name, FIELD_REQUIRED),
	FIELD_TEXT(struct dataset_fields, digest, FIELD_REQUIRED),
	FIELD_TEXT(struct dataset_fields, source_type, FIELD_REQUIRED),
	FIELD_TEXT(struct dataset_fields, source, FIELD_REQUIRED),
	FIELD_TEXT(struct dataset_fields, schema, FIELD_OPTIONAL),
	FIELD_TEXT(struct dataset_fields, profile, FIELD_OPTIONAL),
	FIELDS_END,
};

const struct field dataset_entry_fields[] = {
	FIELD_OBJECTS(struct dataset_entry, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECT(struct dataset_entry, dataset, FIELD_REQUIRED, dataset_fields_table, struct dataset_fields),
	FIELDS_END,
};

static const struct field model_entry_fields[] = {
	FIELD_TEXT(struct model_entry, model_id, FIELD_REQUIRED),
	FIELDS_END,
};

static const struct field inputs_fields[] = {
	FIELD_TEXT(struct inputs_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_OBJECTS(struct inputs_request, datasets, FIELD_OPTIONAL, dataset_entry_fields, struct dataset_entry),
	FIELD_OBJECTS(struct inputs_request, models, FIELD_OPTIONAL, model_entry_fields, struct model_entry),
	FIELDS_END,
};

static const struct {
	const char *name;
	size_t offset, length_max;
} dataset_limits[] = {
	{"name",    offsetof(struct dataset_fields, name),    DATASET_NAME_LENGTH_MAX},
	{"digest",  offsetof(struct dataset_fields, digest),  DATASET_DIGEST_LENGTH_MAX},
	{"source",  offsetof(struct dataset_fields, source),  DATASET_SOURCE_LENGTH_MAX},
	{"schema",  offsetof(struct dataset_fields, schema),  DATASET_SCHEMA_LENGTH_MAX},
	{"profile", offsetof(struct dataset_fields, profile), DATASET_PROFILE_LENGTH_MAX},
};
// clang-format on

static bool check_model_id(struct slice model_id, size_t index, struct error *err)
{
	char what[64];
	(void)snprintf(what, sizeof(what), "'models[%zu].model_id'", index);
	return validate_length(model_id, LOGGED_MODEL_ID_LENGTH_MAX, what, err);
}

static bool check_dataset(const struct dataset_fields *dataset, size_t index, struct error *err)
{
	char what[96];
	for (size_t i = 0; i < ARRAY_COUNT(dataset_limits); i++) {
		const char *field = (const char *)dataset + dataset_limits[i].offset;
		struct slice value = *(const struct slice *)(const void *)field;
		(void)snprintf(what, sizeof(what), "'datasets[%zu].dataset.%s'", index,
			       dataset_limits[i].name);
		if (!validate_length(value, dataset_limits[i].length_max, what, err))
			return false;
	}
	return true;
}

/* Input tags are clients' words about the link, such as mlflow.data.context: keys are free. */
static bool check_tags(struct object_list *tags, size_t index, struct key_value_list *out,
		       struct error *err)
{
	struct key_value *items = tags->items;
	for (size_t i = 0; i < tags->count; i++) {
		char what[96];
		if (!slice_is_present(items[i].value))
			items[i].value = SLICE("");
		(void)snprintf(what, sizeof(what), "'datasets[%zu].tags[%zu].key'", index, i);
		if (!validate_length(items[i].key, INPUT_TAG_KEY_LENGTH_MAX, what, err))
			return false;
		(void)snprintf(what, sizeof(what), "'datasets[%zu].tags[%zu].value'", index, i);
		if (!validate_length(items[i].value, INPUT_TAG_VALUE_LENGTH_MAX, what, err))
			return false;
	}
	*out = (struct key_value_list){items, tags->count};
	return true;
}

static bool check_model_inputs(struct inputs_request *request, struct arena *arena,
			       struct error *err)
{
	const struct model_entry *entries = request->models.items;
	struct slice *ids = ARENA_NEW(arena, struct slice, request->models.count + 1);
	for (size_t i = 0; i < request->models.count; i++) {
		if (!check_model_id(entries[i].model_id, i, err))
			return false;
		ids[i] = entries[i].model_id;
	}
	request->model_inputs = (struct model_input_list){ids, request->models.count};
	return true;
}

bool dataset_entries_check(const struct object_list *list, struct arena *arena,
			   struct dataset_input_list *out, struct error *err)
{
	struct dataset_entry *entries = list->items;
	struct dataset_input *items = ARENA_NEW(arena, struct dataset_input, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		const struct dataset_fields *dataset = &entries[i].dataset;
		items[i] = (struct dataset_input){
			.name = dataset->name,
			.digest = dataset->digest,
			.source_type = dataset->source_type,
			.source = dataset->source,
			.schema = dataset->schema,
			.profile = dataset->profile,
		};
		if (!check_dataset(dataset, i, err) ||
		    !check_tags(&entries[i].tags, i, &items[i].tags, err))
			return false;
	}
	*out = (struct dataset_input_list){items, list->count};
	return true;
}

static bool log_inputs_check(struct call *call, struct error *err)
{
	struct inputs_request *request = call->request;
	return validate_run_id(request->run_id, err) &&
	       dataset_entries_check(&request->datasets, call->arena, &request->inputs, err) &&
	       check_model_inputs(request, call->arena, err);
}

static bool log_inputs_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct inputs_request *request = call->request;
	struct run_ref ref;
	return call_change_run(call, tracker, request->run_id, LIVE_INPUTS, &ref, err) &&
	       inputs_log_in_txn(tracker, ref.pk, ref.experiment_id, request->inputs, call->arena,
				 err) &&
	       run_model_inputs_log_in_txn(tracker, ref.pk, request->model_inputs, err);
}

const struct endpoint runs_log_inputs = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = inputs_fields,
	.request_bytes = sizeof(struct inputs_request),
	.body_bytes_max = INPUTS_BODY_BYTES_MAX,
	.check = log_inputs_check,
	.execute = log_inputs_execute,
	.summary = "Link datasets and logged models to a run as its inputs",
};

/* ---- outputs ---------------------------------------------------------------------------------- */

struct outputs_request {
	struct slice run_id;
	struct object_list models;
	struct model_output_list outputs; /* made by check */
};

// clang-format off
const struct field output_entry_fields[] = {
	FIELD_TEXT(struct output_entry, model_id, FIELD_REQUIRED),
	FIELD_I64(struct output_entry, step, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field outputs_fields[] = {
	FIELD_TEXT(struct outputs_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_OBJECTS(struct outputs_request, models, FIELD_OPTIONAL, output_entry_fields, struct output_entry),
	FIELDS_END,
};
// clang-format on

bool output_entries_check(const struct object_list *list, struct arena *arena,
			  struct model_output_list *out, struct error *err)
{
	const struct output_entry *entries = list->items;
	struct model_output *items = ARENA_NEW(arena, struct model_output, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		if (!check_model_id(entries[i].model_id, i, err))
			return false;
		items[i] = (struct model_output){entries[i].model_id, entries[i].step.value};
	}
	*out = (struct model_output_list){items, list->count};
	return true;
}

static bool log_outputs_check(struct call *call, struct error *err)
{
	struct outputs_request *request = call->request;
	/* A list without items is one. */
	if (!request->models.is_set)
		return fields_error_missing(err, "models");
	return output_entries_check(&request->models, call->arena, &request->outputs, err);
}

static bool log_outputs_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct outputs_request *request = call->request;
	struct run_ref ref;
	return call_change_run(call, tracker, request->run_id, LIVE_INPUTS, &ref, err) &&
	       run_model_outputs_log_in_txn(tracker, ref.pk, request->outputs, err);
}

const struct endpoint runs_log_outputs = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = outputs_fields,
	.request_bytes = sizeof(struct outputs_request),
	.check = log_outputs_check,
	.execute = log_outputs_execute,
	.summary = "Link logged models to a run as its outputs",
};
