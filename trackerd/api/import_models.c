/* Owns the endpoints that take registered models and versions of another tracker. */
#include "api/import.h"

#include <inttypes.h>

#include "api/model_events.h"
#include "api/model_validation.h"
#include "limits.h"
#include "store/import_models.h"
#include "store/model_versions.h"
#include "store/models.h"

static struct import_model_result *make_result(struct call *call)
{
	struct import_model_result *result = ARENA_NEW(call->arena, struct import_model_result, 1);
	call->result = result;
	return result;
}

static void encode_result(const struct call *call, struct json_writer *w)
{
	const struct import_model_result *result = call->result;
	json_object_begin(w);
	json_put_bool(w, "is_new", result->is_new);
	json_object_end(w);
}

/* The times that it has from elsewhere: the event has the one of the import. */
static struct slice import_detail(struct call *call, int64_t created_ms, int64_t updated_ms)
{
	return arena_printf(call->arena,
			    "{\"imported\":true,\"creation_time_ms\":%" PRId64
			    ",\"last_updated_time_ms\":%" PRId64 "}",
			    created_ms, updated_ms);
}

/* ---- model ------------------------------------------------------------------------------------ */

struct model_request {
	struct slice name, description;
	struct opt_i64 creation_time, last_updated_time;
	struct object_list tags;
	/* Made by check. */
	struct import_model model;
};

// clang-format off
static const struct field model_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, description, FIELD_OPTIONAL),
	FIELD_I64(struct model_request, creation_time, FIELD_OPTIONAL),
	FIELD_I64(struct model_request, last_updated_time, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct model_request, tags, FIELD_OPTIONAL, model_tag_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool model_check(struct call *call, struct error *err)
{
	struct model_request *request = call->request;
	struct import_model *model = &request->model;
	model->name = request->name;
	model->description = request->description;
	model->creation_time_ms = import_time(request->creation_time, call->now_ms);
	model->last_updated_time_ms =
		import_time(request->last_updated_time, model->creation_time_ms);
	return model_check_name(request->name, err) &&
	       model_check_tags(&request->tags, &model->tags, err);
}

static bool record_new_model(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *request = call->request;
	const struct import_model_result *result = call->result;
	struct registered_model model;
	if (!model_load(tracker, result->pk, call->arena, &model, err))
		return false;
	struct model_change change = {.kind = REGISTRY_MODEL_CREATED,
				      .model_pk = result->pk,
				      .name = model.name,
				      .model_or_null = &model,
				      .detail = import_detail(call, model.creation_time_ms,
							      request->model.last_updated_time_ms),
				      .is_part = true};
	return model_change(call, tracker, &change, err);
}

static bool model_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *request = call->request;
	struct import_model_result *result = make_result(call);
	if (!import_model_in_txn(tracker, &request->model, call->arena, result, err))
		return false;
	if (result->is_new)
		return record_new_model(call, tracker, err);
	return model_changes_tags_added(call, tracker, result->pk, request->name, 0,
					&result->added_tags, err);
}

const struct endpoint import_model = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = model_fields,
	.request_bytes = sizeof(struct model_request),
	.check = model_check,
	.execute = model_execute,
	.encode = encode_result,
	.summary = "Import a registered model",
};

/* ---- model version ---------------------------------------------------------------------------- */

struct version_request {
	struct slice name, version, description, user_id, stage, source, storage_location, run_id;
	struct slice run_link, status, status_message;
	struct opt_i64 creation_time, last_updated_time;
	struct object_list tags;
	struct text_list aliases;
	/* Made by check. */
	struct import_version v;
};

