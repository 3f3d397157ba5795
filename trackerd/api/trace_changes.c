/* Owns the endpoints that change traces: tags, links, deletion. */
#include "api/trace_changes.h"

#include "api/trace_request.h"
#include "api/validation.h"
#include "artifacts/artifact_path.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/traces.h"

/* ---- tags --------------------------------------------------------------------------------------- */

struct tag_request {
	struct slice key, value;
	struct key_value tag;
};

// clang-format off
static const struct field set_tag_fields[] = {
	FIELD_TEXT(struct tag_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct tag_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};
static const struct field delete_tag_fields[] = {
	FIELD_TEXT(struct tag_request, key, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool set_tag_check(struct call *call, struct error *err)
{
	struct tag_request *request = call->request;
	request->tag = (struct key_value){request->key, request->value};
	return validate_key_value(KEY_TAG, &request->tag, (struct value_place){0},
				  TRACE_VALUE_LENGTH_MAX, err);
}

static bool set_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct tag_request *request = call->request;
	const struct key_value_list tags = {&request->tag, 1};
	struct trace_pk pk;
	return trace_find_changed(call, tracker, call->path_arguments[0], &pk, err) &&
	       trace_tags_set_in_txn(tracker, pk, tags, call->arena, err);
}

const struct endpoint traces_set_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = set_tag_fields,
	.request_bytes = sizeof(struct tag_request),
	.check = set_tag_check,
	.execute = set_tag_execute,
	.summary = "Set a tag of a trace",
};

static bool delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct tag_request *request = call->request;
	char key_quoted[300], id_quoted[128];
	struct trace_pk pk;
	bool found, deleted = false;
	if (!trace_find_if_any(tracker, call->path_arguments[0], &pk, &found, err) ||
	    (found && !trace_tag_delete_in_txn(tracker, pk, request->key, &deleted, err)))
		return false;
	if (deleted)
		return trace_tell(call, tracker, pk, err);
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "No trace tag with key '%s' for trace with ID '%s'",
			 error_quote(request->key, key_quoted, sizeof(key_quoted)),
			 error_quote(call->path_arguments[0], id_quoted, sizeof(id_quoted)));
}

const struct endpoint traces_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_tag_fields,
	.request_bytes = sizeof(struct tag_request),
	.execute = delete_tag_execute,
	.summary = "Delete a tag of a trace",
};

/* ---- links -------------------------------------------------------------------------------------- */

struct link_run_request {
	struct text_list trace_ids;
	struct slice run_id;
};

// clang-format off
static const struct field link_run_fields[] = {
	FIELD_TEXTS(struct link_run_request, trace_ids, FIELD_REQUIRED),
	FIELD_TEXT(struct link_run_request, run_id, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool link_run_check(struct call *call, struct error *err)
{
	const struct link_run_request *request = call->request;
	if (request->trace_ids.count > TRACE_LINKS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot link more than %d traces to a run in a single request. "
				 "Provided %zu traces.",
				 TRACE_LINKS_MAX, request->trace_ids.count);
	for (size_t i = 0; i < request->trace_ids.count; i++) {
		if (!trace_check_id(request->trace_ids.items[i], err))
			return false;
	}
	return validate_run_id(request->run_id, err);
}

static bool link_run_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct link_run_request *request = call->request;
	for (size_t i = 0; i < request->trace_ids.count; i++) {
		struct slice trace_id = request->trace_ids.items[i];
		if (!trace_link_run_in_txn(tracker, trace_id, request->run_id, err) ||
		    !trace_tell_if_any(call, tracker, trace_id, err))
			return false;
	}
	return true;
}

const struct endpoint traces_link_run = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = link_run_fields,
	.request_bytes = sizeof(struct link_run_request),
	.check = link_run_check,
	.execute = link_run_execute,
	.summary = "Link traces to a run",
};

struct prompt_part {
	struct slice name, version;
};
struct link_prompts_request {
	struct slice trace_id;
	struct object_list prompt_versions;
};

