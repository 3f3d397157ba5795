/* Owns the endpoints of the assessments of a trace. */
#include "api/assessments.h"

#include "api/assessment_request.h"
#include "api/trace_json.h"
#include "api/trace_request.h"
#include "store/assessments.h"
#include "store/key_values.h"
#include "store/traces.h"

enum { TRACE_ID_ARGUMENT, ASSESSMENT_ID_ARGUMENT };

static void assessment_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "assessment");
	trace_json_assessment(w, call->result);
	json_object_end(w);
}

/* The assessment that the path names, in call->result. */
static bool load(struct call *call, struct db *tracker, struct trace_pk *trace_pk_out,
		 struct error *err)
{
	struct assessment *assessment = ARENA_NEW(call->arena, struct assessment, 1);
	call->result = assessment;
	return assessment_load(tracker, call->path_arguments[TRACE_ID_ARGUMENT],
			       call->path_arguments[ASSESSMENT_ID_ARGUMENT], call->arena,
			       assessment, trace_pk_out, err);
}

/* ---- create ------------------------------------------------------------------------------------- */

struct create_request {
	struct assessment_request assessment;
	struct assessment checked;
};

// clang-format off
static const struct field create_fields[] = {
	FIELD_OBJECT(struct create_request, assessment, FIELD_REQUIRED, assessment_fields, struct assessment_request),
	FIELDS_END,
};
// clang-format on

static bool create_check(struct call *call, struct error *err)
{
	struct create_request *request = call->request;
	return assessment_request_whole(&request->assessment,
					call->path_arguments[TRACE_ID_ARGUMENT], call->now_ms,
					call->arena, &request->checked, err);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct create_request *request = call->request;
	struct assessment *a = &request->checked;
	struct trace_pk trace_pk;
	bool exists;
	call->result = a;
	if (!trace_find_changed(call, tracker, a->trace_id, &trace_pk, err) ||
	    !assessment_exists(tracker, a->assessment_id, &exists, err))
		return false;
	if (exists) {
		char quoted[128];
		return error_set(err, ERR_RESOURCE_ALREADY_EXISTS,
				 "Assessment with ID '%s' already exists.",
				 error_quote(a->assessment_id, quoted, sizeof(quoted)));
	}
	if (a->overrides.len > 0 &&
	    !assessment_override_in_txn(tracker, trace_pk, a->trace_id, a->overrides, err))
		return false;
	return assessment_put_in_txn(tracker, trace_pk, a, call->arena, err);
}

const struct endpoint assessments_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct create_request),
	.check = create_check,
	.execute = create_execute,
	.encode = assessment_encode,
	.summary = "Log an assessment of a trace",
};

/* ---- get, delete -------------------------------------------------------------------------------- */

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct trace_pk trace_pk;
	return load(call, tracker, &trace_pk, err);
}

const struct endpoint assessments_get = {
	.kind = ENDPOINT_READ,
	.execute = get_execute,
	.encode = assessment_encode,
	.summary = "Get an assessment of a trace",
};

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct slice trace_id = call->path_arguments[TRACE_ID_ARGUMENT];
	return trace_tell_if_any(call, tracker, trace_id, err) &&
	       assessment_delete_in_txn(tracker, trace_id,
					call->path_arguments[ASSESSMENT_ID_ARGUMENT], call->arena,
					err);
}

const struct endpoint assessments_delete = {
	.kind = ENDPOINT_WRITE,
	.execute = delete_execute,
	.summary = "Delete an assessment of a trace",
};

/* ---- update ------------------------------------------------------------------------------------- */

enum update_part {
	UPDATE_NAME = 1,
	UPDATE_EXPECTATION = 2,
	UPDATE_FEEDBACK = 4,
	UPDATE_RATIONALE = 8,
	UPDATE_METADATA = 16,
};

