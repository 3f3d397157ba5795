/* Owns the endpoints of deployments. */
#include "api/deployments.h"

#include "api/actor.h"
#include "api/deployment_json.h"
#include "api/validation.h"
#include "limits.h"
#include "store/search_page.h"

enum { DEPLOYMENTS_PAGE_DEFAULT = 100, DEPLOYMENT_ID_LEN = 32 };

/* ---- reporting ---------------------------------------------------------------------------------- */

struct report_request {
	struct slice model, version, previous_version, alias, environment, target, host, path,
		state, reason;
	struct opt_i64 heartbeat_ms;
	struct deployment report; /* set by check */
};

static const struct field report_fields[] = {
	FIELD_TEXT(struct report_request, model, FIELD_REQUIRED),
	FIELD_TEXT(struct report_request, state, FIELD_REQUIRED),
	FIELD_TEXT(struct report_request, version, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, previous_version, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, alias, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, environment, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, target, FIELD_REQUIRED),
	FIELD_TEXT(struct report_request, host, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, path, FIELD_OPTIONAL),
	FIELD_TEXT(struct report_request, reason, FIELD_OPTIONAL),
	FIELD_I64(struct report_request, heartbeat_ms, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool check_id(struct slice id, struct error *err)
{
	char quoted[200];
	bool is_hex = id.len == DEPLOYMENT_ID_LEN;
	for (size_t i = 0; i < id.len && is_hex; i++)
		is_hex = slice_hex_digit(id.ptr[i]) >= 0 && !(id.ptr[i] >= 'A' && id.ptr[i] <= 'F');
	return is_hex || error_set(err, ERR_INVALID_PARAMETER_VALUE,
				   "Invalid deployment ID '%s'. It is made by the target, once: %d "
				   "hexadecimal digits in lower case.",
				   error_quote(id, quoted, sizeof(quoted)), DEPLOYMENT_ID_LEN);
}

static bool check_texts(const struct report_request *r, struct error *err)
{
	const struct {
		struct slice text;
		const char *name;
		size_t length_max;
	} texts[] = {
		{r->model, "'model'", DEPLOYMENT_PATH_LENGTH_MAX},
		{r->alias, "'alias'", ALIAS_LENGTH_MAX},
		{r->environment, "'environment'", DEPLOYMENT_TEXT_LENGTH_MAX},
		{r->target, "'target'", DEPLOYMENT_TEXT_LENGTH_MAX},
		{r->host, "'host'", DEPLOYMENT_TEXT_LENGTH_MAX},
		{r->path, "'path'", DEPLOYMENT_PATH_LENGTH_MAX},
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (!validate_length(texts[i].text, texts[i].length_max, texts[i].name, err))
			return false;
	}
	return true;
}

/* "" is none. */
static bool check_version(struct slice text, const char *name, int64_t *out, struct error *err)
{
	char quoted[64];
	*out = 0;
	if (text.len == 0 || (slice_parse_i64(text, out) && *out >= 1))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Parameter '%s' must be the number of a version as a text, or empty for "
			 "none; got '%s'.",
			 name, error_quote(text, quoted, sizeof(quoted)));
}

static bool check_state(const struct report_request *r, int64_t version, enum deployment_state *out,
			struct error *err)
{
	char quoted[64];
	enum deployment_state state = deployment_state_from_name(r->state);
	if (!deployment_state_may_become(DEPLOYMENT_UNKNOWN, state) && state != DEPLOYMENT_STALE)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid state '%s'. A target reports deploying, active, "
				 "rolled_back or failed, and stale when it ends.",
				 error_quote(r->state, quoted, sizeof(quoted)));
	if (version == 0 && state != DEPLOYMENT_FAILED && state != DEPLOYMENT_STALE)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "A deployment that is %s has a version: parameter 'version' says "
				 "which. Only one that failed or ended may have none in place.",
				 deployment_state_name(state));
	*out = state;
	return true;
}

static bool check_heartbeat(struct opt_i64 heartbeat_ms, struct error *err)
{
	int64_t ms = heartbeat_ms.value;
	return ms == 0 ||
	       (ms >= DEPLOYMENT_HEARTBEAT_MS_MIN && ms <= DEPLOYMENT_HEARTBEAT_MS_MAX) ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Parameter 'heartbeat_ms' must be between %d and %d, or 0 for a target "
			 "that sends no heartbeats.",
			 DEPLOYMENT_HEARTBEAT_MS_MIN, DEPLOYMENT_HEARTBEAT_MS_MAX);
}

