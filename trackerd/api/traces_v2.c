/* Owns the endpoints of traces of 2.x clients. */
#include "api/traces_v2.h"

#include "api/trace_json.h"
#include "api/trace_request.h"
#include "api/validation.h"
#include "base/random_id.h"
#include "store/traces.h"

static void trace_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "trace_info");
	trace_json_info_v2(w, call->result);
	json_object_end(w);
}

/* ---- start -------------------------------------------------------------------------------------- */

struct start_request {
	struct slice experiment_id;
	struct opt_i64 timestamp_ms;
	struct object_list request_metadata, tags;
	struct trace checked;
};

// clang-format off
static const struct field start_fields[] = {
	FIELD_TEXT(struct start_request, experiment_id, FIELD_OPTIONAL),
	FIELD_I64(struct start_request, timestamp_ms, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct start_request, request_metadata, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct start_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool start_check(struct call *call, struct error *err)
{
	struct start_request *request = call->request;
	char id[RANDOM_ID_HEX_LEN + 1];
	random_id_hex(id);
	request->checked = (struct trace){
		.trace_id = arena_copy(call->arena, slice_from_cstr(id)),
		.request_time_ms = request->timestamp_ms.is_set ? request->timestamp_ms.value
								: call->now_ms,
		.state = SLICE("IN_PROGRESS"),
		.metadata = trace_key_values(&request->request_metadata),
		.tags = trace_key_values(&request->tags),
	};
	return validate_experiment_id(request->experiment_id, &request->checked.experiment_id, err);
}

static bool start_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct start_request *request = call->request;
	return trace_put_result(call, tracker, &request->checked, err);
}

const struct endpoint traces_v2_start = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = start_fields,
	.request_bytes = sizeof(struct start_request),
	.check = start_check,
	.execute = start_execute,
	.encode = trace_encode,
	.summary = "Begin a trace (2.x clients)",
};

/* ---- end ---------------------------------------------------------------------------------------- */

struct end_request {
	struct opt_i64 timestamp_ms, status;
	struct object_list request_metadata, tags;
};

// clang-format off
static const struct field end_fields[] = {
	FIELD_I64(struct end_request, timestamp_ms, FIELD_OPTIONAL),
	FIELD_ENUM(struct end_request, status, FIELD_OPTIONAL, trace_states),
	FIELD_OBJECTS(struct end_request, request_metadata, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct end_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool end_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct end_request *request = call->request;
	int64_t end_ms = request->timestamp_ms.is_set ? request->timestamp_ms.value : call->now_ms;
	struct key_value_list metadata = trace_key_values(&request->request_metadata);
	struct key_value_list tags = trace_key_values(&request->tags);
	struct trace_pk pk;
	return trace_find_changed(call, tracker, call->path_arguments[0], &pk, err) &&
	       trace_end_in_txn(tracker, pk, end_ms, trace_state_name(request->status), err) &&
	       trace_metadata_set_in_txn(tracker, pk, metadata, call->arena, err) &&
	       trace_tags_set_in_txn(tracker, pk, tags, call->arena, err) &&
	       trace_load_result(call, tracker, pk, err);
}

const struct endpoint traces_v2_end = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = end_fields,
	.request_bytes = sizeof(struct end_request),
	.execute = end_execute,
	.encode = trace_encode,
	.summary = "End a trace (2.x clients)",
};

/* ---- read --------------------------------------------------------------------------------------- */

const struct endpoint traces_v2_get_info = {
	.kind = ENDPOINT_READ,
	.execute = trace_get_execute,
	.encode = trace_encode,
	.summary = "Get what is known of a trace (2.x clients)",
};

// clang-format off
static const struct field search_fields[] = {
	FIELD_TEXTS(struct trace_search_request, experiment_ids, FIELD_REQUIRED),
	FIELD_TEXT(struct trace_search_request, filter, FIELD_OPTIONAL),
	FIELD_I64(struct trace_search_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXTS(struct trace_search_request, order_by, FIELD_OPTIONAL),
	FIELD_TEXT(struct trace_search_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool search_check(struct call *call, struct error *err)
{
	const struct trace_search_request *request = call->request;
	return trace_search_check(call, request->experiment_ids.items,
				  request->experiment_ids.count, err);
}

static void search_encode(const struct call *call, struct json_writer *w)
{
	trace_page_encode(call, w, trace_json_info_v2);
}

const struct endpoint traces_v2_search = {
	.kind = ENDPOINT_READ,
	.fields_or_null = search_fields,
	.request_bytes = sizeof(struct trace_search_request),
	.check = search_check,
	.execute = trace_search_execute,
	.encode = search_encode,
	.summary = "Search traces (2.x clients)",
};
