/* Owns the endpoint that brings a deleted model or version back from its history. */
#include "api/model_history.h"

#include <inttypes.h>

#include "api/model_events.h"
#include "api/model_json.h"
#include "api/model_validation.h"
#include "artifacts/artifact_path.h"
#include "store/model_rules.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/registry_state.h"

struct restore_request {
	struct slice version, reason;
	struct opt_bool force;
	int64_t version_number; /* set by check; 0: the model */
};

static const struct field restore_fields[] = {
	FIELD_TEXT(struct restore_request, version, FIELD_OPTIONAL),
	FIELD_TEXT(struct restore_request, reason, FIELD_OPTIONAL),
	FIELD_BOOL(struct restore_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};

/* What came back: one of them. */
struct restored {
	struct registered_model model;
	struct model_version version;
	bool is_version;
};

static bool restore_check(struct call *call, struct error *err)
{
	struct restore_request *r = call->request;
	return model_check_name(call->path_arguments[0], err) &&
	       (!slice_is_present(r->version) ||
		model_check_version(r->version, &r->version_number, err)) &&
	       model_check_reason(r->reason, err);
}

/* ---- files -------------------------------------------------------------------------------------- */

/* Files that are kept elsewhere are not ours to look for. */
static bool files_are_there(struct db *tracker, const struct model_version *v, struct arena *arena,
			    bool *out, struct error *err)
{
	struct artifact_file file;
	enum artifact_kind kind = ARTIFACT_NONE;
	struct slice path;
	struct error ignored;
	*out = true;
	if (!artifact_path_from_uri(v->storage_location, arena, &path, &ignored))
		return true;
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	*out = kind != ARTIFACT_NONE;
	return true;
}

static bool check_files(struct call *call, struct db *tracker, const struct model_version *v,
			struct error *err)
{
	const struct restore_request *r = call->request;
	char quoted[300];
	bool are_there = false;
	if (r->force.value)
		return true;
	return files_are_there(tracker, v, call->arena, &are_there, err) &&
	       (are_there ||
		error_set(err, ERR_RESOURCE_CONFLICT,
			  "The files of version %" PRId64
			  " of model '%s' are gone; force=true restores what else is known of it.",
			  v->version,
			  error_quote(call->path_arguments[0], quoted, sizeof(quoted))));
}

static bool put_version(struct call *call, struct db *tracker, struct model_pk pk,
			struct model_version *v, struct error *err)
{
	v->model_pk = pk;
	v->last_updated_time_ms = call->now_ms;
	return check_files(call, tracker, v, err) && model_version_put_in_txn(tracker, v, err);
}

/* ---- a version ---------------------------------------------------------------------------------- */

static bool error_version_is_there(const struct call *call, struct error *err)
{
	const struct restore_request *r = call->request;
	char quoted[300];
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "Version %" PRId64 " of model '%s' is there; it need not be restored.",
			 r->version_number,
			 error_quote(call->path_arguments[0], quoted, sizeof(quoted)));
}

/* As it was just before it was deleted. */
static bool find_deleted_version(struct call *call, struct db *tracker, int64_t model_seq,
				 struct model_version *out, struct error *err)
{
	const struct restore_request *r = call->request;
	char quoted[300];
	int64_t life_seq = 0;
	bool found = false;
	if (!registry_version_load(tracker, model_seq, r->version_number, INT64_MAX, call->arena,
				   out, &life_seq, &found, err))
		return false;
	if (found)
		return error_version_is_there(call, err);
	if (life_seq != 0 &&
	    !registry_version_load(tracker, model_seq, r->version_number, life_seq - 1, call->arena,
				   out, &life_seq, &found, err))
		return false;
	return found || error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				  "Model '%s' never had a version %" PRId64 ".",
				  error_quote(call->path_arguments[0], quoted, sizeof(quoted)),
				  r->version_number);
}

static bool restore_version(struct call *call, struct db *tracker, struct error *err)
{
	const struct restore_request *r = call->request;
	struct slice name = call->path_arguments[0];
	struct restored *restored = call->result;
	struct model_version *v = &restored->version;
	struct model_pk pk;
	int64_t model_seq = 0;
	if (!model_find(tracker, name, &pk, err) ||
	    !registry_find_model(tracker, name, &model_seq, err) ||
	    !find_deleted_version(call, tracker, model_seq, v, err) ||
	    !put_version(call, tracker, pk, v, err) ||
	    !model_touch_in_txn(tracker, pk, call->now_ms, err) ||
	    !model_version_load_by_pk(tracker, pk, r->version_number, call->arena, v, err))
		return false;
	struct model_change change = {.kind = REGISTRY_VERSION_RESTORED,
				      .model_pk = pk,
				      .name = name,
				      .version = r->version_number,
				      .version_or_null = v,
				      .reason = r->reason};
	restored->is_version = true;
	return model_change(call, tracker, &change, err);
}