// clang-format off
static const struct field prompt_fields[] = {
	FIELD_TEXT(struct prompt_part, name, FIELD_REQUIRED),
	FIELD_TEXT(struct prompt_part, version, FIELD_REQUIRED),
	FIELDS_END,
};
static const struct field link_prompts_fields[] = {
	FIELD_TEXT(struct link_prompts_request, trace_id, FIELD_REQUIRED),
	FIELD_OBJECTS(struct link_prompts_request, prompt_versions, FIELD_REQUIRED, prompt_fields, struct prompt_part),
	FIELDS_END,
};
// clang-format on

static bool link_prompts_check(struct call *call, struct error *err)
{
	const struct link_prompts_request *request = call->request;
	const struct prompt_part *prompts = request->prompt_versions.items;
	char quoted[128];
	int64_t version;
	if (request->prompt_versions.count > TRACE_LINKS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot link more than %d prompts to a trace in a single request.",
				 TRACE_LINKS_MAX);
	for (size_t i = 0; i < request->prompt_versions.count; i++) {
		if (!slice_parse_i64(prompts[i].version, &version))
			return error_set(
				err, ERR_INVALID_PARAMETER_VALUE,
				"Invalid value \"%s\" for parameter 'prompt_versions[%zu].version' "
				"supplied. Hint: expected the number of a version.",
				error_quote(prompts[i].version, quoted, sizeof(quoted)), i);
	}
	return true;
}

static bool link_prompts_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct link_prompts_request *request = call->request;
	const struct prompt_part *prompts = request->prompt_versions.items;
	struct trace_pk pk;
	if (!trace_find_changed(call, tracker, request->trace_id, &pk, err))
		return false;
	for (size_t i = 0; i < request->prompt_versions.count; i++) {
		struct slice prompt =
			arena_printf(call->arena, "%.*s/%.*s", SLICE_FMT(prompts[i].name),
				     SLICE_FMT(prompts[i].version));
		if (!trace_link_prompt_in_txn(tracker, pk, prompt, err))
			return false;
	}
	return true;
}

const struct endpoint traces_link_prompts = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = link_prompts_fields,
	.request_bytes = sizeof(struct link_prompts_request),
	.check = link_prompts_check,
	.execute = link_prompts_execute,
	.summary = "Link versions of prompts to a trace",
};

/* ---- deletion ----------------------------------------------------------------------------------- */

/* Takes some 10 ms, during which nobody else writes. */
enum { TRACE_DELETE_STEP = 100 };

struct delete_request {
	struct slice experiment_id;
	struct opt_i64 max_timestamp_millis, max_traces;
	struct text_list request_ids;
	struct trace_selection selection; /* made by check */
};

/* What the steps so far have deleted, and the one under way. */
struct delete_result {
	unsigned step;
	int64_t count_before, count;
	struct arena_mark mark; /* behind all that outlives a step */
};