// clang-format off
static const struct field version_fields[] = {
	FIELD_TEXT(struct version_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct version_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct version_request, description, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, user_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, stage, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, source, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, storage_location, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, run_id, FIELD_OPTIONAL | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct version_request, run_link, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, status, FIELD_OPTIONAL),
	FIELD_TEXT(struct version_request, status_message, FIELD_OPTIONAL),
	FIELD_I64(struct version_request, creation_time, FIELD_OPTIONAL),
	FIELD_I64(struct version_request, last_updated_time, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct version_request, tags, FIELD_OPTIONAL, model_tag_fields, struct key_value),
	FIELD_TEXTS(struct version_request, aliases, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool check_status(struct slice status, struct slice *out, struct error *err)
{
	static const char *const statuses[] = {"READY", "PENDING_REGISTRATION",
					       "FAILED_REGISTRATION"};
	char quoted[64];
	*out = slice_is_present(status) ? status : SLICE("READY");
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		if (slice_eq_cstr(*out, statuses[i]))
			return true;
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid model version status '%s'.",
			 error_quote(status, quoted, sizeof(quoted)));
}

static bool check_aliases(const struct text_list *aliases, struct error *err)
{
	for (size_t i = 0; i < aliases->count; i++) {
		if (!model_check_new_alias(aliases->items[i], err))
			return false;
	}
	return true;
}

static bool check_version_max(int64_t version, struct error *err)
{
	return version <= IMPORT_VERSION_MAX ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Parameter 'version' must be at most %d, got %" PRId64 ".",
			 IMPORT_VERSION_MAX, version);
}

static bool version_check(struct call *call, struct error *err)
{
	struct version_request *request = call->request;
	struct import_version *v = &request->v;
	struct slice stage = slice_is_present(request->stage) ? request->stage : SLICE("None");
	*v = (struct import_version){
		.name = request->name,
		.description = request->description,
		.user_id = request->user_id,
		.source = request->source,
		.storage_location = request->storage_location,
		.run_id = request->run_id,
		.run_link = request->run_link,
		.status_message = request->status_message,
		.aliases = request->aliases.items,
		.alias_count = request->aliases.count,
		.creation_time_ms = import_time(request->creation_time, call->now_ms),
	};
	v->last_updated_time_ms = import_time(request->last_updated_time, v->creation_time_ms);
	return model_check_version(request->version, &v->version, err) &&
	       check_version_max(v->version, err) && model_check_stage(stage, &v->stage, err) &&
	       check_status(request->status, &v->status, err) &&
	       model_check_tags(&request->tags, &v->tags, err) &&
	       check_aliases(&request->aliases, err);
}

static bool record_new_version(struct call *call, struct db *tracker, struct error *err)
{
	const struct version_request *request = call->request;
	const struct import_model_result *result = call->result;
	struct model_version version;
	if (!model_version_load_by_pk(tracker, result->pk, request->v.version, call->arena,
				      &version, err))
		return false;
	struct model_change change = {
		.kind = REGISTRY_VERSION_CREATED,
		.model_pk = result->pk,
		.name = request->name,
		.version = version.version,
		.version_or_null = &version,
		.detail =
			import_detail(call, version.creation_time_ms, version.last_updated_time_ms),
		.actor = version.user_id,
		.is_part = true,
	};
	return model_change(call, tracker, &change, err);
}

static bool record_aliases(struct call *call, struct db *tracker, struct error *err)
{
	const struct version_request *request = call->request;
	const struct import_model_result *result = call->result;
	for (size_t i = 0; i < result->added_aliases.count; i++) {
		struct model_change change = {
			.kind = REGISTRY_ALIAS_SET,
			.model_pk = result->pk,
			.name = request->name,
			.key = result->added_aliases.items[i].alias,
			.after_version = result->added_aliases.items[i].version,
			.is_part = true,
		};
		if (!model_change(call, tracker, &change, err))
			return false;
	}
	return true;
}

static bool version_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct version_request *request = call->request;
	struct import_model_result *result = make_result(call);
	if (!import_version_in_txn(tracker, &request->v, call->arena, result, err))
		return false;
	bool ok = result->is_new
			  ? record_new_version(call, tracker, err)
			  : model_changes_tags_added(call, tracker, result->pk, request->name,
						     request->v.version, &result->added_tags, err);
	return ok && record_aliases(call, tracker, err);
}

const struct endpoint import_model_version = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = version_fields,
	.request_bytes = sizeof(struct version_request),
	.check = version_check,
	.execute = version_execute,
	.encode = encode_result,
	.summary = "Import a model version with its number",
};
