/* Owns the endpoints of webhooks, but for the log of deliveries. */
#include "api/webhooks.h"

#include "api/api.h"
#include "api/webhook_message.h"
#include "api/webhook_names.h"
#include "base/random_id.h"
#include "limits.h"
#include "store/webhooks.h"

enum { WEBHOOKS_PAGE_DEFAULT = 100 };

struct event_request {
	struct opt_i64 entity, action;
};
struct webhook_request {
	struct slice name, description, url, secret;
	struct object_list events; /* struct event_request */
	struct event_request event;
	struct opt_i64 status, max_results;
	struct slice page_token;

	/* Set by check: */
	struct slice webhook_id; /* of a new one */
	const struct webhook_event_kind **kinds;
	size_t kind_count;
	const struct webhook_event_kind *test_kind_or_null;
};

static const struct field event_fields[] = {
	FIELD_ENUM(struct event_request, entity, FIELD_REQUIRED, webhook_entity_enum),
	FIELD_ENUM(struct event_request, action, FIELD_REQUIRED, webhook_action_enum),
	FIELDS_END,
};

/* ---- replies ------------------------------------------------------------------------------------ */

static void put_webhook(struct json_writer *w, const struct webhook *webhook)
{
	json_object_begin(w);
	json_put_string(w, "webhook_id", webhook->webhook_id);
	json_put_string(w, "name", webhook->name);
	if (webhook->description.len > 0)
		json_put_string(w, "description", webhook->description);
	json_put_string(w, "url", webhook->url);
	json_key(w, "events");
	json_array_begin(w);
	for (size_t i = 0; i < webhook->event_count; i++) {
		const struct webhook_event_kind *kind = webhook->events[i];
		json_object_begin(w);
		json_put_cstr(w, "entity", webhook_enum_name(webhook_entity_enum, kind->entity));
		json_put_cstr(w, "action", webhook_enum_name(webhook_action_enum, kind->action));
		json_object_end(w);
	}
	json_array_end(w);
	json_put_cstr(w, "status",
		      webhook_enum_name(webhook_status_enum,
					webhook->is_active ? WEBHOOK_ACTIVE : WEBHOOK_DISABLED));
	json_put_int(w, "creation_timestamp", webhook->creation_time_ms);
	json_put_int(w, "last_updated_timestamp", webhook->last_updated_time_ms);
	json_object_end(w);
}

static void webhook_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "webhook");
	put_webhook(w, call->result);
	json_object_end(w);
}

static bool load_webhook(struct call *call, struct db *tracker, struct slice webhook_id,
			 struct webhook **out, struct error *err)
{
	struct webhook *webhook = ARENA_NEW(call->arena, struct webhook, 1);
	call->result = webhook;
	*out = webhook;
	return webhook_load(tracker, webhook_id, call->arena, webhook, err);
}

/* ---- what requests may say ---------------------------------------------------------------------- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool name_is_valid(struct slice name)
{
	if (name.len == 0 || name.len > WEBHOOK_NAME_LENGTH_MAX || !is_alphanumeric(name.ptr[0]) ||
	    !is_alphanumeric(name.ptr[name.len - 1]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

static bool check_name(struct slice name, struct error *err)
{
	char quoted[200];
	return name_is_valid(name) ||
	       error_set(
		       err, ERR_INVALID_PARAMETER_VALUE,
		       "Webhook name '%s' is invalid. It must start and end with a letter or "
		       "digit, be less than 63 characters long, and contain only letters, digits, "
		       "dots (.), underscores (_), and hyphens (-).",
		       error_quote(name, quoted, sizeof(quoted)));
}

static bool check_lengths(const struct webhook_request *r, struct error *err)
{
	if (r->description.len > WEBHOOK_DESCRIPTION_LENGTH_MAX &&
	    slice_utf8_length(r->description) > WEBHOOK_DESCRIPTION_LENGTH_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Webhook description exceeds the maximum length of %d characters.",
				 WEBHOOK_DESCRIPTION_LENGTH_MAX);
	if (r->secret.len > WEBHOOK_SECRET_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Webhook secret exceeds the maximum length of %d bytes.",
				 WEBHOOK_SECRET_BYTES_MAX);
	return true;
}

/* ['deleted', 'set'], sorted by name. */
static struct slice valid_actions(int64_t entity, struct arena *arena)
{
	static const enum webhook_action by_name[] = {
		WEBHOOK_CREATED, WEBHOOK_DELETED, WEBHOOK_EXCEEDED, WEBHOOK_SET, WEBHOOK_UPDATED};
	struct slice list = SLICE("");
	for (size_t i = 0; i < ARRAY_COUNT(by_name); i++) {
		if (webhook_event_kind_find(entity, by_name[i]) != NULL)
			list = arena_printf(arena, "%.*s%s'%s'", SLICE_FMT(list),
					    list.len > 0 ? ", " : "",
					    webhook_action_name(by_name[i]));
	}
	return list;
}

