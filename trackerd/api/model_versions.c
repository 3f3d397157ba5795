/* Owns the endpoints of model versions. */
#include "api/model_versions.h"

#include <inttypes.h>

#include "api/api.h"
#include "api/deployment_guard.h"
#include "api/model_events.h"
#include "api/model_json.h"
#include "api/model_request.h"
#include "api/model_rules.h"
#include "api/model_validation.h"
#include "limits.h"
#include "search/model_fields.h"
#include "store/model_lineage.h"
#include "store/model_sources.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/search_page.h"

enum { VERSIONS_PAGE_DEFAULT = 10000 };

static const struct field version_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELDS_END,
};

static bool version_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	return model_check_name(r->name, err) &&
	       model_check_version(r->version, &r->version_number, err);
}

static bool load_version(struct call *call, struct db *tracker, int64_t number, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_version *version = ARENA_NEW(call->arena, struct model_version, 1);
	call->result = version;
	return model_version_load(tracker, r->name, number, call->arena, version, err);
}

static void version_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "model_version");
	model_json_version(w, call->result);
	json_object_end(w);
}

/* That the version as a whole comes or goes. */
static struct model_change whole_change(const struct model_version *version,
					enum registry_kind kind)
{
	return (struct model_change){.kind = kind,
				     .model_pk = version->model_pk,
				     .name = version->name,
				     .version = version->version,
				     .version_or_null = version};
}

/* ---- create ------------------------------------------------------------------------------------- */

static const struct field create_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, source, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, run_id, FIELD_OPTIONAL | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct model_request, run_link, FIELD_OPTIONAL),
	FIELD_TEXT(struct model_request, description, FIELD_OPTIONAL),
	FIELD_TEXT(struct model_request, model_id, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct model_request, tags, FIELD_OPTIONAL, model_tag_fields,
		      struct key_value),
	FIELDS_END,
};

static bool create_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	const regex_t *regex_or_null = call->api->model_source_regex_or_null;
	char quoted[300];
	if (regex_or_null != NULL &&
	    regexec(regex_or_null, arena_cstr(call->arena, r->source), 0, NULL, 0) != 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid model version source: '%s'.",
				 error_quote(r->source, quoted, sizeof(quoted)));
	return model_check_name(r->name, err) && model_check_tags(&r->tags, &r->tag_list, err);
}

/* Where the version comes from and where its files are. A prompt has neither. */
static bool resolve_source(struct call *call, struct db *tracker, bool is_prompt,
			   struct model_version_new *new, struct error *err)
{
	const struct model_request *r = call->request;
	if (is_prompt) {
		new->run_id = r->run_id;
		new->storage_location = r->source;
		return model_source_check_prompt(r->source, err);
	}
	struct model_source source = {r->source, r->run_id, r->model_id};
	if (!model_source_resolve(tracker, &source, call->arena, &new->storage_location, err))
		return false;
	new->run_id = source.run_id;
	new->model_id = source.model_id;
	return true;
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	bool is_prompt = model_tags_make_prompt(r->tag_list);
	struct model_version_new new = {.name = r->name,
					.source = r->source,
					.run_link = r->run_link,
					.description = r->description,
					.tags = r->tag_list,
					.now_ms = call->now_ms};
	int64_t number = 0;
	if (!resolve_source(call, tracker, is_prompt, &new, err) ||
	    !model_version_insert_in_txn(tracker, &new, &number, err))
		return false;
	if (new.model_id.len > 0 &&
	    !model_lineage_record_in_txn(tracker, new.model_id, r->name, number, call->arena, err))
		return false;
	if (!load_version(call, tracker, number, err))
		return false;
	struct model_change change = whole_change(call->result, REGISTRY_VERSION_CREATED);
	return model_change(call, tracker, &change, err);
}

const struct endpoint model_versions_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct model_request),
	.check = create_check,
	.execute = create_execute,
	.encode = version_encode,
	.summary = "Create a model version",
};

/* ---- get, update, delete, download URI ---------------------------------------------------------- */

static bool read_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	return load_version(call, tracker, r->version_number, err);
}

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	return read_execute(call, tracker, err) &&
	       model_lineage_load(tracker, call->result, call->arena, err);
}

