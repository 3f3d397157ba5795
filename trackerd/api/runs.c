/* Owns the endpoints of a run's life: create, get, update, delete, restore. */
#include "api/runs.h"

#include <inttypes.h>

#include "api/deletion_guard.h"
#include "api/entity_json.h"
#include "api/validation.h"
#include "base/random_id.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/key_values.h"
#include "store/run_models.h"
#include "store/runs.h"
#include "store/runs_load.h"
#include "store/tags.h"

static bool load_run(struct call *call, struct db *tracker, struct run_pk run_pk,
		     struct error *err);
static void encode_run(const struct call *call, struct json_writer *w);

/* ---- create ----------------------------------------------------------------------------------- */

struct create_request {
	struct slice experiment_id, user_id, run_name, run_id;
	struct opt_i64 start_time;
	struct object_list tags;
	/* Made by check, so that executing twice makes the same run. */
	int64_t experiment;
	bool has_run_id; /* the client's own: creating again answers the run that is there */
	struct key_value_list tags_checked;
};

// clang-format off
static const struct field create_fields[] = {
	FIELD_TEXT(struct create_request, experiment_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct create_request, user_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct create_request, run_name, FIELD_OPTIONAL),
	FIELD_I64(struct create_request, start_time, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct create_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_TEXT(struct create_request, run_id, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool choose_run_id(struct create_request *request, struct arena *arena, struct error *err)
{
	request->has_run_id = request->run_id.len > 0;
	if (!request->has_run_id) {
		char run_id[RANDOM_ID_HEX_LEN + 1];
		random_id_hex(run_id);
		request->run_id = arena_copy(arena, slice_from_cstr(run_id));
		return true;
	}
	bool is_valid = request->run_id.len == RANDOM_ID_HEX_LEN;
	for (size_t i = 0; is_valid && i < request->run_id.len; i++) {
		char c = request->run_id.ptr[i];
		is_valid = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
	}
	if (is_valid)
		return true;
	char quoted[128];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid run ID: '%s'. A run ID made by a client is 32 lower-case "
			 "hexadecimal digits.",
			 error_quote(request->run_id, quoted, sizeof(quoted)));
}

/* The name is the field or the tag, which must agree, or else a random one. */
static bool choose_name(struct create_request *request, struct arena *arena, struct error *err)
{
	const struct key_value *tag = key_values_find(request->tags_checked, RUN_NAME_TAG);
	struct slice tag_name = tag == NULL ? SLICE("") : tag->value;
	struct slice name = slice_utf8_first(request->run_name, RUN_TAG_VALUE_LENGTH_MAX);
	if (name.len > 0 && tag_name.len > 0 && !slice_eq(name, tag_name)) {
		char name_quoted[200], tag_quoted[200];
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with"
			" different values (run_name='%s', mlflow.runName='%s').",
			error_quote(name, name_quoted, sizeof(name_quoted)),
			error_quote(tag_name, tag_quoted, sizeof(tag_quoted)));
	}
	if (name.len == 0)
		name = tag_name;
	if (name.len == 0) {
		char random_name[64];
		random_run_name(random_name);
		name = arena_copy(arena, slice_from_cstr(random_name));
	}
	request->run_name = name;
	return true;
}

static bool create_check(struct call *call, struct error *err)
{
	struct create_request *request = call->request;
	if (request->experiment_id.len > 0 &&
	    !validate_experiment_id(request->experiment_id, &request->experiment, err))
		return false;
	/* 0 means "not known" on the wire. */
	if (!request->start_time.is_set || request->start_time.value == 0)
		request->start_time.value = call->now_ms;
	return choose_run_id(request, call->arena, err) &&
	       validate_key_values(KEY_FREE_TAG, &request->tags, "tags", SIZE_MAX,
				   &request->tags_checked, err) &&
	       choose_name(request, call->arena, err);
}

static bool insert_run(struct call *call, struct db *tracker, struct run_pk *out, struct error *err)
{
	const struct create_request *request = call->request;
	struct run_new new = {
		.run_id = request->run_id,
		.experiment_id = request->experiment,
		.name = request->run_name,
		.user_id = request->user_id,
		.start_time_ms = request->start_time.value,
		.tags = request->tags_checked,
	};
	return experiment_check_active(tracker, request->experiment, call->arena,
				       &new.experiment_location, err) &&
	       run_insert_in_txn(tracker, &new, call->arena, out, err);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct create_request *request = call->request;
	struct run_ref ref;
	bool found = false;
	if (request->has_run_id && !run_find_if_any(tracker, request->run_id, &ref, &found, err))
		return false;
	if (found && ref.experiment_id != request->experiment) {
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"The run %.*s exists in experiment %" PRId64 ", not in %" PRId64 ".",
			SLICE_FMT(request->run_id), ref.experiment_id, request->experiment);
	}
	if (!found && !insert_run(call, tracker, &ref.pk, err))
		return false;
	if (!found)
		call_tell_run(call, request->run_id, request->experiment, LIVE_CREATED);
	return load_run(call, tracker, ref.pk, err);
}

const struct endpoint runs_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct create_request),
	.check = create_check,
	.execute = create_execute,
	.encode = encode_run,
	.summary = "Create a run",
};

/* ---- requests that name one run --------------------------------------------------------------- */

struct id_request {
	struct slice run_id;
};

