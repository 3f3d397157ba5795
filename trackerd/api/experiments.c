/* Owns the endpoints that make, read, rename, delete and restore experiments. */
#include "api/experiments.h"

#include <inttypes.h>

#include "api/api.h"
#include "api/deletion_guard.h"
#include "api/entity_json.h"
#include "api/validation.h"
#include "limits.h"
#include "store/experiments.h"

static bool validate_name(struct slice name, struct error *err);
static void encode_experiment(const struct call *call, struct json_writer *w);

/* ---- create ----------------------------------------------------------------------------------- */

struct create_request {
	struct slice name, artifact_location;
	struct object_list tags;
	struct key_value_list tags_checked;
};

// clang-format off
static const struct field create_fields[] = {
	FIELD_TEXT(struct create_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct create_request, artifact_location, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct create_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool create_check(struct call *call, struct error *err)
{
	struct create_request *request = call->request;
	if (!validate_name(request->name, err))
		return false;
	if (request->artifact_location.len == 0)
		request->artifact_location = (struct slice){0};
	else if (!validate_artifact_location(request->artifact_location, call->arena,
					     &request->artifact_location, err))
		return false;
	return validate_key_values(KEY_KEPT_TAG, &request->tags, NULL,
				   EXPERIMENT_TAG_VALUE_LENGTH_MAX, &request->tags_checked, err);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct create_request *request = call->request;
	const struct experiment_new new = {
		.name = request->name,
		.artifact_location = request->artifact_location,
		.artifact_root = call->api->artifact_root,
		.now_ms = call->now_ms,
		.tags = request->tags_checked,
	};
	int64_t *experiment_id = ARENA_NEW(call->arena, int64_t, 1);
	call->result = experiment_id;
	if (!experiment_insert_in_txn(tracker, &new, call->arena, experiment_id, err))
		return false;
	call_tell_experiment(call, *experiment_id, LIVE_CREATED);
	return true;
}

static void create_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	entity_json_put_id(w, "experiment_id", *(const int64_t *)call->result);
	json_object_end(w);
}

const struct endpoint experiments_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct create_request),
	.check = create_check,
	.execute = create_execute,
	.encode = create_encode,
	.summary = "Create an experiment",
};

/* ---- requests that name one experiment -------------------------------------------------------- */

struct id_request {
	struct slice experiment_id;
	int64_t id;
};

// clang-format off
static const struct field id_fields[] = {
	FIELD_TEXT(struct id_request, experiment_id, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool id_check(struct call *call, struct error *err)
{
	struct id_request *request = call->request;
	return validate_experiment_id(request->experiment_id, &request->id, err);
}

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct id_request *request = call->request;
	struct experiment *experiment = ARENA_NEW(call->arena, struct experiment, 1);
	call->result = experiment;
	return experiment_load(tracker, request->id, call->arena, experiment, err);
}

const struct endpoint experiments_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = id_fields,
	.request_bytes = sizeof(struct id_request),
	.check = id_check,
	.execute = get_execute,
	.encode = encode_experiment,
	.summary = "Get an experiment",
};

struct delete_request {
	struct slice experiment_id;
	struct opt_bool force;
	int64_t id;
};

// clang-format off
static const struct field delete_fields[] = {
	FIELD_TEXT(struct delete_request, experiment_id, FIELD_REQUIRED),
	FIELD_BOOL(struct delete_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool delete_check(struct call *call, struct error *err)
{
	struct delete_request *request = call->request;
	return validate_experiment_id(request->experiment_id, &request->id, err);
}

/* Deletes first: an experiment that is missing, or deleted already, is to be told as such. */
static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct delete_request *request = call->request;
	const struct deletion deletion = {
		.subject = arena_printf(call->arena, "Experiment %" PRId64, request->id),
		.needed = {.kind = NEEDED_EXPERIMENT, .experiment_id = request->id},
		.force = request->force,
	};
	call_tell_experiment(call, request->id, LIVE_DELETED);
	return experiment_delete_in_txn(tracker, request->id, call->now_ms, err) &&
	       deletion_guard(call, tracker, &deletion, err);
}

const struct endpoint experiments_delete = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_fields,
	.request_bytes = sizeof(struct delete_request),
	.check = delete_check,
	.execute = delete_execute,
	.summary = "Delete an experiment and its runs",
};

static bool restore_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct id_request *request = call->request;
	call_tell_experiment(call, request->id, LIVE_RESTORED);
	return experiment_restore_in_txn(tracker, request->id, call->now_ms, err);
}

const struct endpoint experiments_restore = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = id_fields,
	.request_bytes = sizeof(struct id_request),
	.check = id_check,
	.execute = restore_execute,
	.summary = "Restore a deleted experiment and its runs",
};

/* ---- get by name ------------------------------------------------------------------------------ */

struct name_request {
	struct slice experiment_name;
};

// clang-format off
static const struct field name_fields[] = {
	FIELD_TEXT(struct name_request, experiment_name, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool get_by_name_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct name_request *request = call->request;
	struct experiment *experiment = ARENA_NEW(call->arena, struct experiment, 1);
	call->result = experiment;
	return experiment_load_by_name(tracker, request->experiment_name, call->arena, experiment,
				       err);
}

const struct endpoint experiments_get_by_name = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = name_fields,
	.request_bytes = sizeof(struct name_request),
	.execute = get_by_name_execute,
	.encode = encode_experiment,
	.summary = "Get an experiment by its name",
};

/* ---- update ----------------------------------------------------------------------------------- */

struct update_request {
	struct slice experiment_id, new_name;
	int64_t id;
};

// clang-format off
static const struct field update_fields[] = {
	FIELD_TEXT(struct update_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct update_request, new_name, FIELD_REQUIRED),
	FIELDS_END,
};
// clang-format on

static bool update_check(struct call *call, struct error *err)
{
	struct update_request *request = call->request;
	return validate_experiment_id(request->experiment_id, &request->id, err) &&
	       validate_name(request->new_name, err);
}

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct update_request *request = call->request;
	call_tell_experiment(call, request->id, LIVE_NAME);
	return experiment_rename_in_txn(tracker, request->id, request->new_name, call->now_ms, err);
}

const struct endpoint experiments_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct update_request),
	.check = update_check,
	.execute = update_execute,
	.summary = "Rename an experiment",
};

/* ---- shared ----------------------------------------------------------------------------------- */

static bool validate_name(struct slice name, struct error *err)
{
	return validate_length(name, EXPERIMENT_NAME_LENGTH_MAX, "'name'", err);
}

static void encode_experiment(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "experiment");
	entity_json_experiment(w, call->result);
	json_object_end(w);
}
