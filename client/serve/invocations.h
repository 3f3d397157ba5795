/* Requests to the server of predictions, from their heads to their replies. Loop thread.
 *
 *     head ── collect the body ── line ──▶ queue ──▶ worker ──▶ reply
 *               └── refused ── reply         └── too long ── 503      └── lost ── 502, 504 */
#ifndef SERVE_INVOCATIONS_H
#define SERVE_INVOCATIONS_H

#include <uv.h>

#include "http/http_server.h"
#include "serve/reload.h"

struct invocations {
	struct http_server *http_or_null; /* for its counts */
	struct reload *reload_or_null;
	struct serve_metrics *metrics;
	struct requests queue;
	struct slice allowed_hosts; /* comma-separated; origin.h */
	size_t body_bytes_max, line_bytes_max, worker_count;
	int64_t timeout_ms;
	uint64_t last_id;
	uv_timer_t patience; /* runs while requests wait */
};

/* The owner fills the other members before the first request. */
void invocations_init(struct invocations *i, uv_loop_t *loop);
/* When no exchange is left: closes the versions. */
void invocations_deinit(struct invocations *i);
/* Answers a request whose head is there; http_server_options.head_cb. */
void invocations_handle(struct invocations *i, struct http_exchange *x);
/* Is it one for predictions? */
bool invocations_are_meant(const struct http_request *request);
/* Does not wait for workers any more: what is under way is answered as lost. */
void invocations_give_up(struct invocations *i);

/* Callbacks of workers.h; ctx is the struct invocations. */
void invocations_pump(struct workers *ws, void *ctx);
void invocations_answered(struct workers *ws, struct request *r, const struct answer *answer, void *ctx);
void invocations_lost(struct workers *ws, struct request *r, const struct error *why, void *ctx);

#endif
