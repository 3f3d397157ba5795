/* Owns the endpoints that check and make promotions. */
#include "api/promotions.h"

#include <inttypes.h>

#include "api/alias_move.h"
#include "api/entity_json.h"
#include "api/model_validation.h"
#include "api/promotion_check.h"
#include "api/validation.h"
#include "limits.h"
#include "store/model_versions.h"
#include "store/snapshot.h"

struct promotion_request {
	struct slice version, alias, reason;
	struct opt_bool force;

	/* Set by check: */
	int64_t version_number;
};

struct promotion {
	struct promotion_checks checks;
	bool is_promoted;
	struct alias_moved moved;
};

static struct slice model_name(const struct call *call)
{
	return call->path_arguments[0];
}

static bool check_common(struct call *call, struct error *err)
{
	struct promotion_request *r = call->request;
	return model_check_name(model_name(call), err) &&
	       model_check_version(r->version, &r->version_number, err) &&
	       model_check_new_alias(r->alias, err);
}

/* Checks the requirements; the model's row comes out as well. */
static bool review(struct call *call, struct db *tracker, struct model_pk *pk,
		   struct promotion *promotion, struct error *err)
{
	const struct promotion_request *r = call->request;
	call->result = promotion;
	return model_version_check(tracker, model_name(call), r->version_number, pk, err) &&
	       promotion_check(tracker, *pk, model_name(call), r->version_number, r->alias,
			       call->arena, &promotion->checks, err);
}

/* ---- check -------------------------------------------------------------------------------------- */

static const struct field check_fields[] = {
	FIELD_TEXT(struct promotion_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct promotion_request, alias, FIELD_REQUIRED),
	FIELDS_END,
};

static bool check_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct promotion *promotion = ARENA_NEW(call->arena, struct promotion, 1);
	struct model_pk pk;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && review(call, tracker, &pk, promotion, err);
	snapshot_release(snapshot);
	return ok;
}

static void check_encode(const struct call *call, struct json_writer *w)
{
	const struct promotion_request *r = call->request;
	const struct promotion *promotion = call->result;
	json_object_begin(w);
	json_put_bool(w, "ok", promotion->checks.failed_count == 0);
	json_put_string(w, "model", model_name(call));
	entity_json_put_id(w, "version", r->version_number);
	json_put_string(w, "alias", r->alias);
	entity_json_put_id_or_empty(w, "holder", promotion->checks.holder);
	promotion_checks_json(w, &promotion->checks);
	json_object_end(w);
}

const struct endpoint promotions_check = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = check_fields,
	.request_bytes = sizeof(struct promotion_request),
	.check = check_common,
	.execute = check_execute,
	.encode = check_encode,
	.summary = "Check a version against the requirements of its model",
};

/* ---- promote ------------------------------------------------------------------------------------ */

static const struct field create_fields[] = {
	FIELD_TEXT(struct promotion_request, version, FIELD_REQUIRED),
	FIELD_TEXT(struct promotion_request, alias, FIELD_REQUIRED),
	FIELD_TEXT(struct promotion_request, reason, FIELD_REQUIRED),
	FIELD_BOOL(struct promotion_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool create_check(struct call *call, struct error *err)
{
	const struct promotion_request *r = call->request;
	if (slice_trim(r->reason).len == 0)
		return fields_error_missing(err, "reason");
	return check_common(call, err) &&
	       validate_length(r->reason, PROMOTION_REASON_LENGTH_MAX, "'reason'", err);
}

/* {"forced": false, "checks": […]}: what the history keeps. */
static struct slice detail_of(const struct promotion_checks *checks, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, arena, BODY_BYTES_MAX);
	json_writer_init(&w, &text);
	json_object_begin(&w);
	json_put_bool(&w, "forced", checks->failed_count > 0);
	promotion_checks_json(&w, checks);
	json_object_end(&w);
	return buffer_slice(&text);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct promotion_request *r = call->request;
	struct promotion *promotion = ARENA_NEW(call->arena, struct promotion, 1);
	struct model_pk pk;
	if (!review(call, tracker, &pk, promotion, err))
		return false;
	promotion->is_promoted = promotion->checks.failed_count == 0 || r->force.value;
	call->status = promotion->is_promoted ? 200 : error_http_status(ERR_REQUIREMENTS_NOT_MET);
	if (!promotion->is_promoted)
		return true;
	const struct alias_move move = {.kind = REGISTRY_ALIAS_PROMOTED,
					.model_pk = pk,
					.name = model_name(call),
					.alias = r->alias,
					.version = r->version_number,
					.reason = r->reason,
					.detail = detail_of(&promotion->checks, call->arena)};
	return alias_move_in_txn(call, tracker, &move, &promotion->moved, err);
}

static void put_refusal(const struct call *call, const struct promotion *promotion,
			struct json_writer *w)
{
	const struct promotion_request *r = call->request;
	const struct promotion_checks *checks = &promotion->checks;
	struct slice message =
		arena_printf(call->arena,
			     "Version %" PRId64
			     " of model '%.*s' was not promoted to '%.*s': it fails %zu of %zu "
			     "requirements",
			     r->version_number, SLICE_FMT(model_name(call)), SLICE_FMT(r->alias),
			     checks->failed_count, checks->count);
	const char *separator = ": ";
	for (size_t i = 0; i < checks->count; i++) {
		if (checks->items[i].ok)
			continue;
		message = arena_printf(call->arena, "%.*s%s%.*s", SLICE_FMT(message), separator,
				       SLICE_FMT(checks->items[i].text));
		separator = "; ";
	}
	json_put_cstr(w, "error_code", error_code_name(ERR_REQUIREMENTS_NOT_MET));
	json_put_string(w, "message",
			arena_concat(call->arena, message,
				     SLICE(". force=true promotes it anyway, and is recorded.")));
}

static void create_encode(const struct call *call, struct json_writer *w)
{
	const struct promotion_request *r = call->request;
	const struct promotion *promotion = call->result;
	json_object_begin(w);
	if (!promotion->is_promoted)
		put_refusal(call, promotion, w);
	json_put_bool(w, "promoted", promotion->is_promoted);
	json_put_bool(w, "forced", promotion->is_promoted && promotion->checks.failed_count > 0);
	json_put_string(w, "model", model_name(call));
	entity_json_put_id(w, "version", r->version_number);
	json_put_string(w, "alias", r->alias);
	entity_json_put_id_or_empty(w, "previous_version", promotion->checks.holder);
	if (promotion->is_promoted)
		entity_json_put_id(w, "revision", promotion->moved.revision);
	promotion_checks_json(w, &promotion->checks);
	json_object_end(w);
}

const struct endpoint promotions_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct promotion_request),
	.check = create_check,
	.execute = create_execute,
	.encode = create_encode,
	.summary = "Move an alias to a version that meets the requirements",
};
