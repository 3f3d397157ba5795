/* Owns the endpoint that takes logged models of another tracker. */
#include "api/api.h"
#include "api/batch.h"
#include "api/import.h"
#include "api/logged_models.h"
#include "api/validation.h"
#include "limits.h"
#include "store/import_logged_models.h"
#include "store/logged_models.h"

/* A point that was logged for the model. */
struct metric_entry {
	struct slice key;
	struct opt_double value;
	struct opt_i64 timestamp, step;
	struct slice run_id, dataset_name, dataset_digest;
};

struct logged_model_request {
	struct slice model_id, experiment_id, name, model_type, source_run_id, status,
		status_message;
	struct slice lifecycle_stage, source_artifact_uri;
	struct opt_i64 creation_time, last_updated_time;
	struct opt_bool keeps_artifacts, is_whole;
	struct object_list tags, params, metrics;
	/* Made by check. */
	struct import_logged_model model;
};

// clang-format off
static const struct field metric_entry_fields[] = {
	FIELD_TEXT(struct metric_entry, key, FIELD_REQUIRED),
	FIELD_DOUBLE(struct metric_entry, value, FIELD_REQUIRED),
	FIELD_I64(struct metric_entry, timestamp, FIELD_REQUIRED),
	FIELD_I64(struct metric_entry, step, FIELD_OPTIONAL),
	FIELD_TEXT(struct metric_entry, run_id, FIELD_REQUIRED),
	FIELD_TEXT(struct metric_entry, dataset_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct metric_entry, dataset_digest, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field logged_model_fields[] = {
	FIELD_TEXT(struct logged_model_request, model_id, FIELD_REQUIRED),
	FIELD_TEXT(struct logged_model_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct logged_model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct logged_model_request, model_type, FIELD_OPTIONAL),
	FIELD_TEXT(struct logged_model_request, source_run_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct logged_model_request, status, FIELD_OPTIONAL),
	FIELD_TEXT(struct logged_model_request, status_message, FIELD_OPTIONAL),
	FIELD_TEXT(struct logged_model_request, lifecycle_stage, FIELD_OPTIONAL),
	FIELD_I64(struct logged_model_request, creation_time, FIELD_OPTIONAL),
	FIELD_I64(struct logged_model_request, last_updated_time, FIELD_OPTIONAL),
	FIELD_TEXT(struct logged_model_request, source_artifact_uri, FIELD_OPTIONAL),
	FIELD_BOOL(struct logged_model_request, keeps_artifacts, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct logged_model_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct logged_model_request, params, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct logged_model_request, metrics, FIELD_OPTIONAL, metric_entry_fields, struct metric_entry),
	FIELD_BOOL(struct logged_model_request, is_whole, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool check_metrics(struct call *call, struct logged_model_request *request,
			  struct error *err)
{
	const struct metric_entry *entries = request->metrics.items;
	size_t count = request->metrics.count;
	struct logged_model_metric *items =
		ARENA_NEW(call->arena, struct logged_model_metric, count + 1);
	for (size_t i = 0; i < count; i++) {
		const struct metric_entry *e = &entries[i];
		const struct value_place place = {"metrics", i};
		if (!validate_key(KEY_METRIC, e->key, place, err) ||
		    !validate_metric_timestamp(e->key, e->value.value, e->timestamp.value, place,
					       err))
			return false;
		items[i] = (struct logged_model_metric){
			.point = {e->key, e->value.value, e->timestamp.value, e->step.value},
			.run_id = e->run_id,
			.dataset_name = e->dataset_name,
			.dataset_digest = e->dataset_digest,
		};
	}
	request->model.metrics = (struct logged_model_metric_list){items, count};
	return true;
}

static bool check_texts(const struct logged_model_request *request, struct error *err)
{
	return validate_logged_model_id(request->model_id, err) &&
	       validate_length(request->name, LOGGED_MODEL_NAME_LENGTH_MAX, "'name'", err) &&
	       validate_length(request->model_type, LOGGED_MODEL_NAME_LENGTH_MAX, "'model_type'",
			       err) &&
	       validate_length(request->source_artifact_uri, ARTIFACT_LOCATION_LENGTH_MAX,
			       "'source_artifact_uri'", err);
}

static bool logged_model_check(struct call *call, struct error *err)
{
	struct logged_model_request *request = call->request;
	struct import_logged_model *model = &request->model;
	*model = (struct import_logged_model){
		.model_id = request->model_id,
		.name = request->name,
		.model_type = request->model_type,
		.source_run_id = request->source_run_id,
		.status = logged_model_status_from_text(request->status),
		.status_message = request->status_message,
		.source_artifact_uri = request->source_artifact_uri,
		.keeps_artifacts = request->keeps_artifacts.value,
		.artifact_root = call->api->artifact_root,
		.is_whole = request->is_whole.value,
		.creation_time_ms = import_time(request->creation_time, call->now_ms),
	};
	model->last_updated_time_ms =
		import_time(request->last_updated_time, model->creation_time_ms);
	return check_texts(request, err) &&
	       validate_experiment_id(request->experiment_id, &model->experiment_id, err) &&
	       import_check_lifecycle(request->lifecycle_stage, &model->is_deleted, err) &&
	       logged_model_pairs_check(&request->tags, "tags", &model->tags, err) &&
	       logged_model_pairs_check(&request->params, "params", &model->params, err) &&
	       check_metrics(call, request, err);
}

static bool logged_model_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct logged_model_request *request = call->request;
	struct import_logged_model_result *result =
		ARENA_NEW(call->arena, struct import_logged_model_result, 1);
	call->result = result;
	call_tell_experiment(call, request->model.experiment_id, LIVE_LOGGED_MODELS);
	return import_logged_model_in_txn(tracker, &request->model, call->arena, result, err);
}

static void logged_model_encode(const struct call *call, struct json_writer *w)
{
	const struct import_logged_model_result *result = call->result;
	json_object_begin(w);
	json_put_cstr(w, "state", import_state_name(result->state));
	json_put_string(w, "artifact_uri", result->artifact_uri);
	json_put_int(w, "metrics_left_out", (int64_t)result->metrics_left_out);
	json_object_end(w);
}

const struct endpoint import_logged_model = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = logged_model_fields,
	.request_bytes = sizeof(struct logged_model_request),
	.check = logged_model_check,
	.execute = logged_model_execute,
	.encode = logged_model_encode,
	.summary = "Import a logged model",
};