static bool report_check(struct call *call, struct error *err)
{
	struct report_request *r = call->request;
	struct registry_author author;
	enum deployment_state state = DEPLOYMENT_UNKNOWN;
	int64_t version, previous_version;
	if (!check_id(call->path_arguments[0], err) || !check_texts(r, err) ||
	    !check_version(r->version, "version", &version, err) ||
	    !check_version(r->previous_version, "previous_version", &previous_version, err) ||
	    !check_state(r, version, &state, err) || !check_heartbeat(r->heartbeat_ms, err) ||
	    !actor_of_request(call->http, (struct slice){0}, call->arena, &author, err))
		return false;
	r->report = (struct deployment){
		.deployment_id = call->path_arguments[0],
		.state = state,
		.heartbeat_ms = r->heartbeat_ms.value,
		.model = r->model,
		.version = version,
		.previous_version = slice_is_present(r->previous_version) ? previous_version : -1,
		.alias = slice_or_empty(r->alias),
		.environment = slice_or_empty(r->environment),
		.target = r->target,
		.host = slice_or_empty(r->host),
		.path = slice_or_empty(r->path),
		.reason = slice_utf8_first(slice_or_empty(r->reason), DEPLOYMENT_REASON_LENGTH_MAX),
		.actor = author.actor,
	};
	return true;
}

static bool load(struct call *call, struct db *tracker, struct error *err)
{
	struct deployment *d = ARENA_NEW(call->arena, struct deployment, 1);
	call->result = d;
	return deployment_load(tracker, call->path_arguments[0], call->arena, d, err);
}

static bool report_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct report_request *r = call->request;
	bool has_changed = false;
	if (!deployment_report_in_txn(tracker, &r->report, call->now_ms, call->arena, &has_changed,
				      err))
		return false;
	call->wakes_deployments = true; /* its heartbeats may be others than before */
	if (has_changed)
		call_tell_deployment(call, r->report.deployment_id);
	return load(call, tracker, err);
}

static void deployment_encode(const struct call *call, struct json_writer *w)
{
	deployment_json(w, call->result);
}

const struct endpoint deployments_report = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = report_fields,
	.request_bytes = sizeof(struct report_request),
	.check = report_check,
	.execute = report_execute,
	.encode = deployment_encode,
	.summary = "Report what a target runs",
};

/* ---- heartbeats --------------------------------------------------------------------------------- */

static bool heartbeat_execute(struct call *call, struct db *tracker, struct error *err)
{
	enum deployment_state *state = ARENA_NEW(call->arena, enum deployment_state, 1);
	bool has_changed = false;
	call->result = state;
	if (!deployment_heartbeat_in_txn(tracker, call->path_arguments[0], call->now_ms,
					 call->arena, state, &has_changed, err))
		return false;
	call->wakes_deployments = has_changed;
	if (has_changed)
		call_tell_deployment(call, call->path_arguments[0]);
	return true;
}

static void heartbeat_encode(const struct call *call, struct json_writer *w)
{
	const enum deployment_state *state = call->result;
	json_object_begin(w);
	json_put_cstr(w, "state", deployment_state_name(*state));
	json_object_end(w);
}

const struct endpoint deployments_heartbeat = {
	.kind = ENDPOINT_WRITE,
	.execute = heartbeat_execute,
	.encode = heartbeat_encode,
	.summary = "Say that a target is still there",
};

/* ---- forgetting --------------------------------------------------------------------------------- */

static bool forget_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct registry_author author;
	if (!actor_of_request(call->http, (struct slice){0}, call->arena, &author, err) ||
	    !deployment_forget_in_txn(tracker, call->path_arguments[0], author.actor, call->now_ms,
				      call->arena, err))
		return false;
	call->wakes_deployments = true;
	call_tell_deployment(call, call->path_arguments[0]);
	return true;
}

const struct endpoint deployments_forget = {
	.kind = ENDPOINT_WRITE,
	.execute = forget_execute,
	.summary = "Forget a target that is gone; its history stays",
};

/* ---- looking ------------------------------------------------------------------------------------ */

