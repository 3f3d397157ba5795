/* Owns the JSON shapes of traces and assessments. */
#include "api/trace_json.h"

#include "api/entity_json.h"
#include "base/proto_time.h"

static void put_timestamp(struct json_writer *w, const char *key, int64_t ms)
{
	char text[PROTO_TIME_BYTES_MAX];
	proto_timestamp_format(ms, text);
	json_put_cstr(w, key, text);
}

/* {"key": "value", …}; nothing when the list is empty. */
static void put_map(struct json_writer *w, const char *name, const struct key_value_list *list)
{
	if (list->count == 0)
		return;
	json_key(w, name);
	json_object_begin(w);
	for (size_t i = 0; i < list->count; i++) {
		json_key_slice(w, list->items[i].key);
		json_string(w, list->items[i].value);
	}
	json_object_end(w);
}

static void put_location(struct json_writer *w, int64_t experiment_id)
{
	json_key(w, "trace_location");
	json_object_begin(w);
	json_put_cstr(w, "type", "MLFLOW_EXPERIMENT");
	json_key(w, "mlflow_experiment");
	json_object_begin(w);
	entity_json_put_id(w, "experiment_id", experiment_id);
	json_object_end(w);
	json_object_end(w);
}

void trace_json_info(struct json_writer *w, const struct trace *trace)
{
	json_object_begin(w);
	json_put_string(w, "trace_id", trace->trace_id);
	json_put_string(w, "client_request_id", trace->client_request_id);
	put_location(w, trace->experiment_id);
	json_put_string(w, "request_preview", trace->request_preview);
	json_put_string(w, "response_preview", trace->response_preview);
	put_timestamp(w, "request_time", trace->request_time_ms);
	if (trace->has_execution_time) {
		char text[PROTO_TIME_BYTES_MAX];
		proto_duration_format(trace->execution_time_ms, text);
		json_put_cstr(w, "execution_duration", text);
	}
	json_put_string(w, "state", trace->state);
	put_map(w, "trace_metadata", &trace->metadata);
	if (trace->assessments.count > 0) {
		json_key(w, "assessments");
		json_array_begin(w);
		for (size_t i = 0; i < trace->assessments.count; i++)
			trace_json_assessment(w, &trace->assessments.items[i]);
		json_array_end(w);
	}
	put_map(w, "tags", &trace->tags);
	json_object_end(w);
}

void trace_json_info_v2(struct json_writer *w, const struct trace *trace)
{
	bool has_state = !slice_eq_cstr(trace->state, "STATE_UNSPECIFIED");
	json_object_begin(w);
	json_put_string(w, "request_id", trace->trace_id);
	entity_json_put_id(w, "experiment_id", trace->experiment_id);
	json_put_int(w, "timestamp_ms", trace->request_time_ms);
	json_put_int(w, "execution_time_ms",
		     trace->has_execution_time ? trace->execution_time_ms : 0);
	json_put_string(w, "status", has_state ? trace->state : SLICE("TRACE_STATUS_UNSPECIFIED"));
	entity_json_key_values(w, "request_metadata", &trace->metadata);
	entity_json_key_values(w, "tags", &trace->tags);
	json_object_end(w);
}

/* ---- assessments -------------------------------------------------------------------------------- */

static void put_feedback(struct json_writer *w, const struct assessment *a)
{
	json_key(w, "feedback");
	json_object_begin(w);
	json_key(w, "value");
	json_raw(w, a->value);
	if (a->has_error) {
		json_key(w, "error");
		json_object_begin(w);
		json_put_string(w, "error_code", a->error.error_code);
		json_put_string(w, "error_message", a->error.error_message);
		json_put_string(w, "stack_trace", a->error.stack_trace);
		json_object_end(w);
	}
	json_object_end(w);
}

static void put_expectation(struct json_writer *w, const struct assessment *a)
{
	json_key(w, "expectation");
	json_object_begin(w);
	if (a->is_serialized) {
		json_key(w, "serialized_value");
		json_object_begin(w);
		json_put_cstr(w, "serialization_format", "JSON_FORMAT");
		json_put_string(w, "value", a->value);
		json_object_end(w);
	} else {
		json_key(w, "value");
		json_raw(w, a->value);
	}
	json_object_end(w);
}

static void put_issue(struct json_writer *w, const struct assessment *a)
{
	json_key(w, "issue");
	json_object_begin(w);
	json_put_string(w, "issue_name", a->value);
	json_object_end(w);
}

static void put_source(struct json_writer *w, const struct assessment *a)
{
	json_key(w, "source");
	json_object_begin(w);
	json_put_string(w, "source_type", a->source_type);
	json_put_string(w, "source_id", a->source_id);
	json_object_end(w);
}

void trace_json_assessment(struct json_writer *w, const struct assessment *a)
{
	static void (*const put_value[])(struct json_writer *w, const struct assessment *a) = {
		[ASSESSMENT_FEEDBACK] = put_feedback,
		[ASSESSMENT_EXPECTATION] = put_expectation,
		[ASSESSMENT_ISSUE] = put_issue,
	};
	json_object_begin(w);
	json_put_string(w, "assessment_id", a->assessment_id);
	json_put_string(w, "assessment_name", a->name);
	json_put_string(w, "trace_id", a->trace_id);
	json_put_string(w, "span_id", a->span_id);
	put_source(w, a);
	put_timestamp(w, "create_time", a->create_time_ms);
	put_timestamp(w, "last_update_time", a->last_update_time_ms);
	put_value[a->kind](w, a);
	json_put_string(w, "rationale", a->rationale);
	put_map(w, "metadata", &a->metadata);
	json_put_string(w, "overrides", a->overrides);
	json_put_bool(w, "valid", a->is_valid);
	json_object_end(w);
}