struct update_request {
	struct assessment_request assessment;
	struct slice update_mask; /* paths with commas between, in snake_case or lowerCamelCase */
	unsigned parts;           /* set of enum update_part */
	struct assessment value;  /* only what assessment_request_value fills */
};

// clang-format off
static const struct field update_fields[] = {
	FIELD_OBJECT(struct update_request, assessment, FIELD_REQUIRED, assessment_fields, struct assessment_request),
	FIELD_TEXT(struct update_request, update_mask, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

/* Paths that nothing is known of are passed over. */
static unsigned parts_of(struct slice mask)
{
	static const struct {
		const char *path, *camel_case;
		enum update_part part;
	} rows[] = {
		{"assessment_name", "assessmentName", UPDATE_NAME},
		{"expectation", "expectation", UPDATE_EXPECTATION},
		{"feedback", "feedback", UPDATE_FEEDBACK},
		{"rationale", "rationale", UPDATE_RATIONALE},
		{"metadata", "metadata", UPDATE_METADATA},
	};
	unsigned parts = 0;
	struct slice path;
	while (slice_next(&mask, ',', &path)) {
		for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
			if (slice_eq_cstr(path, rows[i].path) ||
			    slice_eq_cstr(path, rows[i].camel_case))
				parts |= rows[i].part;
		}
	}
	return parts;
}

static bool update_check(struct call *call, struct error *err)
{
	struct update_request *request = call->request;
	request->parts = parts_of(request->update_mask);
	unsigned of_value = request->parts & (UPDATE_EXPECTATION | UPDATE_FEEDBACK);
	if (of_value == (UPDATE_EXPECTATION | UPDATE_FEEDBACK))
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"Cannot specify both `expectation` and `feedback` parameters.");
	if (of_value == 0)
		return true;
	if (!assessment_request_value(&request->assessment, &request->value, err))
		return false;
	bool is_feedback = request->value.kind == ASSESSMENT_FEEDBACK;
	if (is_feedback == ((request->parts & UPDATE_FEEDBACK) != 0))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "The update mask names another value than the one that is given.");
}

static bool update_value(const struct update_request *request, struct assessment *a,
			 struct error *err)
{
	const struct assessment *value = &request->value;
	if ((request->parts & UPDATE_EXPECTATION) != 0 && a->kind != ASSESSMENT_EXPECTATION)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot update expectation value on a Feedback assessment.");
	if ((request->parts & UPDATE_FEEDBACK) != 0 && a->kind != ASSESSMENT_FEEDBACK)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot update feedback value on an Expectation assessment.");
	if ((request->parts & (UPDATE_EXPECTATION | UPDATE_FEEDBACK)) != 0) {
		a->value = value->value;
		a->is_serialized = value->is_serialized;
		a->has_error = value->has_error;
		a->error = value->error;
	}
	return true;
}

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct update_request *request = call->request;
	const struct assessment_request *given = &request->assessment;
	struct trace_pk trace_pk;
	if (!load(call, tracker, &trace_pk, err))
		return false;
	struct assessment *a = call->result;
	if (!update_value(request, a, err))
		return false;
	if ((request->parts & UPDATE_NAME) != 0)
		a->name = given->assessment_name.len > 0 ? given->assessment_name : a->name;
	if ((request->parts & UPDATE_RATIONALE) != 0)
		a->rationale = given->rationale;
	if ((request->parts & UPDATE_METADATA) != 0)
		a->metadata =
			(struct key_value_list){given->metadata.items, given->metadata.count};
	a->last_update_time_ms = call->now_ms;
	return trace_tell(call, tracker, trace_pk, err) &&
	       assessment_put_in_txn(tracker, trace_pk, a, call->arena, err) &&
	       load(call, tracker, &trace_pk, err);
}

const struct endpoint assessments_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct update_request),
	.check = update_check,
	.execute = update_execute,
	.encode = assessment_encode,
	.summary = "Change parts of an assessment",
};
