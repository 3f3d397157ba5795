/* Owns the endpoints of registered models and of the aliases that name their versions. */
#include "api/models.h"

#include "api/actor.h"
#include "api/alias_move.h"
#include "api/deployment_guard.h"
#include "api/model_events.h"
#include "api/model_json.h"
#include "api/model_request.h"
#include "api/model_rules.h"
#include "api/model_validation.h"
#include "limits.h"
#include "store/deployments.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/search_page.h"

enum { MODELS_PAGE_DEFAULT = 100 };

static const struct field name_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELDS_END,
};

/* ---- replies that several share ----------------------------------------------------------------- */

static bool load_model(struct call *call, struct db *tracker, struct slice name, struct error *err)
{
	struct model_pk pk;
	struct registered_model *model = ARENA_NEW(call->arena, struct registered_model, 1);
	if (!model_find(tracker, name, &pk, err) ||
	    !model_load(tracker, pk, call->arena, model, err))
		return false;
	call->result = model;
	return true;
}

static void model_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "registered_model");
	model_json_model(w, call->result);
	json_object_end(w);
}

/* That the model as a whole comes or goes. */
static struct model_change whole_change(const struct registered_model *model,
					enum registry_kind kind)
{
	return (struct model_change){
		.kind = kind, .model_pk = model->pk, .name = model->name, .model_or_null = model};
}

/* ---- create, get, rename, update, delete -------------------------------------------------------- */

static const struct field create_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, description, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct model_request, tags, FIELD_OPTIONAL, model_tag_fields,
		      struct key_value),
	FIELDS_END,
};

static bool create_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	return model_check_name(r->name, err) && model_check_tags(&r->tags, &r->tag_list, err);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	if (!model_insert_in_txn(tracker, r->name, r->description, r->tag_list, call->now_ms,
				 err) ||
	    !load_model(call, tracker, r->name, err))
		return false;
	struct model_change change = whole_change(call->result, REGISTRY_MODEL_CREATED);
	return model_change(call, tracker, &change, err);
}

const struct endpoint models_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct model_request),
	.check = create_check,
	.execute = create_execute,
	.encode = model_encode,
	.summary = "Create a registered model",
};

static bool name_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return model_check_name(r->name, err);
}

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	return load_model(call, tracker, r->name, err);
}

const struct endpoint models_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = name_fields,
	.request_bytes = sizeof(struct model_request),
	.check = name_check,
	.execute = get_execute,
	.encode = model_encode,
	.summary = "Get a registered model",
};

static const struct field rename_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, new_name, FIELD_REQUIRED),
	FIELDS_END,
};

static bool rename_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	if (slice_trim(r->new_name).len == 0)
		return fields_error_missing(err, "new_name");
	return model_check_name(r->new_name, err) && model_check_name(r->name, err);
}

/* What runs somewhere still runs. */
static bool take_deployments_along(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct registry_author author;
	struct deployment_list renamed;
	if (!actor_of_request(call->http, (struct slice){0}, call->arena, &author, err) ||
	    !deployments_rename_in_txn(tracker, r->name, r->new_name, author.actor, call->now_ms,
				       call->arena, &renamed, err))
		return false;
	for (size_t i = 0; i < renamed.count; i++)
		call_tell_deployment(call, renamed.items[i].deployment_id);
	return true;
}

static bool rename_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {.kind = REGISTRY_MODEL_RENAMED,
				      .name = r->new_name,
				      .before = r->name,
				      .after = r->new_name};
	return model_find(tracker, r->name, &change.model_pk, err) &&
	       model_rename_in_txn(tracker, r->name, r->new_name, call->now_ms, err) &&
	       model_change(call, tracker, &change, err) &&
	       (slice_eq(r->name, r->new_name) || take_deployments_along(call, tracker, err)) &&
	       load_model(call, tracker, r->new_name, err);
}

const struct endpoint models_rename = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = rename_fields,
	.request_bytes = sizeof(struct model_request),
	.check = rename_check,
	.execute = rename_execute,
	.encode = model_encode,
	.summary = "Rename a registered model",
};

