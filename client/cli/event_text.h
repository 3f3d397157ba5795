/* What happened, in words for people: events of a model's history, and those of the live stream.
 *
 * Pure. Results are in the arena; texts of others in them are not cleaned for a terminal. */
#ifndef CLI_EVENT_TEXT_H
#define CLI_EVENT_TEXT_H

#include "cli/cli.h"

/* What an event of the registry did to its model: "champion → v8, was v7 (forced)". */
struct slice event_text_model(struct arena *arena, const struct json_value *event);
/* A live event of `type` (model, deployment, run, experiment, reset) as one line, with what it is about:
 * "prod/dispatch: taxi v5 active". */
struct slice event_text_live(struct arena *arena, struct slice type, const struct json_value *data);
/* The texts of a list: "champion, canary". */
struct slice event_text_list(struct arena *arena, const struct json_value *list_or_null);

#endif
