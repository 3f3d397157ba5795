/* Owns the endpoints of a logged model's life: create, get, finalize, tags, parameters, delete. */
#include "api/logged_models.h"

#include <stdio.h>

#include "api/deletion_guard.h"
#include "api/logged_model_json.h"
#include "api/validation.h"
#include "base/random_id.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/logged_models.h"
#include "store/logged_models_load.h"

enum { MODEL_ID_LENGTH = 2 + RANDOM_ID_HEX_LEN }; /* "m-" and digits */

bool logged_model_pairs_check(const struct object_list *list, const char *list_name,
			      struct key_value_list *out, struct error *err)
{
	struct key_value *items = list->items;
	for (size_t i = 0; i < list->count; i++) {
		char what[64];
		if (!slice_is_present(items[i].value))
			items[i].value = SLICE("");
		(void)snprintf(what, sizeof(what), "'%s[%zu].key'", list_name, i);
		if (!validate_length(items[i].key, LOGGED_MODEL_KEY_LENGTH_MAX, what, err))
			return false;
		(void)snprintf(what, sizeof(what), "'%s[%zu].value'", list_name, i);
		if (!validate_length(items[i].value, LOGGED_MODEL_VALUE_LENGTH_MAX, what, err))
			return false;
	}
	*out = (struct key_value_list){items, list->count};
	return true;
}

static bool load_model(struct call *call, struct db *tracker, struct slice model_id,
		       bool allow_deleted, struct error *err)
{
	struct logged_model *model = ARENA_NEW(call->arena, struct logged_model, 1);
	call->result = model;
	return logged_model_load(tracker, model_id, allow_deleted, call->arena, model, err);
}

/* What changes a model finds it by the path, deleted or not; its experiment is told. */
static bool find_changed(struct call *call, struct db *tracker, struct logged_model_pk *out,
			 struct error *err)
{
	int64_t experiment_id;
	if (!logged_model_find(tracker, call->path_arguments[0], true, out, err) ||
	    !logged_model_experiment(tracker, *out, &experiment_id, err))
		return false;
	call_tell_experiment(call, experiment_id, LIVE_LOGGED_MODELS);
	return true;
}

static void encode_model(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "model");
	logged_model_json(w, call->result);
	json_object_end(w);
}

/* ---- create ----------------------------------------------------------------------------------- */

struct create_request {
	struct slice experiment_id, name, model_type, source_run_id;
	struct object_list params, tags;
	/* Made by check, so that executing twice makes the same model. */
	int64_t experiment;
	struct slice model_id;
	struct key_value_list param_list, tag_list;
};

// clang-format off
static const struct field create_fields[] = {
	FIELD_TEXT(struct create_request, experiment_id, FIELD_REQUIRED),
	FIELD_TEXT(struct create_request, name, FIELD_OPTIONAL),
	FIELD_TEXT(struct create_request, model_type, FIELD_OPTIONAL),
	FIELD_TEXT(struct create_request, source_run_id, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct create_request, params, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct create_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

/* Names become parts of addresses such as models:/NAME. */
static bool check_name(struct slice name, struct error *err)
{
	const char forbidden[] = {'/', ':', '.', '%', '"', '\''};
	bool is_valid = true;
	for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++)
		is_valid = is_valid && slice_find_byte(name, forbidden[i], 0) == name.len;
	if (is_valid)
		return validate_length(name, LOGGED_MODEL_NAME_LENGTH_MAX, "'name'", err);
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model name ('%s') provided. Model name must be a non-empty "
			 "string and cannot contain the following characters: "
			 "('/', ':', '.', '%%', '\"', \"'\")",
			 error_quote(name, quoted, sizeof(quoted)));
}

static void choose_id_and_name(struct create_request *request, struct arena *arena)
{
	char digits[RANDOM_ID_HEX_LEN + 1], name[64];
	random_id_hex(digits);
	request->model_id = arena_printf(arena, "m-%s", digits);
	ASSERT(request->model_id.len == MODEL_ID_LENGTH);
	if (request->name.len > 0)
		return;
	random_run_name(name);
	request->name = arena_copy(arena, slice_from_cstr(name));
}

static bool create_check(struct call *call, struct error *err)
{
	struct create_request *request = call->request;
	if (!validate_experiment_id(request->experiment_id, &request->experiment, err) ||
	    !check_name(request->name, err) ||
	    !validate_length(request->model_type, LOGGED_MODEL_NAME_LENGTH_MAX, "'model_type'",
			     err) ||
	    !validate_length(request->source_run_id, LOGGED_MODEL_ID_LENGTH_MAX, "'source_run_id'",
			     err) ||
	    !logged_model_pairs_check(&request->params, "params", &request->param_list, err) ||
	    !logged_model_pairs_check(&request->tags, "tags", &request->tag_list, err))
		return false;
	choose_id_and_name(request, call->arena);
	return true;
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct create_request *request = call->request;
	struct logged_model_new new = {
		.model_id = request->model_id,
		.experiment_id = request->experiment,
		.name = request->name,
		.model_type = request->model_type,
		.source_run_id = request->source_run_id,
		.tags = request->tag_list,
		.params = request->param_list,
		.now_ms = call->now_ms,
	};
	struct logged_model_pk pk;
	call_tell_experiment(call, request->experiment, LIVE_LOGGED_MODELS);
	return experiment_check_active(tracker, request->experiment, call->arena,
				       &new.experiment_location, err) &&
	       logged_model_insert_in_txn(tracker, &new, call->arena, &pk, err) &&
	       load_model(call, tracker, request->model_id, false, err);
}