struct list_request {
	struct slice model, environment, target, state, page_token;
	struct opt_i64 max_results;
	/* Set by check: */
	size_t rows_max;
	enum deployment_state wanted;
};

static const struct field list_fields[] = {
	FIELD_TEXT(struct list_request, model, FIELD_OPTIONAL),
	FIELD_TEXT(struct list_request, environment, FIELD_OPTIONAL),
	FIELD_TEXT(struct list_request, target, FIELD_OPTIONAL),
	FIELD_TEXT(struct list_request, state, FIELD_OPTIONAL),
	FIELD_I64(struct list_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct list_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

struct deployments_page {
	struct deployment_list deployments;
	struct slice token;
};

static bool check_page(struct list_request *r, struct error *err)
{
	return search_page_rows_max(r->max_results.is_set, r->max_results.value,
				    DEPLOYMENTS_PAGE_DEFAULT, SEARCH_DEPLOYMENTS_MAX, &r->rows_max,
				    err);
}

static bool list_check(struct call *call, struct error *err)
{
	struct list_request *r = call->request;
	char quoted[64];
	r->wanted = deployment_state_from_name(r->state);
	if (r->state.len > 0 &&
	    (r->wanted == DEPLOYMENT_UNKNOWN || r->wanted == DEPLOYMENT_FORGOTTEN))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid state '%s'. A deployment is deploying, active, "
				 "rolled_back, failed or stale.",
				 error_quote(r->state, quoted, sizeof(quoted)));
	return check_page(r, err);
}

static bool list_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_request *r = call->request;
	struct deployments_page *page = ARENA_NEW(call->arena, struct deployments_page, 1);
	const struct deployment_filter filter = {.model = r->model,
						 .environment = r->environment,
						 .target = r->target,
						 .state = r->wanted};
	call->result = page;
	return deployments_list(tracker, &filter, r->rows_max, r->page_token, call->arena,
				&page->deployments, &page->token, err);
}

static void list_encode(const struct call *call, struct json_writer *w)
{
	const struct deployments_page *page = call->result;
	json_object_begin(w);
	json_key(w, "deployments");
	json_array_begin(w);
	for (size_t i = 0; i < page->deployments.count; i++)
		deployment_json(w, &page->deployments.items[i]);
	json_array_end(w);
	json_put_string(w, "next_page_token", slice_or_empty(page->token));
	json_object_end(w);
}

const struct endpoint deployments_search = {
	.kind = ENDPOINT_READ,
	.fields_or_null = list_fields,
	.request_bytes = sizeof(struct list_request),
	.shows_revision = true,
	.check = list_check,
	.execute = list_execute,
	.encode = list_encode,
	.summary = "What runs where, and whether it is what the aliases mean",
};

const struct endpoint deployments_get = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.execute = load,
	.encode = deployment_encode,
	.summary = "Get a deployment",
};

/* ---- history ------------------------------------------------------------------------------------ */

static const struct field history_fields[] = {
	FIELD_I64(struct list_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct list_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

struct changes_page {
	struct deployment_change_list changes;
	struct slice token;
};

static bool history_check(struct call *call, struct error *err)
{
	return check_page(call->request, err);
}

static bool history_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_request *r = call->request;
	struct changes_page *page = ARENA_NEW(call->arena, struct changes_page, 1);
	call->result = page;
	return deployment_changes_list(tracker, call->path_arguments[0], r->rows_max, r->page_token,
				       call->arena, &page->changes, &page->token, err);
}

static void history_encode(const struct call *call, struct json_writer *w)
{
	const struct changes_page *page = call->result;
	json_object_begin(w);
	json_key(w, "changes");
	json_array_begin(w);
	for (size_t i = 0; i < page->changes.count; i++)
		deployment_json_change(w, &page->changes.items[i]);
	json_array_end(w);
	json_put_string(w, "next_page_token", slice_or_empty(page->token));
	json_object_end(w);
}

const struct endpoint deployments_history = {
	.kind = ENDPOINT_READ,
	.fields_or_null = history_fields,
	.request_bytes = sizeof(struct list_request),
	.shows_revision = true,
	.check = history_check,
	.execute = history_execute,
	.encode = history_encode,
	.summary = "What a target ran before, newest first; also of one that was forgotten",
};