// clang-format off
static const struct field id_fields[] = {
	FIELD_TEXT(struct id_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELDS_END,
};
// clang-format on

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct id_request *request = call->request;
	struct run_ref ref;
	return run_find(tracker, request->run_id, &ref, err) &&
	       load_run(call, tracker, ref.pk, err);
}

const struct endpoint runs_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = id_fields,
	.request_bytes = sizeof(struct id_request),
	.execute = get_execute,
	.encode = encode_run,
	.summary = "Get a run",
};

struct delete_request {
	struct slice run_id;
	struct opt_bool force;
};

// clang-format off
static const struct field delete_fields[] = {
	FIELD_TEXT(struct delete_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_BOOL(struct delete_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct delete_request *request = call->request;
	const struct deletion deletion = {
		.subject = arena_concat(call->arena, SLICE("Run "), request->run_id),
		.needed = {.kind = NEEDED_RUN, .id_or_path = request->run_id},
		.force = request->force,
	};
	struct run_ref ref;
	if (!run_find(tracker, request->run_id, &ref, err) ||
	    (!ref.is_deleted && !deletion_guard(call, tracker, &deletion, err)))
		return false;
	call_tell_run(call, request->run_id, ref.experiment_id, LIVE_DELETED);
	return run_delete_in_txn(tracker, ref.pk, call->now_ms, err);
}

const struct endpoint runs_delete = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_fields,
	.request_bytes = sizeof(struct delete_request),
	.execute = delete_execute,
	.summary = "Delete a run",
};

static bool restore_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct id_request *request = call->request;
	struct run_ref ref;
	if (!run_find(tracker, request->run_id, &ref, err))
		return false;
	call_tell_run(call, request->run_id, ref.experiment_id, LIVE_RESTORED);
	return run_restore_in_txn(tracker, ref.pk, err);
}

const struct endpoint runs_restore = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = id_fields,
	.request_bytes = sizeof(struct id_request),
	.execute = restore_execute,
	.summary = "Restore a deleted run",
};

/* ---- update ----------------------------------------------------------------------------------- */

struct update_request {
	struct slice run_id, run_name;
	struct opt_i64 status, end_time;
};

enum run_status { RUN_RUNNING = 1, RUN_SCHEDULED, RUN_FINISHED, RUN_FAILED, RUN_KILLED };

// clang-format off
static const struct field_enum run_statuses[] = {
	{"RUNNING", RUN_RUNNING},
	{"SCHEDULED", RUN_SCHEDULED},
	{"FINISHED", RUN_FINISHED},
	{"FAILED", RUN_FAILED},
	{"KILLED", RUN_KILLED},
	{NULL, 0},
};

static const struct field update_fields[] = {
	FIELD_TEXT(struct update_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_ENUM(struct update_request, status, FIELD_OPTIONAL, run_statuses),
	FIELD_I64(struct update_request, end_time, FIELD_OPTIONAL),
	FIELD_TEXT(struct update_request, run_name, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static struct slice status_name(struct opt_i64 status)
{
	for (const struct field_enum *e = run_statuses; status.is_set && e->name != NULL; e++) {
		if (e->number == status.value)
			return slice_from_cstr(e->name);
	}
	return (struct slice){0};
}

static void tell_update(struct call *call, int64_t experiment_id, const struct run_changes *changes)
{
	const struct update_request *request = call->request;
	bool is_renamed = slice_is_present(changes->name_or_absent);
	bool is_moved = slice_is_present(changes->status_or_absent) || changes->has_end_time;
	call_tell(call, (struct live_note){
				.subject = LIVE_RUN,
				.id = request->run_id,
				.experiment_id = experiment_id,
				.what = (is_moved ? LIVE_STATUS : 0U) |
					(is_renamed ? LIVE_NAME | LIVE_TAGS : 0U),
				.status_or_absent = changes->status_or_absent,
			});
}

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct update_request *request = call->request;
	struct run_changes changes = {
		.status_or_absent = status_name(request->status),
		.has_end_time = request->end_time.is_set,
		.end_time_ms = request->end_time.value,
	};
	if (request->run_name.len > 0)
		changes.name_or_absent =
			slice_utf8_first(request->run_name, RUN_TAG_VALUE_LENGTH_MAX);
	struct run_ref ref;
	if (!run_find_active(tracker, request->run_id, &ref, err) ||
	    !run_update_in_txn(tracker, ref.pk, &changes, call->arena, err))
		return false;
	tell_update(call, ref.experiment_id, &changes);
	struct run *run = ARENA_NEW(call->arena, struct run, 1);
	call->result = run;
	return runs_load_info(tracker, &ref.pk, 1, call->arena, run, err);
}

static void update_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "run_info");
	entity_json_run_info(w, call->result);
	json_object_end(w);
}

const struct endpoint runs_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct update_request),
	.execute = update_execute,
	.encode = update_encode,
	.summary = "Update a run's status, end time or name",
};

/* ---- shared ----------------------------------------------------------------------------------- */

static bool load_run(struct call *call, struct db *tracker, struct run_pk run_pk, struct error *err)
{
	struct run *run = ARENA_NEW(call->arena, struct run, 1);
	call->result = run;
	return runs_load(tracker, &run_pk, 1, call->arena, run, err) &&
	       run_model_inputs_load(tracker, run_pk, call->arena, &run->model_inputs, err);
}

static void encode_run(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "run");
	entity_json_run(w, call->result);
	json_object_end(w);
}
