/* Owns the endpoints of traces, version 3: start, read, search. */
#include "api/traces.h"

#include "api/assessment_request.h"
#include "api/trace_json.h"
#include "api/trace_request.h"
#include "api/validation.h"
#include "base/proto_time.h"

/* ---- a place for traces ------------------------------------------------------------------------- */

struct experiment_part {
	struct slice experiment_id;
};
struct location_part {
	struct opt_i64 type;
	struct experiment_part mlflow_experiment;
};

static const struct field_enum location_types[] = {
	{"TRACE_LOCATION_TYPE_UNSPECIFIED", 0},
	{"MLFLOW_EXPERIMENT", 1},
	{"INFERENCE_TABLE", 2},
	{NULL, 0},
};

// clang-format off
static const struct field experiment_fields[] = {
	FIELD_TEXT(struct experiment_part, experiment_id, FIELD_OPTIONAL),
	FIELDS_END,
};
static const struct field location_fields[] = {
	FIELD_ENUM(struct location_part, type, FIELD_OPTIONAL, location_types),
	FIELD_OBJECT(struct location_part, mlflow_experiment, FIELD_OPTIONAL, experiment_fields, struct experiment_part),
	FIELDS_END,
};
// clang-format on

static void trace_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "trace");
	json_object_begin(w);
	json_key(w, "trace_info");
	trace_json_info(w, call->result);
	json_object_end(w);
	json_object_end(w);
}

/* ---- start -------------------------------------------------------------------------------------- */

struct info_part {
	struct slice trace_id, client_request_id, request_preview, response_preview;
	struct location_part trace_location;
	struct slice request_time, execution_duration;
	struct opt_i64 state;
	struct object_list trace_metadata, tags, assessments;
};
struct trace_part {
	struct info_part trace_info;
};
struct start_request {
	struct trace_part trace;
	struct trace checked;
};

// clang-format off
static const struct field info_fields[] = {
	FIELD_TEXT(struct info_part, trace_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct info_part, client_request_id, FIELD_OPTIONAL),
	FIELD_OBJECT(struct info_part, trace_location, FIELD_OPTIONAL, location_fields, struct location_part),
	FIELD_TEXT(struct info_part, request_preview, FIELD_OPTIONAL),
	FIELD_TEXT(struct info_part, response_preview, FIELD_OPTIONAL),
	FIELD_TEXT(struct info_part, request_time, FIELD_OPTIONAL),
	FIELD_TEXT(struct info_part, execution_duration, FIELD_OPTIONAL),
	FIELD_ENUM(struct info_part, state, FIELD_OPTIONAL, trace_states),
	FIELD_MAP(struct info_part, trace_metadata, FIELD_OPTIONAL),
	FIELD_MAP(struct info_part, tags, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct info_part, assessments, FIELD_OPTIONAL, assessment_fields, struct assessment_request),
	FIELDS_END,
};
static const struct field trace_fields[] = {
	FIELD_OBJECT(struct trace_part, trace_info, FIELD_OPTIONAL, info_fields, struct info_part),
	FIELDS_END,
};
static const struct field start_fields[] = {
	FIELD_OBJECT(struct start_request, trace, FIELD_REQUIRED, trace_fields, struct trace_part),
	FIELDS_END,
};
// clang-format on

static bool check_duration(struct slice text, struct trace *trace, struct error *err)
{
	char quoted[128];
	trace->has_execution_time = slice_is_present(text);
	if (!trace->has_execution_time || proto_duration_parse(text, &trace->execution_time_ms))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value \"%s\" for parameter 'trace.trace_info.execution_duration' "
			 "supplied. Hint: expected a duration such as 1.5s.",
			 error_quote(text, quoted, sizeof(quoted)));
}

static bool check_assessments(const struct call *call, const struct object_list *given,
			      struct trace *trace, struct error *err)
{
	const struct assessment_request *requests = given->items;
	struct assessment *items = ARENA_NEW(call->arena, struct assessment, given->count);
	for (size_t i = 0; i < given->count; i++) {
		if (!assessment_request_whole(&requests[i], trace->trace_id, call->now_ms,
					      call->arena, &items[i], err))
			return false;
	}
	trace->assessments = (struct assessment_list){items, given->count};
	return true;
}

