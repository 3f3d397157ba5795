/* Tells webhooks of what an endpoint of the registry changed. */
#ifndef API_MODEL_EVENTS_H
#define API_MODEL_EVENTS_H

#include "api/endpoint.h"
#include "store/registry_events.h"

/* For the end of `execute`: emits the event in its transaction, and has the reply wake who delivers it. time_ms is
 * set here. */
MUST_CHECK bool model_event_emit(struct call *call, struct db *tracker, struct registry_event event,
				 struct error *err);

#endif
