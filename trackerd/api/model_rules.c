/* Owns the endpoints of models' rules, and the protection of aliases. */
#include "api/model_rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/byte_range.h"
#include "api/model_events.h"
#include "api/model_validation.h"
#include "limits.h"
#include "search/page_token.h"
#include "search/requirement.h"
#include "store/model_rules.h"
#include "store/models.h"
#include "store/registry_history.h"
#include "store/snapshot.h"

struct rules_request {
	struct text_list requirements, protected_aliases;
};

struct rules_result {
	struct model_rules rules;
	struct slice *unheld_aliases; /* of the requirements: nobody holds them, so that nothing is compared */
	size_t unheld_count;
};

static const struct field put_fields[] = {
	FIELD_TEXTS(struct rules_request, requirements, FIELD_OPTIONAL),
	FIELD_TEXTS(struct rules_request, protected_aliases, FIELD_OPTIONAL),
	FIELDS_END,
};

/* ---- shared by both ----------------------------------------------------------------------------- */

/* What the rules are, as an ETag: rules that read the same have the same. */
static struct slice rules_etag(const struct model_rules *rules, struct arena *arena)
{
	uint64_t digest = page_query_begin("rules");
	digest = page_query_texts(digest, rules->requirements, rules->requirement_count);
	digest = page_query_texts(digest, rules->protected_aliases, rules->protected_count);
	return arena_printf(arena, "\"%016" PRIx64 "\"", digest);
}

static void rules_encode(const struct call *call, struct json_writer *w)
{
	const struct rules_result *result = call->result;
	struct slice revision = slice_make(call->etag.ptr + 1, call->etag.len - 2);
	json_object_begin(w);
	json_put_string(w, "model", call->path_arguments[0]);
	json_put_string(w, "revision", revision);
	model_rules_json_members(w, &result->rules);
	json_key(w, "unheld_aliases");
	json_array_begin(w);
	for (size_t i = 0; i < result->unheld_count; i++)
		json_string(w, result->unheld_aliases[i]);
	json_array_end(w);
	json_object_end(w);
}

static bool has_text(const struct slice *items, size_t count, struct slice text)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq(items[i], text))
			return true;
	}
	return false;
}

static bool find_unheld(struct call *call, struct db *tracker, struct model_pk pk,
			struct rules_result *result, struct error *err)
{
	const struct model_rules *rules = &result->rules;
	result->unheld_aliases = ARENA_NEW(call->arena, struct slice, rules->requirement_count + 1);
	result->unheld_count = 0;
	for (size_t i = 0; i < rules->requirement_count; i++) {
		struct requirement r;
		struct registry_alias_event last;
		struct error unreadable; /* shown all the same, so that it can be removed */
		if (!requirement_parse(rules->requirements[i], call->arena, &r, &unreadable) ||
		    !slice_is_present(r.alias) ||
		    has_text(result->unheld_aliases, result->unheld_count, r.alias))
			continue;
		if (!registry_alias_event_load(tracker, pk, r.alias, call->arena, &last, err))
			return false;
		if (last.version == 0)
			result->unheld_aliases[result->unheld_count++] = r.alias;
	}
	return true;
}

/* ---- showing ------------------------------------------------------------------------------------ */

static bool get_check(struct call *call, struct error *err)
{
	return model_check_name(call->path_arguments[0], err);
}

static bool load(struct call *call, struct db *tracker, struct rules_result *result,
		 struct error *err)
{
	struct model_pk pk;
	return model_find(tracker, call->path_arguments[0], &pk, err) &&
	       model_rules_load(tracker, pk, call->arena, &result->rules, err) &&
	       find_unheld(call, tracker, pk, result, err);
}

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct rules_result *result = ARENA_NEW(call->arena, struct rules_result, 1);
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && load(call, tracker, result, err);
	snapshot_release(snapshot);
	call->result = result;
	if (ok)
		call->etag = rules_etag(&result->rules, call->arena);
	return ok;
}

const struct endpoint model_rules_get = {
	.kind = ENDPOINT_READ,
	.check = get_check,
	.execute = get_execute,
	.encode = rules_encode,
	.summary = "Get the requirements and protected aliases of a model",
};

/* ---- setting ------------------------------------------------------------------------------------ */