static bool find_kind(const struct event_request *event, struct arena *arena,
		      const struct webhook_event_kind **out, struct error *err)
{
	*out = webhook_event_kind_find(event->entity.value, event->action.value);
	if (*out != NULL)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid action '%s' for entity '%s'. Valid actions are: [%.*s]",
			 webhook_action_name(event->action.value),
			 webhook_entity_name(event->entity.value),
			 SLICE_FMT(valid_actions(event->entity.value, arena)));
}

/* The events as kinds, none twice. */
static bool check_events(struct call *call, struct error *err)
{
	struct webhook_request *r = call->request;
	const struct event_request *events = r->events.items;
	r->kinds = ARENA_NEW(call->arena, const struct webhook_event_kind *,
			     webhook_event_kinds_count);
	for (size_t i = 0; i < r->events.count; i++) {
		const struct webhook_event_kind *kind;
		size_t at = 0;
		if (!find_kind(&events[i], call->arena, &kind, err))
			return false;
		while (at < r->kind_count && r->kinds[at] != kind)
			at++;
		if (at == r->kind_count)
			r->kinds[r->kind_count++] = kind;
	}
	return true;
}

/* ---- create, get, update, delete ---------------------------------------------------------------- */

static const struct field create_fields[] = {
	FIELD_TEXT(struct webhook_request, name, FIELD_REQUIRED),
	FIELD_TEXT(struct webhook_request, url, FIELD_REQUIRED),
	FIELD_OBJECTS(struct webhook_request, events, FIELD_REQUIRED, event_fields,
		      struct event_request),
	FIELD_TEXT(struct webhook_request, description, FIELD_OPTIONAL),
	FIELD_TEXT(struct webhook_request, secret, FIELD_OPTIONAL),
	FIELD_ENUM(struct webhook_request, status, FIELD_OPTIONAL, webhook_status_enum),
	FIELDS_END,
};

static bool create_check(struct call *call, struct error *err)
{
	struct webhook_request *r = call->request;
	char id[RANDOM_UUID_LEN + 1];
	random_uuid(id);
	r->webhook_id = arena_copy(call->arena, slice_from_cstr(id));
	return check_events(call, err) && check_name(r->name, err) &&
	       webhook_url_check(r->url, &call->api->webhook_rules, err) && check_lengths(r, err);
}

static struct slice or_empty(struct slice text)
{
	return slice_is_present(text) ? text : SLICE("");
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct webhook_request *r = call->request;
	struct webhook *created;
	const struct webhook new = {
		.webhook_id = r->webhook_id,
		.name = r->name,
		.description = or_empty(r->description),
		.url = r->url,
		.secret = or_empty(r->secret),
		.is_active = !r->status.is_set || r->status.value == WEBHOOK_ACTIVE,
		.creation_time_ms = call->now_ms,
		.last_updated_time_ms = call->now_ms,
		.events = r->kinds,
		.event_count = r->kind_count,
	};
	return webhook_insert_in_txn(tracker, &new, err) &&
	       load_webhook(call, tracker, r->webhook_id, &created, err);
}

const struct endpoint webhooks_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct webhook_request),
	.check = create_check,
	.execute = create_execute,
	.encode = webhook_encode,
	.summary = "Create a webhook",
};

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct webhook *webhook;
	return load_webhook(call, tracker, call->path_arguments[0], &webhook, err);
}

const struct endpoint webhooks_get = {
	.kind = ENDPOINT_READ,
	.execute = get_execute,
	.encode = webhook_encode,
	.summary = "Get a webhook; its secret is never told",
};

static const struct field update_fields[] = {
	FIELD_TEXT(struct webhook_request, name, FIELD_OPTIONAL),
	FIELD_TEXT(struct webhook_request, description, FIELD_OPTIONAL),
	FIELD_TEXT(struct webhook_request, url, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct webhook_request, events, FIELD_OPTIONAL, event_fields,
		      struct event_request),
	FIELD_TEXT(struct webhook_request, secret, FIELD_OPTIONAL),
	FIELD_ENUM(struct webhook_request, status, FIELD_OPTIONAL, webhook_status_enum),
	FIELDS_END,
};

/* An empty name, URL or list of events changes nothing, as with MLflow. */
static bool update_check(struct call *call, struct error *err)
{
	const struct webhook_request *r = call->request;
	return check_events(call, err) && (r->name.len == 0 || check_name(r->name, err)) &&
	       (r->url.len == 0 || webhook_url_check(r->url, &call->api->webhook_rules, err)) &&
	       check_lengths(r, err);
}

static bool update_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct webhook_request *r = call->request;
	struct webhook *webhook;
	if (!load_webhook(call, tracker, call->path_arguments[0], &webhook, err))
		return false;
	if (r->name.len > 0)
		webhook->name = r->name;
	if (r->url.len > 0)
		webhook->url = r->url;
	if (slice_is_present(r->description))
		webhook->description = r->description;
	if (slice_is_present(r->secret))
		webhook->secret = r->secret;
	if (r->status.is_set)
		webhook->is_active = r->status.value == WEBHOOK_ACTIVE;
	if (r->kind_count > 0) {
		webhook->events = r->kinds;
		webhook->event_count = r->kind_count;
	}
	webhook->last_updated_time_ms = call->now_ms;
	call->wakes_webhooks = true; /* it may have been disabled */
	return webhook_save_in_txn(tracker, webhook, err) &&
	       load_webhook(call, tracker, webhook->webhook_id, &webhook, err);
}