const struct endpoint logged_models_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct create_request),
	.check = create_check,
	.execute = create_execute,
	.encode = encode_model,
	.summary = "Create a logged model",
};

/* ---- get -------------------------------------------------------------------------------------- */

struct get_request {
	struct slice allow_deleted;
};

static const struct field get_fields[] = {
	FIELD_TEXT(struct get_request, allow_deleted, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	/* Anything but "true" means no, as with MLflow's server. */
	const struct get_request *request = call->request;
	bool allow_deleted = slice_eq_ignoring_case(request->allow_deleted, SLICE("true"));
	return load_model(call, tracker, call->path_arguments[0], allow_deleted, err);
}

const struct endpoint logged_models_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = get_fields,
	.request_bytes = sizeof(struct get_request),
	.execute = get_execute,
	.encode = encode_model,
	.summary = "Get a logged model",
};

/* ---- finalize --------------------------------------------------------------------------------- */

struct finalize_request {
	struct opt_i64 status;
};

static const struct field finalize_fields[] = {
	FIELD_ENUM(struct finalize_request, status, FIELD_REQUIRED, logged_model_statuses),
	FIELDS_END,
};

static bool finalize_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct finalize_request *request = call->request;
	enum logged_model_status status = (enum logged_model_status)request->status.value;
	struct logged_model_pk pk;
	return find_changed(call, tracker, &pk, err) &&
	       logged_model_finalize_in_txn(tracker, pk, status, call->now_ms, err) &&
	       load_model(call, tracker, call->path_arguments[0], true, err);
}

const struct endpoint logged_models_finalize = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = finalize_fields,
	.request_bytes = sizeof(struct finalize_request),
	.execute = finalize_execute,
	.encode = encode_model,
	.summary = "Set the status of a logged model",
};

/* ---- delete ----------------------------------------------------------------------------------- */

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct slice model_id = call->path_arguments[0];
	const struct deletion deletion = {
		.subject = arena_concat(call->arena, SLICE("Logged model "), model_id),
		.needed = {.kind = NEEDED_LOGGED_MODEL, .id_or_path = model_id},
	};
	struct logged_model_pk pk;
	return find_changed(call, tracker, &pk, err) &&
	       deletion_guard(call, tracker, &deletion, err) &&
	       logged_model_delete_in_txn(tracker, pk, call->now_ms, err);
}

const struct endpoint logged_models_delete = {
	.kind = ENDPOINT_WRITE,
	.execute = delete_execute,
	.summary = "Mark a logged model as deleted",
};

/* ---- tags ------------------------------------------------------------------------------------- */

struct key_values_request {
	struct object_list tags, params;
	struct key_value_list checked;
};

// clang-format off
static const struct field set_tags_fields[] = {
	FIELD_OBJECTS(struct key_values_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool set_tags_check(struct call *call, struct error *err)
{
	struct key_values_request *request = call->request;
	return logged_model_pairs_check(&request->tags, "tags", &request->checked, err);
}

static bool set_tags_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct key_values_request *request = call->request;
	struct logged_model_pk pk;
	return find_changed(call, tracker, &pk, err) &&
	       logged_model_tags_set_in_txn(tracker, pk, request->checked, call->arena, err);
}

const struct endpoint logged_models_set_tags = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = set_tags_fields,
	.request_bytes = sizeof(struct key_values_request),
	.check = set_tags_check,
	.execute = set_tags_execute,
	.summary = "Set tags of a logged model",
};

static bool delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct logged_model_pk pk;
	bool deleted = false;
	if (!find_changed(call, tracker, &pk, err) ||
	    !logged_model_tag_delete_in_txn(tracker, pk, call->path_arguments[1], &deleted, err))
		return false;
	if (deleted)
		return true;
	char key_quoted[300], id_quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "No tag with key '%s' found for model with ID '%s'.",
			 error_quote(call->path_arguments[1], key_quoted, sizeof(key_quoted)),
			 error_quote(call->path_arguments[0], id_quoted, sizeof(id_quoted)));
}

const struct endpoint logged_models_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.execute = delete_tag_execute,
	.summary = "Delete a tag of a logged model",
};

/* ---- parameters ------------------------------------------------------------------------------- */

// clang-format off
static const struct field log_params_fields[] = {
	FIELD_OBJECTS(struct key_values_request, params, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool log_params_check(struct call *call, struct error *err)
{
	struct key_values_request *request = call->request;
	return logged_model_pairs_check(&request->params, "params", &request->checked, err);
}

static bool log_params_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct key_values_request *request = call->request;
	struct logged_model_pk pk;
	return find_changed(call, tracker, &pk, err) &&
	       logged_model_params_log_in_txn(tracker, pk, request->checked, call->arena, err);
}

const struct endpoint logged_models_log_params = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = log_params_fields,
	.request_bytes = sizeof(struct key_values_request),
	.check = log_params_check,
	.execute = log_params_execute,
	.summary = "Log parameters of a logged model",
};
