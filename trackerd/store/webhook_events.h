/* Events that webhooks can ask for, and the outbox that remembers them until they are delivered.
 *
 * An event is emitted inside the transaction of the change it tells of: when that commits, the event is on the disk;
 * when it does not, there was none. Who sends it, and when, is webhook_deliveries.h's business. */
#ifndef STORE_WEBHOOK_EVENTS_H
#define STORE_WEBHOOK_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

/* MLflow's numbers. */
enum webhook_entity {
	WEBHOOK_REGISTERED_MODEL = 1,
	WEBHOOK_MODEL_VERSION,
	WEBHOOK_MODEL_VERSION_TAG,
	WEBHOOK_MODEL_VERSION_ALIAS,
	WEBHOOK_PROMPT,
	WEBHOOK_PROMPT_VERSION,
	WEBHOOK_PROMPT_TAG,
	WEBHOOK_PROMPT_VERSION_TAG,
	WEBHOOK_PROMPT_ALIAS,
	WEBHOOK_BUDGET_POLICY,
	WEBHOOK_ENTITIES_END
};
enum webhook_action {
	WEBHOOK_CREATED = 1,
	WEBHOOK_UPDATED,
	WEBHOOK_DELETED,
	WEBHOOK_SET,
	WEBHOOK_EXCEEDED,
	WEBHOOK_ACTIONS_END
};

/* What a webhook can ask for. */
struct webhook_event_kind {
	enum webhook_entity entity;
	enum webhook_action action;
	const char *example; /* data of a test delivery: a JSON object */
};

/* All kinds; 15 today. BUDGET_POLICY EXCEEDED can be asked for and never happens here. */
extern const struct webhook_event_kind webhook_event_kinds[];
extern const size_t webhook_event_kinds_count;

/* NULL when there is no such kind. */
const struct webhook_event_kind *webhook_event_kind_find(int64_t entity, int64_t action);
const struct webhook_event_kind *webhook_event_kind_from_names(struct slice entity, struct slice action);
/* "registered_model", "created": as in the database and in what is delivered. Static texts. */
const char *webhook_entity_name(int64_t entity);
const char *webhook_action_name(int64_t action);

struct webhook_event {
	struct slice entity, action;
	struct slice data; /* a JSON object */
	int64_t time_ms;
};

/* Does any active webhook ask for it? Costs one look into an index. */
MUST_CHECK bool webhook_event_is_wanted(struct db *db, struct slice entity, struct slice action, bool *wanted_out,
					struct error *err);
/* Writes the event, and a delivery for each active webhook that asked for it; nothing when there is none. A webhook
 * with WEBHOOK_PENDING_MAX deliveries waiting gets it as one that failed, which can be replayed. */
MUST_CHECK bool webhook_event_emit_in_txn(struct db *db, const struct webhook_event *event, struct error *err);

#endif