static bool start_check(struct call *call, struct error *err)
{
	struct start_request *request = call->request;
	const struct info_part *info = &request->trace.trace_info;
	struct trace *trace = &request->checked;
	if (info->trace_id.len == 0)
		return fields_error_missing(err, "trace");
	*trace = (struct trace){
		.trace_id = info->trace_id,
		.request_time_ms = call->now_ms,
		.state = trace_state_name(info->state),
		.client_request_id = info->client_request_id,
		.request_preview = info->request_preview,
		.response_preview = info->response_preview,
		.metadata = trace_key_values(&info->trace_metadata),
		.tags = trace_key_values(&info->tags),
	};
	return trace_check_id(trace->trace_id, err) &&
	       validate_experiment_id(info->trace_location.mlflow_experiment.experiment_id,
				      &trace->experiment_id, err) &&
	       trace_request_time(info->request_time, "trace.trace_info.request_time",
				  &trace->request_time_ms, err) &&
	       check_duration(info->execution_duration, trace, err) &&
	       check_assessments(call, &info->assessments, trace, err);
}

static bool start_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct start_request *request = call->request;
	return trace_put_result(call, tracker, &request->checked, err);
}

const struct endpoint traces_start = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = start_fields,
	.request_bytes = sizeof(struct start_request),
	.check = start_check,
	.execute = start_execute,
	.encode = trace_encode,
	.summary = "Store a trace",
};

/* ---- read --------------------------------------------------------------------------------------- */

const struct endpoint traces_get_info = {
	.kind = ENDPOINT_READ,
	.execute = trace_get_execute,
	.encode = trace_encode,
	.summary = "Get what is known of a trace",
};

static bool infos_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct trace_list *list = ARENA_NEW(call->arena, struct trace_list, 1);
	call->result = list;
	return trace_infos_load(call, tracker, list, err);
}

static void infos_encode(const struct call *call, struct json_writer *w)
{
	const struct trace_list *list = call->result;
	json_object_begin(w);
	if (list->count > 0) {
		json_key(w, "trace_infos");
		json_array_begin(w);
		for (size_t i = 0; i < list->count; i++)
			trace_json_info(w, &list->items[i]);
		json_array_end(w);
	}
	json_object_end(w);
}

const struct endpoint traces_get_infos = {
	.kind = ENDPOINT_READ,
	.fields_or_null = trace_infos_fields,
	.request_bytes = sizeof(struct trace_infos_request),
	.check = trace_infos_check,
	.execute = infos_execute,
	.encode = infos_encode,
	.summary = "Get what is known of several traces",
};

/* ---- search ------------------------------------------------------------------------------------- */

// clang-format off
static const struct field search_fields[] = {
	FIELD_OBJECTS(struct trace_search_request, locations, FIELD_REQUIRED, location_fields, struct location_part),
	FIELD_TEXT(struct trace_search_request, filter, FIELD_OPTIONAL),
	FIELD_I64(struct trace_search_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXTS(struct trace_search_request, order_by, FIELD_OPTIONAL),
	FIELD_TEXT(struct trace_search_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

/* Places that are no experiment hold no traces here. */
static bool search_check(struct call *call, struct error *err)
{
	const struct trace_search_request *request = call->request;
	const struct location_part *locations = request->locations.items;
	struct slice *ids = ARENA_NEW(call->arena, struct slice, request->locations.count);
	size_t count = 0;
	for (size_t i = 0; i < request->locations.count; i++) {
		struct slice id = locations[i].mlflow_experiment.experiment_id;
		if (slice_is_present(id))
			ids[count++] = id;
	}
	return trace_search_check(call, ids, count, err);
}

static void search_encode(const struct call *call, struct json_writer *w)
{
	trace_page_encode(call, w, trace_json_info);
}

const struct endpoint traces_search = {
	.kind = ENDPOINT_READ,
	.fields_or_null = search_fields,
	.request_bytes = sizeof(struct trace_search_request),
	.check = search_check,
	.execute = trace_search_execute,
	.encode = search_encode,
	.summary = "Search traces",
};
