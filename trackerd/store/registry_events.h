/* What happens in the registry, told as events (webhook_events.h): which kind it is, of a model or of a prompt, and
 * its data in the shape that MLflow delivers. */
#ifndef STORE_REGISTRY_EVENTS_H
#define STORE_REGISTRY_EVENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"
#include "store/webhook_events.h"

enum registry_subject {
	REGISTRY_MODEL,       /* name, tags, description */
	REGISTRY_VERSION,     /* name, version, source, run_id, tags, description; of prompts template for the source */
	REGISTRY_MODEL_TAG,   /* name, key, value; told of prompts only */
	REGISTRY_VERSION_TAG, /* name, version, key, value */
	REGISTRY_ALIAS,       /* name, alias, version */
};

struct registry_event {
	enum registry_subject subject;
	enum webhook_action action;
	struct slice name; /* of the model */
	int64_t version;   /* 0: none */
	struct slice key, value, alias;
	struct slice description, source, run_id; /* may be absent */
	struct key_value_list tags;               /* as the request had them */
	int64_t time_ms;
};

/* Emits the event if somebody wants it, which *emitted_out says. After the change itself, in its transaction. */
MUST_CHECK bool registry_event_emit_in_txn(struct db *db, const struct registry_event *event, struct arena *arena,
					   bool *emitted_out, struct error *err);

#endif
