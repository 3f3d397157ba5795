/* Owns the endpoints that set and delete tags of runs and experiments. */
#include "api/tags.h"

#include <inttypes.h>

#include "api/validation.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/runs.h"
#include "store/tags.h"

enum { KEY_QUOTED_BYTES_MAX = 300 };

/* ---- runs ------------------------------------------------------------------------------------- */

struct run_tag_request {
	struct slice run_id, key, value;
	struct key_value tag;
};

// clang-format off
static const struct field run_tag_fields[] = {
	FIELD_TEXT(struct run_tag_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct run_tag_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct run_tag_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field run_tag_delete_fields[] = {
	FIELD_TEXT(struct run_tag_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct run_tag_request, key, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool run_tag_check(struct call *call, struct error *err)
{
	struct run_tag_request *request = call->request;
	request->tag = (struct key_value){request->key, request->value};
	return validate_key_value(KEY_TAG, &request->tag, (struct value_place){0},
				  RUN_TAG_VALUE_LENGTH_MAX, err);
}

static bool run_set_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct run_tag_request *request = call->request;
	const struct key_value_list tags = {&request->tag, 1};
	struct run_ref ref;
	return call_change_run(call, tracker, request->run_id, LIVE_TAGS, &ref, err) &&
	       run_tags_set_in_txn(tracker, ref.pk, tags, call->arena, err);
}

const struct endpoint runs_set_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = run_tag_fields,
	.request_bytes = sizeof(struct run_tag_request),
	.check = run_tag_check,
	.execute = run_set_tag_execute,
	.summary = "Set a tag of a run",
};

static bool run_delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct run_tag_request *request = call->request;
	struct run_ref ref;
	bool deleted = false;
	if (!call_change_run(call, tracker, request->run_id, LIVE_TAGS, &ref, err) ||
	    !run_tag_delete_in_txn(tracker, ref.pk, request->key, &deleted, err))
		return false;
	if (deleted)
		return true;
	char quoted[KEY_QUOTED_BYTES_MAX];
	return error_set(
		err, ERR_RESOURCE_DOES_NOT_EXIST, "No tag with name: %s in run with id %.*s",
		error_quote(request->key, quoted, sizeof(quoted)), SLICE_FMT(request->run_id));
}

const struct endpoint runs_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = run_tag_delete_fields,
	.request_bytes = sizeof(struct run_tag_request),
	.execute = run_delete_tag_execute,
	.summary = "Delete a tag of a run",
};

/* ---- experiments ------------------------------------------------------------------------------ */

struct experiment_tag_request {
	struct slice experiment_id, key, value;
	int64_t id;
	struct key_value tag;
};

// clang-format off
static const struct field experiment_tag_fields[] = {
	FIELD_TEXT(struct experiment_tag_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct experiment_tag_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct experiment_tag_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field experiment_tag_delete_fields[] = {
	FIELD_TEXT(struct experiment_tag_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct experiment_tag_request, key, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool experiment_tag_check(struct call *call, struct error *err)
{
	struct experiment_tag_request *request = call->request;
	request->tag = (struct key_value){request->key, request->value};
	return validate_experiment_id(request->experiment_id, &request->id, err) &&
	       validate_key_value(KEY_KEPT_TAG, &request->tag, (struct value_place){0},
				  EXPERIMENT_TAG_VALUE_LENGTH_MAX, err);
}

static bool experiment_set_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct experiment_tag_request *request = call->request;
	const struct key_value_list tags = {&request->tag, 1};
	call_tell_experiment(call, request->id, LIVE_TAGS);
	return experiment_check_active(tracker, request->id, call->arena, NULL, err) &&
	       experiment_tags_set_in_txn(tracker, request->id, tags, call->arena, err);
}

const struct endpoint experiments_set_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = experiment_tag_fields,
	.request_bytes = sizeof(struct experiment_tag_request),
	.check = experiment_tag_check,
	.execute = experiment_set_tag_execute,
	.summary = "Set a tag of an experiment",
};

static bool experiment_delete_tag_check(struct call *call, struct error *err)
{
	struct experiment_tag_request *request = call->request;
	return validate_experiment_id(request->experiment_id, &request->id, err);
}

static bool experiment_delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct experiment_tag_request *request = call->request;
	bool deleted = false;
	call_tell_experiment(call, request->id, LIVE_TAGS);
	if (!experiment_check_active(tracker, request->id, call->arena, NULL, err) ||
	    !experiment_tag_delete_in_txn(tracker, request->id, request->key, &deleted, err))
		return false;
	if (deleted)
		return true;
	char quoted[KEY_QUOTED_BYTES_MAX];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "No tag with name: %s in experiment with id %" PRId64,
			 error_quote(request->key, quoted, sizeof(quoted)), request->id);
}

const struct endpoint experiments_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = experiment_tag_delete_fields,
	.request_bytes = sizeof(struct experiment_tag_request),
	.check = experiment_delete_tag_check,
	.execute = experiment_delete_tag_execute,
	.summary = "Delete a tag of an experiment",
};