/* To their canonical spelling, each once. */
static bool check_requirements(struct call *call, struct text_list *list, struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct requirement r;
		if (!requirement_parse(list->items[i], call->arena, &r, err) ||
		    (slice_is_present(r.alias) && !model_check_new_alias(r.alias, err)))
			return false;
		if (has_text(list->items, count, r.text))
			continue;
		if (count == REQUIREMENTS_MAX)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "A model has at most %d requirements.", REQUIREMENTS_MAX);
		list->items[count++] = r.text;
	}
	list->count = count;
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sorted, each once. */
static bool check_protected(struct text_list *list, struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].len == 0)
			return fields_error_missing(err, "protected_aliases");
		if (!model_check_new_alias(list->items[i], err))
			return false;
		if (has_text(list->items, count, list->items[i]))
			continue;
		if (count == PROTECTED_ALIASES_MAX)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "A model has at most %d protected aliases.",
					 PROTECTED_ALIASES_MAX);
		list->items[count++] = list->items[i];
	}
	if (count > 1)
		qsort(list->items, count, sizeof(*list->items), compare_texts);
	list->count = count;
	return true;
}

static bool put_check(struct call *call, struct error *err)
{
	struct rules_request *r = call->request;
	return model_check_name(call->path_arguments[0], err) &&
	       check_requirements(call, &r->requirements, err) &&
	       check_protected(&r->protected_aliases, err);
}

static bool check_precondition(const struct call *call, const struct model_rules *rules,
			       struct error *err)
{
	struct slice wanted = http_request_header(call->http, "If-Match");
	char quoted[300];
	if (!slice_is_present(wanted) ||
	    byte_range_etag_is_same(wanted, rules_etag(rules, call->arena)))
		return true;
	return error_set(err, ERR_PRECONDITION_FAILED,
			 "The rules of model '%s' were changed meanwhile. Read them again, then "
			 "decide.",
			 error_quote(call->path_arguments[0], quoted, sizeof(quoted)));
}

static bool put_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct rules_request *r = call->request;
	struct slice name = call->path_arguments[0];
	struct rules_result *result = ARENA_NEW(call->arena, struct rules_result, 1);
	struct model_rules before, *after = &result->rules;
	struct model_pk pk;
	if (!model_find(tracker, name, &pk, err) ||
	    !model_rules_load(tracker, pk, call->arena, &before, err) ||
	    !check_precondition(call, &before, err))
		return false;
	*after = before;
	if (r->requirements.is_set) {
		after->requirements = r->requirements.items;
		after->requirement_count = r->requirements.count;
	}
	if (r->protected_aliases.is_set) {
		after->protected_aliases = r->protected_aliases.items;
		after->protected_count = r->protected_aliases.count;
	}
	call->result = result;
	call->etag = rules_etag(after, call->arena);
	struct model_change change = {.kind = REGISTRY_MODEL_RULES_SET,
				      .model_pk = pk,
				      .name = name,
				      .before = model_rules_json(&before, call->arena),
				      .after = model_rules_json(after, call->arena)};
	return model_rules_put_in_txn(tracker, pk, after, err) &&
	       find_unheld(call, tracker, pk, result, err) &&
	       model_change(call, tracker, &change, err);
}

const struct endpoint model_rules_put = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = put_fields,
	.request_bytes = sizeof(struct rules_request),
	.check = put_check,
	.execute = put_execute,
	.encode = rules_encode,
	.summary = "Set the requirements and protected aliases of a model",
};

/* ---- protection --------------------------------------------------------------------------------- */

bool model_rules_allow_alias(struct db *tracker, struct model_pk pk, struct slice name,
			     struct slice alias, int64_t version, struct error *err)
{
	char quoted[300], quoted_alias[300];
	bool is_protected = false;
	if (!model_alias_is_protected(tracker, pk, alias, &is_protected, err))
		return false;
	if (!is_protected)
		return true;
	(void)error_quote(name, quoted, sizeof(quoted));
	(void)error_quote(alias, quoted_alias, sizeof(quoted_alias));
	if (version == 0)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "Alias '%s' of model '%s' is protected and cannot be deleted; "
				 "use trk models require %s --unprotect %s first.",
				 quoted_alias, quoted, quoted, quoted_alias);
	return error_set(err, ERR_PERMISSION_DENIED,
			 "Alias '%s' of model '%s' is protected; use trk promote %s %" PRId64
			 " --to %s --reason TEXT.",
			 quoted_alias, quoted, quoted, version, quoted_alias);
}

bool model_rules_allow_deletion(struct call *call, struct db *tracker, struct model_pk pk,
				struct slice name, int64_t version, struct error *err)
{
	char quoted[300], alias[300];
	struct model_alias held;
	if (!model_protected_alias_of(tracker, pk, version, call->arena, &held, err))
		return false;
	if (!slice_is_present(held.alias))
		return true;
	return error_set(err, ERR_PERMISSION_DENIED,
			 "Version %" PRId64 " of model '%s' holds the protected alias '%s'; %s"
			 "force=true deletes %s anyway.",
			 held.version, error_quote(name, quoted, sizeof(quoted)),
			 error_quote(held.alias, alias, sizeof(alias)),
			 version != 0 ? "promote another version first. " : "",
			 version != 0 ? "it" : "the model");
}
