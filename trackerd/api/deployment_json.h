/* The JSON shapes of deployments and of their history. */
#ifndef API_DEPLOYMENT_JSON_H
#define API_DEPLOYMENT_JSON_H

#include "base/json_writer.h"
#include "store/deployment_changes.h"

void deployment_json(struct json_writer *w, const struct deployment *d);
/* A row of history; without what the registry says now. */
void deployment_json_change(struct json_writer *w, const struct deployment_change *change);

#endif