const struct endpoint model_versions_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = version_fields,
	.request_bytes = sizeof(struct model_request),
	.check = version_check,
	.execute = get_execute,
	.encode = version_encode,
	.summary = "Get a model version",
};

static const struct field update_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, description, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct slice description = slice_or_empty(r->description);
	if (!load_version(call, tracker, r->version_number, err))
		return false;
	const struct model_version *version = call->result;
	struct model_change change = {.kind = REGISTRY_VERSION_DESCRIBED,
				      .model_pk = version->model_pk,
				      .name = r->name,
				      .version = r->version_number,
				      .before = version->description,
				      .after = description};
	return model_version_describe_in_txn(tracker, change.model_pk, r->version_number,
					     description, call->now_ms, err) &&
	       model_change(call, tracker, &change, err) &&
	       load_version(call, tracker, r->version_number, err);
}

const struct endpoint model_versions_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct model_request),
	.check = version_check,
	.execute = update_execute,
	.encode = version_encode,
	.summary = "Change the description of a model version",
};

static const struct field delete_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_BOOL(struct model_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	if (!load_version(call, tracker, r->version_number, err))
		return false;
	const struct model_version *version = call->result;
	if (!r->force.value && (!model_rules_allow_deletion(call, tracker, version->model_pk,
							    r->name, r->version_number, err) ||
				!deployment_guard(call, tracker, r->name, r->version_number, err)))
		return false;
	struct model_change change = whole_change(version, REGISTRY_VERSION_DELETED);
	return model_changes_aliases_gone(call, tracker, version->model_pk, r->name,
					  &version->aliases, err) &&
	       model_change(call, tracker, &change, err) &&
	       model_version_delete_in_txn(tracker, version->model_pk, r->version_number,
					   call->now_ms, err);
}

const struct endpoint model_versions_delete = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_fields,
	.request_bytes = sizeof(struct model_request),
	.check = version_check,
	.execute = delete_execute,
	.summary = "Delete a model version",
};

static void download_uri_encode(const struct call *call, struct json_writer *w)
{
	const struct model_version *version = call->result;
	json_object_begin(w);
	json_put_string(w, "artifact_uri",
			version->storage_location.len > 0 ? version->storage_location
							  : version->source);
	json_object_end(w);
}

const struct endpoint model_versions_download_uri = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = version_fields,
	.request_bytes = sizeof(struct model_request),
	.check = version_check,
	.execute = read_execute,
	.encode = download_uri_encode,
	.summary = "Get where the files of a model version are",
};

/* ---- search ------------------------------------------------------------------------------------- */

struct versions_page {
	struct model_version_list versions;
	struct slice token;
};

static bool search_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	return search_page_rows_max(r->max_results.is_set, r->max_results.value,
				    VERSIONS_PAGE_DEFAULT, SEARCH_VERSIONS_MAX, &r->rows_max, err);
}

static bool search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_search search = model_request_search(call->request);
	struct versions_page *page = ARENA_NEW(call->arena, struct versions_page, 1);
	call->result = page;
	return model_search_versions(tracker, &search, call->arena, &page->versions, &page->token,
				     err);
}

static void search_encode(const struct call *call, struct json_writer *w)
{
	const struct versions_page *page = call->result;
	json_object_begin(w);
	model_json_versions(w, "model_versions", &page->versions);
	json_put_string(w, "next_page_token", page->token);
	json_object_end(w);
}

const struct endpoint model_versions_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = model_search_fields,
	.request_bytes = sizeof(struct model_request),
	.check = search_check,
	.execute = search_execute,
	.encode = search_encode,
	.summary = "Search model versions",
};

/* ---- stages ------------------------------------------------------------------------------------- */

static const struct field transition_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, stage, FIELD_REQUIRED),
	FIELD_BOOL(struct model_request, archive_existing_versions, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool transition_check(struct call *call, struct error *err)
{
	struct model_request *r = call->request;
	if (!version_check(call, err) || !model_check_stage(r->stage, &r->canonical_stage, err))
		return false;
	bool is_active = slice_eq(r->canonical_stage, SLICE("Staging")) ||
			 slice_eq(r->canonical_stage, SLICE("Production"));
	if (!r->archive_existing_versions.value || is_active)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Model version transition cannot archive existing model versions because "
			 "'%.*s' is not an Active "
			 "stage. Valid stages are Staging and Production.",
			 SLICE_FMT(r->canonical_stage));
}

