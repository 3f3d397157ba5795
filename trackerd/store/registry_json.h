/* The states of what the registry remembers, as JSON: what `before` and `after` of its events hold. Pure; texts are
 * made in the arena. */
#ifndef STORE_REGISTRY_JSON_H
#define STORE_REGISTRY_JSON_H

#include "base/arena.h"
#include "base/json_writer.h"
#include "store/model_entities.h"

/* "tags": [{"key", "value"}…], as a member of the object at hand. */
void registry_json_tags(struct json_writer *w, struct key_value_list tags);
/* "KEY": "57", as a member: a number that MLflow has as a string; "" for 0. */
void registry_json_number(struct json_writer *w, const char *key, int64_t number);

/* {"NAME": "text"}: name, description, stage, or value of a tag; absent for an absent text. */
struct slice registry_json_text(struct arena *arena, const char *name, struct slice text_or_absent);
/* {"version": "4"}; absent for 0. */
struct slice registry_json_alias(struct arena *arena, int64_t version);
/* All but versions, aliases and rules. */
struct slice registry_json_model(struct arena *arena, const struct registered_model *model);
/* All but aliases. */
struct slice registry_json_version(struct arena *arena, const struct model_version *version);

#endif
