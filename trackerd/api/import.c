/* Owns the endpoints that take experiments and runs of another tracker. */
#include "api/import.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/api.h"
#include "api/batch.h"
#include "api/inputs.h"
#include "api/validation.h"
#include "limits.h"
#include "store/import.h"
#include "store/key_values.h"
#include "store/tags.h"

enum { DIGEST_BYTES_MAX = 128 };

int64_t import_time(struct opt_i64 time_ms, int64_t otherwise)
{
	return time_ms.is_set && time_ms.value >= 0 ? time_ms.value : otherwise;
}

bool import_check_lifecycle(struct slice stage, bool *is_deleted_out, struct error *err)
{
	char quoted[64];
	bool is_deleted = slice_eq(stage, SLICE("deleted"));
	if (slice_is_present(stage) && !is_deleted && !slice_eq(stage, SLICE("active")))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid lifecycle_stage '%s': it is active or deleted.",
				 error_quote(stage, quoted, sizeof(quoted)));
	*is_deleted_out = is_deleted;
	return true;
}

const char *import_state_name(enum import_run_state state)
{
	static const char *const names[] = {
		[IMPORT_RUN_NONE] = "NONE",
		[IMPORT_RUN_PARTIAL] = "PARTIAL",
		[IMPORT_RUN_WHOLE] = "WHOLE",
		[IMPORT_RUN_OTHER] = "OTHER",
	};
	return names[state];
}

/* ---- experiment ------------------------------------------------------------------------------- */

struct experiment_request {
	struct slice experiment_id, name, artifact_location, lifecycle_stage;
	struct opt_i64 creation_time, last_update_time;
	struct object_list tags;
	/* Made by check. */
	struct import_experiment experiment;
};

// clang-format off
static const struct field experiment_fields[] = {
	FIELD_TEXT(struct experiment_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct experiment_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct experiment_request, artifact_location, FIELD_OPTIONAL),
	FIELD_TEXT(struct experiment_request, lifecycle_stage, FIELD_OPTIONAL),
	FIELD_I64(struct experiment_request, creation_time, FIELD_OPTIONAL),
	FIELD_I64(struct experiment_request, last_update_time, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct experiment_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool experiment_check(struct call *call, struct error *err)
{
	struct experiment_request *request = call->request;
	struct import_experiment *e = &request->experiment;
	if (!validate_experiment_id(request->experiment_id, &e->wanted_id, err) ||
	    !validate_length(request->name, EXPERIMENT_NAME_LENGTH_MAX, "'name'", err) ||
	    !import_check_lifecycle(request->lifecycle_stage, &e->is_deleted, err) ||
	    !validate_key_values(KEY_TAG, &request->tags, "tags", IMPORT_VALUE_LENGTH_MAX, &e->tags,
				 err))
		return false;
	if (request->artifact_location.len > 0 &&
	    !validate_artifact_location(request->artifact_location, call->arena,
					&e->location_or_absent, err))
		return false;
	e->name = request->name;
	e->artifact_root = call->api->artifact_root;
	e->creation_time_ms = import_time(request->creation_time, call->now_ms);
	e->last_update_time_ms = import_time(request->last_update_time, e->creation_time_ms);
	return true;
}

static bool experiment_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct experiment_request *request = call->request;
	struct import_experiment_result *result =
		ARENA_NEW(call->arena, struct import_experiment_result, 1);
	call->result = result;
	if (!import_experiment_in_txn(tracker, &request->experiment, call->arena, result, err))
		return false;
	call_tell_experiment(call, result->experiment_id, LIVE_CREATED);
	return true;
}

static void experiment_encode(const struct call *call, struct json_writer *w)
{
	const struct import_experiment_result *result = call->result;
	char id[24];
	(void)snprintf(id, sizeof(id), "%" PRId64, result->experiment_id);
	json_object_begin(w);
	json_put_cstr(w, "experiment_id", id);
	json_put_bool(w, "is_new", result->is_new);
	json_object_end(w);
}

const struct endpoint import_experiment = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = experiment_fields,
	.request_bytes = sizeof(struct experiment_request),
	.check = experiment_check,
	.execute = experiment_execute,
	.encode = experiment_encode,
	.summary = "Import an experiment",
};