const struct endpoint webhooks_update = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = update_fields,
	.request_bytes = sizeof(struct webhook_request),
	.check = update_check,
	.execute = update_execute,
	.encode = webhook_encode,
	.summary = "Change a webhook",
};

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct webhook *webhook;
	return load_webhook(call, tracker, call->path_arguments[0], &webhook, err) &&
	       webhook_delete_in_txn(tracker, webhook->webhook_pk, err);
}

const struct endpoint webhooks_delete = {
	.kind = ENDPOINT_WRITE,
	.execute = delete_execute,
	.summary = "Delete a webhook with its deliveries",
};

/* ---- list --------------------------------------------------------------------------------------- */

static const struct field list_fields[] = {
	FIELD_I64(struct webhook_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct webhook_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

struct webhooks_page {
	struct webhook_list webhooks;
	struct slice token;
};

static bool list_check(struct call *call, struct error *err)
{
	struct webhook_request *r = call->request;
	if (r->max_results.value == 0)
		r->max_results.value = WEBHOOKS_PAGE_DEFAULT;
	if (r->max_results.value >= 1 && r->max_results.value <= SEARCH_WEBHOOKS_MAX)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "max_results must be between 1 and %d.",
			 SEARCH_WEBHOOKS_MAX);
}

static bool list_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct webhook_request *r = call->request;
	struct webhooks_page *page = ARENA_NEW(call->arena, struct webhooks_page, 1);
	call->result = page;
	return webhooks_list(tracker, (size_t)r->max_results.value, r->page_token, call->arena,
			     &page->webhooks, &page->token, err);
}

static void list_encode(const struct call *call, struct json_writer *w)
{
	const struct webhooks_page *page = call->result;
	json_object_begin(w);
	if (page->webhooks.count > 0) {
		json_key(w, "webhooks");
		json_array_begin(w);
		for (size_t i = 0; i < page->webhooks.count; i++)
			put_webhook(w, &page->webhooks.items[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->token);
	json_object_end(w);
}

const struct endpoint webhooks_search = {
	.kind = ENDPOINT_READ,
	.fields_or_null = list_fields,
	.request_bytes = sizeof(struct webhook_request),
	.check = list_check,
	.execute = list_execute,
	.encode = list_encode,
	.summary = "List webhooks, newest first",
};

/* ---- test --------------------------------------------------------------------------------------- */

static const struct field test_fields[] = {
	FIELD_OBJECT(struct webhook_request, event, FIELD_OPTIONAL, event_fields,
		     struct event_request),
	FIELDS_END,
};

static bool test_check(struct call *call, struct error *err)
{
	struct webhook_request *r = call->request;
	return !r->event.entity.is_set ||
	       find_kind(&r->event, call->arena, &r->test_kind_or_null, err);
}

/* Prepares one attempt with an example: of the event that was asked for, or else of the webhook's first. */
static bool test_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct webhook_request *r = call->request;
	struct outgoing *outgoing = ARENA_NEW(call->arena, struct outgoing, 1);
	char id[RANDOM_UUID_LEN + 1];
	struct webhook *webhook;
	if (!load_webhook(call, tracker, call->path_arguments[0], &webhook, err))
		return false;
	ASSERT(webhook->event_count > 0);
	const struct webhook_event_kind *kind =
		r->test_kind_or_null != NULL ? r->test_kind_or_null : webhook->events[0];
	random_uuid(id);
	const struct webhook_message message = {
		.url = webhook->url,
		.secret = webhook->secret,
		.delivery_id = slice_from_cstr(id),
		.entity = slice_from_cstr(webhook_entity_name(kind->entity)),
		.action = slice_from_cstr(webhook_action_name(kind->action)),
		.data = slice_from_cstr(kind->example),
		.time_ms = call->now_ms,
	};
	webhook_message_build(&message, &call->api->webhook_rules, call->now_ms, call->arena,
			      outgoing);
	call->outgoing_or_null = outgoing;
	return true;
}

static void test_encode(const struct call *call, struct json_writer *w)
{
	const struct outgoing *o = call->outgoing_or_null;
	bool is_answered = o->outcome == OUTGOING_ANSWERED;
	json_object_begin(w);
	json_key(w, "result");
	json_object_begin(w);
	json_put_bool(w, "success", is_answered && o->status >= 200 && o->status <= 299);
	if (is_answered) {
		json_put_int(w, "response_status", o->status);
		json_put_string(w, "response_body", slice_make(o->answer, o->answer_bytes));
	} else {
		json_put_string(w, "error_message",
				arena_printf(call->arena, "Failed to test webhook: %s", o->error));
	}
	json_object_end(w);
	json_object_end(w);
}

const struct endpoint webhooks_test = {
	.kind = ENDPOINT_SEND,
	.fields_or_null = test_fields,
	.request_bytes = sizeof(struct webhook_request),
	.check = test_check,
	.execute = test_execute,
	.encode = test_encode,
	.summary = "Send an example to a webhook, once, and tell what it answered",
};
