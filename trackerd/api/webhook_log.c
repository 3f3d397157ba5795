/* Owns the endpoints of the log of deliveries. */
#include "api/webhook_names.h"
#include "api/webhooks.h"
#include "limits.h"
#include "store/search_page.h"
#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

enum { LOG_PAGE_DEFAULT = 100 };

struct log_request {
	struct opt_i64 max_results;
	struct slice page_token;
	size_t rows_max; /* set by check */
};

static const struct field log_fields[] = {
	FIELD_I64(struct log_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct log_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

struct log_page {
	struct webhook_delivery_list deliveries;
	struct slice token;
};

/* ---- replies ------------------------------------------------------------------------------------ */

static void put_attempt(struct json_writer *w, const struct webhook_attempt *attempt)
{
	json_object_begin(w);
	json_put_int(w, "attempt", attempt->attempt);
	json_put_int(w, "timestamp", attempt->time_ms);
	json_put_int(w, "duration_ms", attempt->duration_ms);
	if (attempt->response_status != 0) {
		json_put_int(w, "response_status", attempt->response_status);
		json_put_string(w, "response_body", attempt->response_body);
	} else {
		json_put_string(w, "error_message", attempt->error_message);
	}
	json_object_end(w);
}

/* What is kept of an event that a later version wrote has no name on the wire: it is shown as it is kept. */
static void put_kind(struct json_writer *w, const struct webhook_delivery *delivery)
{
	const struct webhook_event_kind *kind =
		webhook_event_kind_from_names(delivery->entity, delivery->action);
	struct slice entity = delivery->entity, action = delivery->action;
	if (kind != NULL) {
		entity = slice_from_cstr(webhook_enum_name(webhook_entity_enum, kind->entity));
		action = slice_from_cstr(webhook_enum_name(webhook_action_enum, kind->action));
	}
	json_put_string(w, "entity", entity);
	json_put_string(w, "action", action);
}

static void put_delivery(struct json_writer *w, const struct webhook_delivery *delivery)
{
	json_object_begin(w);
	json_put_string(w, "delivery_id", delivery->delivery_id);
	put_kind(w, delivery);
	json_put_int(w, "event_timestamp", delivery->event_time_ms);
	json_put_string(w, "state", delivery->state);
	if (slice_eq(delivery->state, SLICE("PENDING")))
		json_put_int(w, "next_attempt_timestamp", delivery->next_attempt_ms);
	if (delivery->attempts.count > 0) {
		json_key(w, "attempts");
		json_array_begin(w);
		for (size_t i = 0; i < delivery->attempts.count; i++)
			put_attempt(w, &delivery->attempts.items[i]);
		json_array_end(w);
	}
	json_object_end(w);
}

/* ---- list --------------------------------------------------------------------------------------- */

static bool list_check(struct call *call, struct error *err)
{
	struct log_request *r = call->request;
	return search_page_rows_max(r->max_results.is_set, r->max_results.value, LOG_PAGE_DEFAULT,
				    SEARCH_WEBHOOKS_MAX, &r->rows_max, err);
}

static bool list_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct log_request *r = call->request;
	struct log_page *page = ARENA_NEW(call->arena, struct log_page, 1);
	struct webhook webhook;
	call->result = page;
	return webhook_load(tracker, call->path_arguments[0], call->arena, &webhook, err) &&
	       webhook_deliveries_list(tracker, webhook.webhook_pk, r->rows_max, r->page_token,
				       call->arena, &page->deliveries, &page->token, err);
}

static void list_encode(const struct call *call, struct json_writer *w)
{
	const struct log_page *page = call->result;
	json_object_begin(w);
	if (page->deliveries.count > 0) {
		json_key(w, "deliveries");
		json_array_begin(w);
		for (size_t i = 0; i < page->deliveries.count; i++)
			put_delivery(w, &page->deliveries.items[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->token);
	json_object_end(w);
}

const struct endpoint webhook_log_list = {
	.kind = ENDPOINT_READ,
	.fields_or_null = log_fields,
	.request_bytes = sizeof(struct log_request),
	.check = list_check,
	.execute = list_execute,
	.encode = list_encode,
	.summary = "The deliveries of a webhook with their attempts, newest first",
};

/* ---- replay ------------------------------------------------------------------------------------- */

static bool replay_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct webhook_delivery *delivery = ARENA_NEW(call->arena, struct webhook_delivery, 1);
	struct webhook webhook;
	call->result = delivery;
	call->wakes_webhooks = true;
	return webhook_load(tracker, call->path_arguments[0], call->arena, &webhook, err) &&
	       webhook_delivery_load(tracker, webhook.webhook_pk, call->path_arguments[1],
				     call->arena, delivery, err) &&
	       webhook_delivery_replay_in_txn(tracker, webhook.webhook_pk, delivery, call->now_ms,
					      err);
}

static void replay_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "delivery");
	put_delivery(w, call->result);
	json_object_end(w);
}

const struct endpoint webhook_log_replay = {
	.kind = ENDPOINT_WRITE,
	.execute = replay_execute,
	.encode = replay_encode,
	.summary = "Queue a delivery again, or try it now if it waits",
};
