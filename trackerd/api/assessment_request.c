/* Owns the decoding of assessments and of the times in requests about traces. */
#include "api/assessment_request.h"

#include "base/proto_time.h"
#include "base/random_id.h"
#include "store/key_values.h"

static const struct field_enum source_types[] = {
	{"SOURCE_TYPE_UNSPECIFIED", 0}, {"HUMAN", 1}, {"LLM_JUDGE", 2}, {"CODE", 3}, {NULL, 0},
};

// clang-format off
static const struct field source_fields[] = {
	FIELD_ENUM(struct assessment_source_part, source_type, FIELD_OPTIONAL, source_types),
	FIELD_TEXT(struct assessment_source_part, source_id, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field error_fields[] = {
	FIELD_TEXT(struct assessment_error, error_code, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_error, error_message, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_error, stack_trace, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field feedback_fields[] = {
	FIELD_RAW(struct feedback_part, value, FIELD_OPTIONAL),
	FIELD_OBJECT(struct feedback_part, error, FIELD_OPTIONAL, error_fields, struct assessment_error),
	FIELDS_END,
};

static const struct field serialized_fields[] = {
	FIELD_TEXT(struct serialized_part, serialization_format, FIELD_OPTIONAL),
	FIELD_TEXT(struct serialized_part, value, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field expectation_fields[] = {
	FIELD_RAW(struct expectation_part, value, FIELD_OPTIONAL),
	FIELD_OBJECT(struct expectation_part, serialized_value, FIELD_OPTIONAL, serialized_fields, struct serialized_part),
	FIELDS_END,
};

static const struct field issue_fields[] = {
	FIELD_TEXT(struct issue_part, issue_name, FIELD_OPTIONAL),
	FIELDS_END,
};

const struct field assessment_fields[] = {
	FIELD_TEXT(struct assessment_request, assessment_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_request, assessment_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_request, span_id, FIELD_OPTIONAL),
	FIELD_OBJECT(struct assessment_request, source, FIELD_OPTIONAL, source_fields, struct assessment_source_part),
	FIELD_TEXT(struct assessment_request, create_time, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_request, last_update_time, FIELD_OPTIONAL),
	{"feedback", FIELD_TYPE_RAW, FIELD_OPTIONAL, offsetof(struct assessment_request, feedback_json), NULL, 0, NULL, NULL},
	FIELD_OBJECT(struct assessment_request, feedback, FIELD_OPTIONAL, feedback_fields, struct feedback_part),
	FIELD_OBJECT(struct assessment_request, expectation, FIELD_OPTIONAL, expectation_fields, struct expectation_part),
	FIELD_OBJECT(struct assessment_request, issue, FIELD_OPTIONAL, issue_fields, struct issue_part),
	FIELD_TEXT(struct assessment_request, rationale, FIELD_OPTIONAL),
	FIELD_MAP(struct assessment_request, metadata, FIELD_OPTIONAL),
	FIELD_TEXT(struct assessment_request, overrides, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static void set_feedback(const struct feedback_part *feedback, struct assessment *out)
{
	const struct assessment_error *error = &feedback->error;
	out->kind = ASSESSMENT_FEEDBACK;
	out->value = slice_is_present(feedback->value) ? feedback->value : SLICE("null");
	out->is_serialized = false;
	out->has_error = slice_is_present(error->error_code) ||
			 slice_is_present(error->error_message) ||
			 slice_is_present(error->stack_trace);
	out->error = *error;
}

static bool set_expectation(const struct expectation_part *expectation, struct assessment *out,
			    struct error *err)
{
	const struct serialized_part *serialized = &expectation->serialized_value;
	char quoted[128];
	out->kind = ASSESSMENT_EXPECTATION;
	out->is_serialized = !slice_is_present(expectation->value);
	out->value = out->is_serialized ? serialized->value : expectation->value;
	if (!out->is_serialized || slice_eq_cstr(serialized->serialization_format, "JSON_FORMAT"))
		return true;
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Unknown serialization format: %s. Only JSON_FORMAT is supported.",
		error_quote(serialized->serialization_format, quoted, sizeof(quoted)));
}

bool assessment_request_value(const struct assessment_request *request, struct assessment *out,
			      struct error *err)
{
	const struct expectation_part *expectation = &request->expectation;
	bool is_feedback = slice_is_present(request->feedback_json);
	bool is_expectation = slice_is_present(expectation->value) ||
			      slice_is_present(expectation->serialized_value.value);
	bool is_issue = slice_is_present(request->issue.issue_name);
	if (is_feedback + is_expectation + is_issue != 1)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Exactly one of `expectation`, `feedback`, or `issue` should be "
				 "specified.");
	if (is_expectation)
		return set_expectation(expectation, out, err);
	if (is_feedback) {
		set_feedback(&request->feedback, out);
	} else {
		out->kind = ASSESSMENT_ISSUE;
		out->value = request->issue.issue_name;
	}
	return true;
}

static struct slice source_type_name(struct opt_i64 type)
{
	for (const struct field_enum *e = source_types; type.is_set && e->name != NULL; e++) {
		if (e->number == type.value)
			return slice_from_cstr(e->name);
	}
	return slice_from_cstr(source_types[0].name);
}

bool assessment_request_whole(const struct assessment_request *request, struct slice trace_id,
			      int64_t now_ms, struct arena *arena, struct assessment *out,
			      struct error *err)
{
	const struct key_value_list metadata = {request->metadata.items, request->metadata.count};
	struct assessment a = {
		.assessment_id = request->assessment_id,
		.trace_id = trace_id,
		.name = request->assessment_name,
		.source_type = source_type_name(request->source.source_type),
		.source_id = request->source.source_id,
		.span_id = request->span_id,
		.rationale = request->rationale,
		.overrides = request->overrides,
		.metadata = key_values_sorted_unique(metadata, arena),
		.is_valid = true,
		.create_time_ms = now_ms,
		.last_update_time_ms = now_ms,
	};
	if (a.name.len == 0)
		return fields_error_missing(err, "assessment.assessment_name");
	if (a.assessment_id.len == 0) {
		char id[RANDOM_ID_HEX_LEN + 1];
		random_id_hex(id);
		a.assessment_id = arena_printf(arena, "a-%s", id);
	}
	if (!assessment_request_value(request, &a, err) ||
	    !trace_request_time(request->create_time, "create_time", &a.create_time_ms, err) ||
	    !trace_request_time(request->last_update_time, "last_update_time",
				&a.last_update_time_ms, err))
		return false;
	*out = a;
	return true;
}

bool trace_request_time(struct slice text, const char *name, int64_t *ms_out, struct error *err)
{
	char quoted[128];
	if (!slice_is_present(text) || proto_timestamp_parse(text, ms_out))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value \"%s\" for parameter '%s' supplied. Hint: expected a time "
			 "such as 2026-03-01T12:00:00.123Z.",
			 error_quote(text, quoted, sizeof(quoted)), name);
}
