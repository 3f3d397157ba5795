/* Owns the way from endpoints of the registry to the outbox. */
#include "api/model_events.h"

bool model_event_emit(struct call *call, struct db *tracker, struct registry_event event,
		      struct error *err)
{
	event.time_ms = call->now_ms;
	return registry_event_emit_in_txn(tracker, &event, call->arena, &call->wakes_webhooks, err);
}