/* ---- what is there of a run ------------------------------------------------------------------- */

struct state_request {
	struct slice run_id;
};

struct state_result {
	enum import_run_state state;
	struct slice digest;
};

// clang-format off
static const struct field state_fields[] = {
	FIELD_TEXT(struct state_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELDS_END,
};
// clang-format on

static bool state_check(struct call *call, struct error *err)
{
	const struct state_request *request = call->request;
	return validate_run_id(request->run_id, err);
}

static bool state_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct state_request *request = call->request;
	struct state_result *result = ARENA_NEW(call->arena, struct state_result, 1);
	call->result = result;
	return import_run_state(tracker, request->run_id, call->arena, &result->state,
				&result->digest, err);
}

static void state_encode(const struct call *call, struct json_writer *w)
{
	const struct state_result *result = call->result;
	json_object_begin(w);
	json_put_cstr(w, "state", import_state_name(result->state));
	json_put_string(w, "digest", result->digest);
	json_object_end(w);
}

const struct endpoint import_run_get_state = {
	.kind = ENDPOINT_READ,
	.fields_or_null = state_fields,
	.request_bytes = sizeof(struct state_request),
	.check = state_check,
	.execute = state_execute,
	.encode = state_encode,
	.summary = "How much of a run was imported",
};

/* ---- run -------------------------------------------------------------------------------------- */

struct run_request {
	struct slice run_id, experiment_id, name, user_id, status, lifecycle_stage;
	struct opt_i64 start_time, end_time, deleted_time;
	struct slice source_artifact_uri;
	struct opt_bool keeps_artifacts, is_whole;
	struct slice digest;
	struct object_list tags, params, metrics, datasets, model_outputs;
	struct text_list model_inputs;
	/* Made by check. */
	struct import_run run;
};

// clang-format off
static const struct field run_fields[] = {
	FIELD_TEXT(struct run_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct run_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct run_request, name, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, user_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, status, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, lifecycle_stage, FIELD_OPTIONAL),
	FIELD_I64(struct run_request, start_time, FIELD_OPTIONAL),
	FIELD_I64(struct run_request, end_time, FIELD_OPTIONAL),
	FIELD_I64(struct run_request, deleted_time, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, source_artifact_uri, FIELD_OPTIONAL),
	FIELD_BOOL(struct run_request, keeps_artifacts, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct run_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct run_request, params, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct run_request, metrics, FIELD_OPTIONAL, batch_metric_fields, struct batch_metric),
	FIELD_OBJECTS(struct run_request, datasets, FIELD_OPTIONAL, dataset_entry_fields, struct dataset_entry),
	FIELD_TEXTS(struct run_request, model_inputs, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct run_request, model_outputs, FIELD_OPTIONAL, output_entry_fields, struct output_entry),
	FIELD_BOOL(struct run_request, is_whole, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, digest, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool check_count(const char *what, size_t count, size_t count_max, struct error *err)
{
	return count <= count_max ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "A request can import at most %zu %s of a run. Got %zu.", count_max, what,
			 count);
}

static bool check_status(struct slice status, struct slice *out, struct error *err)
{
	static const char *const statuses[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED",
					       "KILLED"};
	char quoted[64];
	*out = slice_is_present(status) ? status : SLICE("RUNNING");
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		if (slice_eq_cstr(*out, statuses[i]))
			return true;
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid run status '%s'.",
			 error_quote(status, quoted, sizeof(quoted)));
}

/* Its own, or that of its tag, or one made of its id, so that importing again makes no other. */
static struct slice choose_name(const struct run_request *request, struct arena *arena)
{
	const struct key_value *tag = key_values_find(request->run.tags, RUN_NAME_TAG);
	if (request->name.len > 0)
		return slice_utf8_first(request->name, RUN_TAG_VALUE_LENGTH_MAX);
	if (tag != NULL && tag->value.len > 0)
		return tag->value;
	return arena_printf(arena, "run-%.*s", SLICE_FMT(slice_first(request->run_id, 8)));
}