// clang-format off
static const struct field delete_fields[] = {
	FIELD_TEXT(struct delete_request, experiment_id, FIELD_REQUIRED),
	FIELD_I64(struct delete_request, max_timestamp_millis, FIELD_OPTIONAL),
	FIELD_I64(struct delete_request, max_traces, FIELD_OPTIONAL),
	FIELD_TEXTS(struct delete_request, request_ids, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

/* The combinations that mean something, in MLflow's words. */
static const char *delete_problem(const struct delete_request *request)
{
	bool has_time = request->max_timestamp_millis.is_set;
	bool has_ids = request->request_ids.count > 0;
	if (!has_time && !has_ids)
		return "Either `max_timestamp_millis` or `trace_ids` must be specified.";
	if (has_time && has_ids)
		return "Only one of `max_timestamp_millis` and `trace_ids` can be specified.";
	if (has_ids && request->max_traces.is_set)
		return "`max_traces` can't be specified if `trace_ids` is specified.";
	return NULL;
}

static bool delete_check(struct call *call, struct error *err)
{
	struct delete_request *request = call->request;
	struct trace_selection *selection = &request->selection;
	const char *problem = delete_problem(request);
	if (problem != NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%s", problem);
	if (request->max_traces.is_set && request->max_traces.value <= 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "`max_traces` must be a positive integer, received %lld.",
				 (long long)request->max_traces.value);
	if (request->request_ids.count > TRACE_IDS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot delete more than %d traces by their IDs in a single "
				 "request. Provided %zu.",
				 TRACE_IDS_MAX, request->request_ids.count);
	selection->trace_ids = request->request_ids.items;
	selection->trace_id_count = request->request_ids.count;
	selection->max_time_ms = request->max_timestamp_millis.value;
	struct delete_result *result = ARENA_NEW(call->arena, struct delete_result, 1);
	result->mark = arena_mark(call->arena);
	call->result = result;
	return validate_experiment_id(request->experiment_id, &selection->experiment_id, err);
}

/* Where the experiment keeps its traces; *is_held_out false when that is not with us, or nowhere. */
static bool find_location(struct call *call, struct db *tracker, int64_t experiment_id,
			  struct slice *location_out, bool *is_held_out, struct error *err)
{
	struct experiment experiment;
	struct error reason, ignored;
	struct slice path;
	*is_held_out = false;
	if (!experiment_load(tracker, experiment_id, call->arena, &experiment, &reason)) {
		if (reason.code == ERR_RESOURCE_DOES_NOT_EXIST)
			return true;
		*err = reason;
		return false;
	}
	*location_out = experiment.artifact_location;
	*is_held_out =
		artifact_path_from_uri(experiment.artifact_location, call->arena, &path, &ignored);
	return true;
}

/* The place is computed, and not taken from the trace's tag, which anybody may set to another place. */
static bool remove_artifacts(struct call *call, struct db *tracker, struct slice location,
			     struct slice trace_id, struct error *err)
{
	struct error ignored;
	struct slice path;
	struct slice uri = trace_directory_uri(location, trace_id, call->arena);
	if (!artifact_path_from_uri(uri, call->arena, &path, &ignored) || path.len == 0)
		return true;
	return artifact_tree_remove_in_txn(tracker, path, call->arena, &call->released, err);
}

static size_t step_size(const struct delete_request *request, const struct delete_result *result)
{
	int64_t left = request->max_traces.value - result->count_before;
	if (!request->max_traces.is_set || left >= TRACE_DELETE_STEP)
		return TRACE_DELETE_STEP;
	return (size_t)left;
}

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct delete_request *request = call->request;
	struct delete_result *result = call->result;
	struct trace_ref_list traces;
	struct slice location;
	bool is_held;
	arena_rewind(call->arena, result->mark);
	if (result->step != call->step) {
		result->step = call->step;
		result->count_before = result->count;
	}
	size_t size = step_size(request, result);
	if (!traces_select(tracker, &request->selection, size, call->arena, &traces, err) ||
	    !find_location(call, tracker, request->selection.experiment_id, &location, &is_held,
			   err))
		return false;
	for (size_t i = 0; i < traces.count; i++) {
		const struct trace_ref *trace = &traces.items[i];
		if (is_held && !remove_artifacts(call, tracker, location, trace->trace_id, err))
			return false;
		if (!trace_delete_in_txn(tracker, trace, err))
			return false;
	}
	result->count = result->count_before + (int64_t)traces.count;
	if (traces.count > 0)
		call_tell_experiment(call, request->selection.experiment_id, LIVE_TRACES);
	bool is_enough = request->max_traces.is_set && result->count >= request->max_traces.value;
	call->has_more = traces.count == size && !is_enough;
	return true;
}

static void delete_encode(const struct call *call, struct json_writer *w)
{
	const struct delete_result *result = call->result;
	json_object_begin(w);
	json_put_int(w, "traces_deleted", result->count);
	json_object_end(w);
}

const struct endpoint traces_delete = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_fields,
	.request_bytes = sizeof(struct delete_request),
	.check = delete_check,
	.execute = delete_execute,
	.encode = delete_encode,
	.summary = "Delete traces by their ids or their age",
};
