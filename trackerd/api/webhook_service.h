/* Delivers to webhooks while the daemon runs: finds what is due, sends it, writes down how it went.
 *
 *     wake ──▶ look (worker): the head of each webhook ──┬─ due ──▶ prepare (worker) ─▶ send ─▶ record (committer) ─┐
 *       ▲                                                └─ later ─▶ timer                                         │
 *       └──────────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * At most one delivery of a webhook is under way, which keeps its order, and WEBHOOK_UNDER_WAY_MAX of all. What is
 * under way when the daemon stops or dies is sent again after the next start, under the same id: at least once. When an
 * outcome cannot be written down, nothing is sent for a while, or the same would be sent again and again.
 *
 * One per daemon, reached through api->webhooks. Loop thread. Life: new after jobs_open; start once; stop when the
 * daemon begins to stop; free after jobs_close_on_loop's closed_cb. */
#ifndef API_WEBHOOK_SERVICE_H
#define API_WEBHOOK_SERVICE_H

#include "base/error.h"

struct api;
struct uv_loop_s;
struct webhook_service;

/* Keeps `api`. Gives *out. */
MUST_CHECK bool webhook_service_new(struct api *api, struct uv_loop_s *loop, struct webhook_service **out,
				    struct error *err);
/* Goes on with what an earlier daemon left. */
void webhook_service_start_on_loop(struct webhook_service *service);
/* Something may be due: an event was emitted, a delivery replayed, a webhook enabled. */
void webhook_service_wake_on_loop(struct webhook_service *service);
/* Begins nothing new, and cancels what is being sent. NULL is allowed. */
void webhook_service_stop_on_loop(struct webhook_service *service_or_null);
/* Stopped, and nothing in flight any more. NULL is allowed. */
void webhook_service_free(struct webhook_service *service_or_null);

#endif
