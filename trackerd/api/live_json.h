/* The JSON of changes of runs and experiments, as live events carry it. Pure. */
#ifndef API_LIVE_JSON_H
#define API_LIVE_JSON_H

#include "api/live_ring.h"
#include "base/buffer.h"

/* {"run_id", "experiment_id", "what": […], "status"} or {"experiment_id", "what": […]}, appended. */
void live_json_change(struct buffer *out, const struct live_change *change);

#endif
