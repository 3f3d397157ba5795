/* Changes of the registry as endpoints make them: the row, and the event that tells of it. */
#ifndef TESTS_UNIT_STORE_REGISTRY_WORLD_HELPER_H
#define TESTS_UNIT_STORE_REGISTRY_WORLD_HELPER_H

#include "store/registry_history.h"
#include "unit/store/tracker_db_helper.h"

/* A model with its event. */
struct model_pk world_add_model(struct tracker_db *t, const char *name, int64_t now_ms);
/* Version 1, 2, … with a tag k = v; returns the number of its event. */
int64_t world_add_version(struct tracker_db *t, struct model_pk pk, const char *name, int64_t now_ms);
/* Version 0: nowhere. */
int64_t world_move_alias(struct tracker_db *t, struct model_pk pk, const char *name, const char *alias, int64_t version,
			 int64_t now_ms);
/* An event alone, whose state is {"value": text}; a NULL text: it is gone. */
int64_t world_record(struct tracker_db *t, enum registry_kind kind, struct model_pk pk, const char *name,
		     int64_t version, const char *key, const char *member, const char *text_or_null, int64_t now_ms);

#endif
