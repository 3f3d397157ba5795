/* Notices targets that are missed, while the daemon runs, and knows how many deployments are in which state.
 *
 *     wake ──▶ look (worker): counts, and who is due next ──┬─ now ──▶ mark stale (committer) ──▶ live events ─┐
 *       ▲                                                   └─ later ─▶ timer                                 │
 *       └─────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * One timer, for who is due first; heartbeats that came meanwhile show when it fires. A heartbeat only counts as missed
 * when it could have come: each target gets all its intervals again when the daemon starts, and when the clocks show
 * that the machine slept or the time was set.
 *
 * One per daemon, reached through api->deployments. Loop thread. Life: new after jobs_open; start once; stop when the
 * daemon begins to stop; free after jobs_close_on_loop's closed_cb. */
#ifndef API_DEPLOYMENT_SERVICE_H
#define API_DEPLOYMENT_SERVICE_H

#include "base/error.h"
#include "store/deployments.h"

struct api;
struct uv_loop_s;
struct deployment_service;

/* Keeps `api`. Gives *out. */
MUST_CHECK bool deployment_service_new(struct api *api, struct uv_loop_s *loop, struct deployment_service **out,
				       struct error *err);
void deployment_service_start_on_loop(struct deployment_service *service);
/* A target reported, came back or was forgotten. */
void deployment_service_wake_on_loop(struct deployment_service *service);
/* How many there were in each state when it last looked: after the last change, but for a moment. Borrowed until the
 * loop goes on. */
const int64_t *deployment_service_counts_on_loop(const struct deployment_service *service);
/* Begins nothing new. NULL is allowed. */
void deployment_service_stop_on_loop(struct deployment_service *service_or_null);
/* Stopped, and nothing in flight any more. NULL is allowed. */
void deployment_service_free(struct deployment_service *service_or_null);

#endif