static const struct field update_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, description, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct slice description = slice_or_empty(r->description);
	if (!load_model(call, tracker, r->name, err))
		return false;
	const struct registered_model *model = call->result;
	struct model_change change = {.kind = REGISTRY_MODEL_DESCRIBED,
				      .model_pk = model->pk,
				      .name = r->name,
				      .before = model->description,
				      .after = description};
	return model_describe_in_txn(tracker, r->name, description, call->now_ms, err) &&
	       model_change(call, tracker, &change, err) && load_model(call, tracker, r->name, err);
}

const struct endpoint models_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct model_request),
	.check = name_check,
	.execute = update_execute,
	.encode = model_encode,
	.summary = "Change the description of a registered model",
};

static const struct field delete_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_BOOL(struct model_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	if (!load_model(call, tracker, r->name, err))
		return false;
	const struct registered_model *model = call->result;
	if (!r->force.value &&
	    (!model_rules_allow_deletion(call, tracker, model->pk, r->name, 0, err) ||
	     !deployment_guard(call, tracker, r->name, 0, err)))
		return false;
	struct model_change change = whole_change(model, REGISTRY_MODEL_DELETED);
	return model_changes_aliases_gone(call, tracker, model->pk, model->name, &model->aliases,
					  err) &&
	       model_change(call, tracker, &change, err) &&
	       model_delete_in_txn(tracker, r->name, call->now_ms, err);
}

const struct endpoint models_delete = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_fields,
	.request_bytes = sizeof(struct model_request),
	.check = name_check,
	.execute = delete_execute,
	.summary = "Delete a registered model with all its versions",
};

/* ---- search ------------------------------------------------------------------------------------- */

struct models_page {
	struct registered_model_list models;
	struct slice token;
};

static bool search_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	return search_page_rows_max(r->max_results.is_set, r->max_results.value,
				    MODELS_PAGE_DEFAULT, SEARCH_MODELS_MAX, &r->rows_max, err);
}

static bool search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_search search = model_request_search(call->request);
	struct models_page *page = ARENA_NEW(call->arena, struct models_page, 1);
	call->result = page;
	return model_search_models(tracker, &search, call->arena, &page->models, &page->token, err);
}

static void search_encode(const struct call *call, struct json_writer *w)
{
	const struct models_page *page = call->result;
	json_object_begin(w);
	if (page->models.count > 0) {
		json_key(w, "registered_models");
		json_array_begin(w);
		for (size_t i = 0; i < page->models.count; i++)
			model_json_model(w, &page->models.items[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->token);
	json_object_end(w);
}

const struct endpoint models_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = model_search_fields,
	.request_bytes = sizeof(struct model_request),
	.check = search_check,
	.execute = search_execute,
	.encode = search_encode,
	.summary = "Search registered models",
};

/* ---- tags --------------------------------------------------------------------------------------- */

static const struct field set_tag_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool set_tag_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return model_check_name(r->name, err) &&
	       model_check_tag((struct key_value){r->key, r->value}, err);
}

static bool set_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {.kind = REGISTRY_MODEL_TAG_SET,
				      .name = r->name,
				      .key = r->key,
				      .after = slice_or_empty(r->value)};
	return model_find(tracker, r->name, &change.model_pk, err) &&
	       model_tag_find(tracker, change.model_pk, r->key, call->arena, &change.before, err) &&
	       model_tag_set_in_txn(tracker, change.model_pk, (struct key_value){r->key, r->value},
				    err) &&
	       model_change(call, tracker, &change, err);
}

const struct endpoint models_set_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = set_tag_fields,
	.request_bytes = sizeof(struct model_request),
	.check = set_tag_check,
	.execute = set_tag_execute,
	.summary = "Set a tag of a registered model",
};

static const struct field delete_tag_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, key, FIELD_REQUIRED),
	FIELDS_END,
};

static bool delete_tag_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return model_check_name(r->name, err) && model_check_tag_name(r->key, err);
}

static bool delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {
		.kind = REGISTRY_MODEL_TAG_DELETED, .name = r->name, .key = r->key};
	return model_find(tracker, r->name, &change.model_pk, err) &&
	       model_tag_find(tracker, change.model_pk, r->key, call->arena, &change.before, err) &&
	       model_tag_delete_in_txn(tracker, change.model_pk, r->key, err) &&
	       model_change(call, tracker, &change, err);
}

