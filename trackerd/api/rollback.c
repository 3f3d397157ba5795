/* Owns the endpoint that rolls an alias back. */
#include "api/rollback.h"

#include <inttypes.h>

#include "api/alias_move.h"
#include "api/entity_json.h"
#include "api/model_validation.h"
#include "api/validation.h"
#include "limits.h"
#include "store/alias_history.h"
#include "store/model_rules.h"
#include "store/model_versions.h"
#include "store/models.h"

struct rollback_request {
	struct slice alias, version, reason;

	/* Set by check: */
	int64_t version_number; /* 0: the one before */
};

struct rollback {
	struct alias_stay stay;
	struct alias_moved moved;
};

static const struct field rollback_fields[] = {
	FIELD_TEXT(struct rollback_request, alias, FIELD_REQUIRED),
	FIELD_TEXT(struct rollback_request, version, FIELD_OPTIONAL),
	FIELD_TEXT(struct rollback_request, reason, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool rollback_check(struct call *call, struct error *err)
{
	struct rollback_request *r = call->request;
	return model_check_name(call->path_arguments[0], err) && model_check_alias(r->alias, err) &&
	       (r->version.len == 0 || model_check_version(r->version, &r->version_number, err)) &&
	       validate_length(r->reason, PROMOTION_REASON_LENGTH_MAX, "'reason'", err);
}

/* A protected alias moves for a reason only. */
static bool check_reason(struct call *call, struct db *tracker, struct model_pk pk,
			 struct error *err)
{
	const struct rollback_request *r = call->request;
	bool is_protected = false;
	char quoted[300];
	if (!model_alias_is_protected(tracker, pk, r->alias, &is_protected, err))
		return false;
	if (!is_protected || slice_trim(r->reason).len > 0)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Alias '%s' is protected: a reason is needed to roll it back.",
			 error_quote(r->alias, quoted, sizeof(quoted)));
}

static bool error_no_stay(const struct call *call, struct error *err)
{
	const struct rollback_request *r = call->request;
	char alias[300], name[300];
	(void)error_quote(r->alias, alias, sizeof(alias));
	(void)error_quote(call->path_arguments[0], name, sizeof(name));
	if (r->version_number != 0)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "Version %" PRId64 " of model '%s' never held '%s' before; only a "
				 "promotion moves the alias there.",
				 r->version_number, name, alias);
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "No version that is still there held '%s' of model '%s' before: there is "
			 "nothing to go back to.",
			 alias, name);
}

static bool find_stay(struct call *call, struct db *tracker, struct model_pk pk,
		      struct alias_stay *stay, struct error *err)
{
	const struct rollback_request *r = call->request;
	bool found = false;
	bool ok = r->version_number == 0
			  ? alias_stay_before(tracker, pk, r->alias, call->arena, stay, &found, err)
			  : alias_stay_of_version(tracker, pk, r->alias, r->version_number,
						  call->arena, stay, &found, err);
	return ok && (found || error_no_stay(call, err));
}

/* Asked for by its number, a version may be where the alias is already. */
static bool check_moved(const struct call *call, const struct rollback *rollback, struct error *err)
{
	const struct rollback_request *r = call->request;
	char alias[300];
	if (rollback->moved.previous_version != rollback->stay.version)
		return true;
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "Alias '%s' points at version %" PRId64 " already.",
			 error_quote(r->alias, alias, sizeof(alias)), rollback->stay.version);
}

static bool rollback_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct rollback_request *r = call->request;
	struct slice name = call->path_arguments[0];
	struct rollback *rollback = ARENA_NEW(call->arena, struct rollback, 1);
	struct model_pk pk;
	call->result = rollback;
	if (!model_find(tracker, name, &pk, err) ||
	    (r->version_number != 0 &&
	     !model_version_check(tracker, name, r->version_number, &pk, err)) ||
	    !check_reason(call, tracker, pk, err) ||
	    !find_stay(call, tracker, pk, &rollback->stay, err))
		return false;
	const struct alias_move move = {.kind = REGISTRY_ALIAS_ROLLED_BACK,
					.model_pk = pk,
					.name = name,
					.alias = r->alias,
					.version = rollback->stay.version,
					.reason = r->reason,
					.detail = alias_stay_detail(&rollback->stay, call->arena)};
	return alias_move_in_txn(call, tracker, &move, &rollback->moved, err) &&
	       check_moved(call, rollback, err);
}

static void rollback_encode(const struct call *call, struct json_writer *w)
{
	const struct rollback_request *r = call->request;
	const struct rollback *rollback = call->result;
	json_object_begin(w);
	json_put_string(w, "model", call->path_arguments[0]);
	json_put_string(w, "alias", r->alias);
	entity_json_put_id(w, "version", rollback->stay.version);
	entity_json_put_id_or_empty(w, "previous_version", rollback->moved.previous_version);
	entity_json_put_id(w, "revision", rollback->moved.revision);
	json_put_int(w, "held_since_ms", rollback->stay.since_ms);
	json_put_int(w, "held_until_ms", rollback->stay.until_ms);
	json_object_end(w);
}

const struct endpoint rollback_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = rollback_fields,
	.request_bytes = sizeof(struct rollback_request),
	.check = rollback_check,
	.execute = rollback_execute,
	.encode = rollback_encode,
	.summary = "Move an alias back to a version that held it before",
};