/* ---- a model ------------------------------------------------------------------------------------ */

static bool error_taken(const struct call *call, struct slice by, struct error *err)
{
	char quoted[300], other[300];
	struct slice name = call->path_arguments[0];
	(void)error_quote(name, quoted, sizeof(quoted));
	if (slice_eq(by, name))
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "A registered model '%s' is there; nothing was restored.", quoted);
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "The model that was called '%s' was called '%s' later; ask for that name.",
			 quoted, error_quote(by, other, sizeof(other)));
}

/* As it was just before it was deleted. */
static bool find_deleted_model(struct call *call, struct db *tracker, struct registry_state *out,
			       struct error *err)
{
	struct slice name = call->path_arguments[0];
	struct model_version last;
	struct model_pk pk;
	int64_t model_seq = 0, life_seq = 0;
	bool found = false;
	if (!model_find_if_any(tracker, name, &pk, &found, err))
		return false;
	if (found)
		return error_taken(call, name, err);
	if (!registry_find_model(tracker, name, &model_seq, err) ||
	    !registry_version_load(tracker, model_seq, 0, INT64_MAX, call->arena, &last, &life_seq,
				   &found, err))
		return false;
	if (found)
		return error_taken(call, last.name, err);
	if (!registry_state_load(tracker, model_seq, life_seq - 1, call->arena, out, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_DATA_LOSS,
				 "The history of the model is damaged; \"trk models verify\" tells "
				 "where.");
	return slice_eq(out->model.name, name) || error_taken(call, out->model.name, err);
}

static bool put_model(struct call *call, struct db *tracker, struct registry_state *state,
		      struct error *err)
{
	struct model_rules rules;
	state->model.last_updated_time_ms = call->now_ms;
	if (!model_put_in_txn(tracker, &state->model, &state->model.pk, err) ||
	    !registry_continue_in_txn(tracker, state->model.pk, state->model_seq, err) ||
	    !model_rules_read_json(state->rules, call->arena, &rules, err) ||
	    !model_rules_put_in_txn(tracker, state->model.pk, &rules, err))
		return false;
	for (size_t i = 0; i < state->versions.count; i++) {
		if (!put_version(call, tracker, state->model.pk, &state->versions.items[i], err))
			return false;
	}
	return true;
}

static bool restore_model(struct call *call, struct db *tracker, struct error *err)
{
	const struct restore_request *r = call->request;
	struct restored *restored = call->result;
	struct registry_state state;
	if (!find_deleted_model(call, tracker, &state, err) ||
	    !put_model(call, tracker, &state, err) ||
	    !model_load(tracker, state.model.pk, call->arena, &restored->model, err))
		return false;
	struct model_change change = {
		.kind = REGISTRY_MODEL_RESTORED,
		.model_pk = state.model.pk,
		.name = state.model.name,
		.model_or_null = &restored->model,
		.reason = r->reason,
		.detail = arena_printf(call->arena, "{\"versions\":%zu}", state.versions.count),
	};
	return model_change(call, tracker, &change, err);
}

/* ---- the endpoint ------------------------------------------------------------------------------- */

static bool restore_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct restore_request *r = call->request;
	call->result = ARENA_NEW(call->arena, struct restored, 1);
	return r->version_number != 0 ? restore_version(call, tracker, err)
				      : restore_model(call, tracker, err);
}

static void restore_encode(const struct call *call, struct json_writer *w)
{
	const struct restored *restored = call->result;
	json_object_begin(w);
	json_key(w, restored->is_version ? "model_version" : "registered_model");
	if (restored->is_version)
		model_json_version(w, &restored->version);
	else
		model_json_model(w, &restored->model);
	json_object_end(w);
}

const struct endpoint model_history_restore = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = restore_fields,
	.request_bytes = sizeof(struct restore_request),
	.check = restore_check,
	.execute = restore_execute,
	.encode = restore_encode,
	.summary = "Restore a deleted model or version",
};