static bool record_stage(struct call *call, struct db *tracker, struct model_pk pk, int64_t version,
			 struct slice before, struct slice after, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {.kind = REGISTRY_VERSION_STAGE_MOVED,
				      .model_pk = pk,
				      .name = r->name,
				      .version = version,
				      .before = before,
				      .after = after};
	if (version != r->version_number)
		change.detail = arena_printf(call->arena, "{\"makes_room_for\":\"%" PRId64 "\"}",
					     r->version_number);
	return model_change(call, tracker, &change, err);
}

/* Those that make room for the version of the request. */
static bool record_archived(struct call *call, struct db *tracker, struct model_pk pk,
			    struct error *err)
{
	const struct model_request *r = call->request;
	struct version_list others;
	if (!r->archive_existing_versions.value)
		return true;
	if (!model_versions_list(tracker, pk, r->canonical_stage, call->arena, &others, err))
		return false;
	for (size_t i = 0; i < others.count; i++) {
		if (others.items[i] != r->version_number &&
		    !record_stage(call, tracker, pk, others.items[i], r->canonical_stage,
				  SLICE("Archived"), err))
			return false;
	}
	return true;
}

static bool transition_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	if (!load_version(call, tracker, r->version_number, err))
		return false;
	const struct model_version *version = call->result;
	struct model_pk pk = version->model_pk;
	return record_archived(call, tracker, pk, err) &&
	       record_stage(call, tracker, pk, r->version_number, version->stage,
			    r->canonical_stage, err) &&
	       model_version_move_in_txn(tracker, pk, r->version_number, r->canonical_stage,
					 r->archive_existing_versions.value, call->now_ms, err) &&
	       load_version(call, tracker, r->version_number, err);
}

const struct endpoint model_versions_transition = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = transition_fields,
	.request_bytes = sizeof(struct model_request),
	.check = transition_check,
	.execute = transition_execute,
	.encode = version_encode,
	.summary = "Move a model version to a stage",
};

/* ---- tags --------------------------------------------------------------------------------------- */

static const struct field set_tag_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool set_tag_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return version_check(call, err) &&
	       model_check_tag((struct key_value){r->key, r->value}, err);
}

static bool set_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {.kind = REGISTRY_VERSION_TAG_SET,
				      .name = r->name,
				      .version = r->version_number,
				      .key = r->key,
				      .after = slice_or_empty(r->value)};
	return model_version_check(tracker, r->name, r->version_number, &change.model_pk, err) &&
	       model_version_tag_find(tracker, change.model_pk, r->version_number, r->key,
				      call->arena, &change.before, err) &&
	       model_version_tag_set_in_txn(tracker, change.model_pk, r->version_number,
					    (struct key_value){r->key, r->value}, err) &&
	       model_change(call, tracker, &change, err);
}

const struct endpoint model_versions_set_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = set_tag_fields,
	.request_bytes = sizeof(struct model_request),
	.check = set_tag_check,
	.execute = set_tag_execute,
	.summary = "Set a tag of a model version",
};

static const struct field delete_tag_fields[] = {
	FIELD_TEXT(struct model_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct model_request, key, FIELD_REQUIRED),
	FIELDS_END,
};

static bool delete_tag_check(struct call *call, struct error *err)
{
	const struct model_request *r = call->request;
	return version_check(call, err) && model_check_tag_name(r->key, err);
}

static bool delete_tag_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct model_request *r = call->request;
	struct model_change change = {.kind = REGISTRY_VERSION_TAG_DELETED,
				      .name = r->name,
				      .version = r->version_number,
				      .key = r->key};
	return model_version_check(tracker, r->name, r->version_number, &change.model_pk, err) &&
	       model_version_tag_find(tracker, change.model_pk, r->version_number, r->key,
				      call->arena, &change.before, err) &&
	       model_version_tag_delete_in_txn(tracker, change.model_pk, r->version_number, r->key,
					       err) &&
	       model_change(call, tracker, &change, err);
}

const struct endpoint model_versions_delete_tag = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = delete_tag_fields,
	.request_bytes = sizeof(struct model_request),
	.check = delete_tag_check,
	.execute = delete_tag_execute,
	.summary = "Delete a tag of a model version",
};
