/* The JSON of events of the registry's history: of the pages of history and of live events. Pure. */
#ifndef API_REGISTRY_EVENT_JSON_H
#define API_REGISTRY_EVENT_JSON_H

#include "base/json_writer.h"
#include "store/registry_history.h"

/* {"seq", "time_ms", "kind", "model", "version", "alias", "key", "actor", "client", "cause", "reason", "before",
 * "after", "detail", "sha256"}. */
void registry_event_json(struct json_writer *w, const struct registry_event_row *row);

#endif