const struct endpoint models_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_tag_fields,
	.request_bytes = sizeof(struct model_request),
	.check = delete_tag_check,
	.execute = delete_tag_execute,
	.summary = "Delete a tag of a registered model",
};

/* ---- latest versions ---------------------------------------------------------------------------- */

static const struct field latest_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXTS(struct model_request, stages, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool latest_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	for (size_t i = 0; i < r->stages.count; i++) {
		if (!model_check_stage(r->stages.items[i], &r->stages.items[i], err))
			return false;
	}
	return model_check_name(r->name, err);
}

static bool latest_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_version_list *list = ARENA_NEW(call->arena, struct model_version_list, 1);
	struct model_pk pk;
	call->result = list;
	return model_find(tracker, r->name, &pk, err) &&
	       model_versions_latest(tracker, pk, r->stages.items, r->stages.count, call->arena,
				     list, err);
}

static void latest_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	model_json_versions(w, "model_versions", call->result);
	json_object_end(w);
}

const struct endpoint models_latest = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = latest_fields,
	.request_bytes = sizeof(struct model_request),
	.check = latest_check,
	.execute = latest_execute,
	.encode = latest_encode,
	.summary = "Get the highest version of each stage",
};

/* ---- aliases ------------------------------------------------------------------------------------ */

static const struct field set_alias_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, alias, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, reason, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool set_alias_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	return model_check_name(r->name, err) && model_check_new_alias(r->alias, err) &&
	       model_check_version(r->version, &r->version_number, err) &&
	       model_check_reason(r->reason, err);
}

/* Where the alias of the request goes: version 0 is nowhere. */
static bool move_alias(struct call *call, struct db *tracker, struct model_pk pk,
		       enum registry_kind kind, struct error *err)
{
	const struct model_request *r = call->request;
	const struct alias_move move = {.kind = kind,
					.model_pk = pk,
					.name = r->name,
					.alias = r->alias,
					.version = r->version_number,
					.reason = r->reason};
	struct alias_moved moved;
	return alias_move_in_txn(call, tracker, &move, &moved, err);
}

static bool set_alias_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_pk pk;
	return model_version_check(tracker, r->name, r->version_number, &pk, err) &&
	       move_alias(call, tracker, pk, REGISTRY_ALIAS_SET, err);
}

const struct endpoint models_set_alias = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = set_alias_fields,
	.request_bytes = sizeof(struct model_request),
	.check = set_alias_check,
	.execute = set_alias_execute,
	.summary = "Point an alias at a model version",
};

static const struct field alias_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, alias, FIELD_REQUIRED),
	FIELDS_END,
};

static bool alias_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return model_check_name(r->name, err) && model_check_alias(r->alias, err);
}

static bool get_alias_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_version *version = ARENA_NEW(call->arena, struct model_version, 1);
	struct model_pk pk;
	int64_t number = 0;
	call->result = version;
	return model_find(tracker, r->name, &pk, err) &&
	       model_alias_find(tracker, pk, r->name, r->alias, &number, err) &&
	       model_version_load(tracker, r->name, number, call->arena, version, err);
}

static void get_alias_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "model_version");
	model_json_version(w, call->result);
	json_object_end(w);
}

const struct endpoint models_get_alias = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = alias_fields,
	.request_bytes = sizeof(struct model_request),
	.check = alias_check,
	.execute = get_alias_execute,
	.encode = get_alias_encode,
	.summary = "Get the model version of an alias",
};

static const struct field delete_alias_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, alias, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, reason, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool delete_alias_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return alias_check(call, err) && model_check_reason(r->reason, err);
}

static bool delete_alias_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_pk pk;
	return model_find(tracker, r->name, &pk, err) &&
	       move_alias(call, tracker, pk, REGISTRY_ALIAS_DELETED, err);
}

const struct endpoint models_delete_alias = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_alias_fields,
	.request_bytes = sizeof(struct model_request),
	.check = delete_alias_check,
	.execute = delete_alias_execute,
	.summary = "Delete an alias",
};