static bool check_ids(const struct text_list *ids, struct error *err)
{
	for (size_t i = 0; i < ids->count; i++) {
		if (!validate_length(ids->items[i], LOGGED_MODEL_ID_LENGTH_MAX, "'model_inputs'",
				     err))
			return false;
	}
	return true;
}

static bool check_data(struct call *call, struct run_request *request, struct error *err)
{
	struct import_run *run = &request->run;
	struct key_value_list params;
	struct metric_point *points = NULL;
	if (!check_count("metrics", request->metrics.count, IMPORT_POINTS_MAX, err) ||
	    !check_count("params", request->params.count, IMPORT_PAIRS_MAX, err) ||
	    !check_count("tags", request->tags.count, IMPORT_PAIRS_MAX, err) ||
	    !batch_metrics_check(&request->metrics, call->arena, &points, err) ||
	    !validate_key_values(KEY_PARAM, &request->params, "params", IMPORT_VALUE_LENGTH_MAX,
				 &params, err) ||
	    !validate_key_values(KEY_TAG, &request->tags, "tags", IMPORT_VALUE_LENGTH_MAX,
				 &run->tags, err) ||
	    !dataset_entries_check(&request->datasets, call->arena, &run->datasets, err) ||
	    !check_ids(&request->model_inputs, err) ||
	    !output_entries_check(&request->model_outputs, call->arena, &run->model_outputs, err))
		return false;
	run->model_inputs =
		(struct model_input_list){request->model_inputs.items, request->model_inputs.count};
	run->params = key_values_sorted_unique(params, call->arena);
	run->points = points;
	run->point_count = request->metrics.count;
	return true;
}

static bool run_check(struct call *call, struct error *err)
{
	struct run_request *request = call->request;
	struct import_run *run = &request->run;
	if (!validate_run_id(request->run_id, err) ||
	    !validate_experiment_id(request->experiment_id, &run->experiment_id, err) ||
	    !check_status(request->status, &run->status, err) ||
	    !import_check_lifecycle(request->lifecycle_stage, &run->is_deleted, err) ||
	    !validate_length(request->source_artifact_uri, ARTIFACT_LOCATION_LENGTH_MAX,
			     "'source_artifact_uri'", err) ||
	    !validate_length(request->digest, DIGEST_BYTES_MAX, "'digest'", err) ||
	    !check_data(call, request, err))
		return false;
	run->run_id = request->run_id;
	run->name = choose_name(request, call->arena);
	run->user_id = request->user_id;
	run->start_time_ms = import_time(request->start_time, 0);
	run->end_time_ms = import_time(request->end_time, -1);
	run->deleted_time_ms = import_time(request->deleted_time, -1);
	run->source_artifact_uri = request->source_artifact_uri;
	run->keeps_artifacts = request->keeps_artifacts.value;
	run->artifact_root = call->api->artifact_root;
	run->is_whole = request->is_whole.value;
	run->digest = slice_or_empty(request->digest);
	return true;
}

static bool run_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct run_request *request = call->request;
	struct slice *artifact_uri = ARENA_NEW(call->arena, struct slice, 1);
	call->result = artifact_uri;
	call_tell_run(call, request->run.run_id, request->run.experiment_id,
		      LIVE_CREATED | LIVE_METRICS | LIVE_PARAMS | LIVE_TAGS | LIVE_STATUS);
	return import_run_in_txn(tracker, &request->run, call->arena, artifact_uri, err);
}

static void run_encode(const struct call *call, struct json_writer *w)
{
	const struct slice *artifact_uri = call->result;
	json_object_begin(w);
	json_put_string(w, "artifact_uri", *artifact_uri);
	json_object_end(w);
}

const struct endpoint import_run = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = run_fields,
	.request_bytes = sizeof(struct run_request),
	.body_bytes_max = INPUTS_BODY_BYTES_MAX,
	.check = run_check,
	.execute = run_execute,
	.encode = run_encode,
	.summary = "Import a run or a part of it",
};
