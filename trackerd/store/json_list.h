/* Tags that hold a JSON list: mlflow.modelVersions, mlflow.log-model.history. Pure; any thread. */
#ifndef STORE_JSON_LIST_H
#define STORE_JSON_LIST_H

#include "base/arena.h"
#include "base/slice.h"

/* The list with `item` (one JSON value) at its end, in the arena. What is no JSON list, or absent, counts as an empty
 * one: peers can write anything into a tag. */
struct slice json_list_append(struct slice list_or_absent, struct slice item, struct arena *arena);

#endif
