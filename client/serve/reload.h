/* Which version is served: one that is active, perhaps one that is to follow it, and those that are on their way out.
 *
 *     offer ──▶ candidate: its workers start and answer the probe ── all are ready ──▶ active; the one before drains
 *                 └── one fails ──▶ refused: what is active goes on
 *
 * The exchange happens between two requests: each is answered by one version, whole. Offers come from the follower
 * (follower.h), or there is one version for good. Loop thread. */
#ifndef SERVE_RELOAD_H
#define SERVE_RELOAD_H

#include "serve/follower.h"
#include "serve/serve_metrics.h"
#include "serve/workers.h"

struct reload;

struct reload_options {
	/* Callbacks of `workers` that this leaves to the owner: idle_cb, answered_cb and lost_cb. */
	struct workers_options workers;
	/* The one version, or else who looks for it. */
	const struct served_model *fixed_or_null;
	int (*follow)(void *ctx, int input_fd, int output_fd, const char *active_name, const char *address);
	void *follow_ctx;
	const char *address; /* where is served, as a URL */
	struct serve_metrics *metrics;
	/* A version came into use. */
	void (*active_cb)(void *ctx);
	/* There is nothing to serve. */
	void (*gave_up_cb)(const struct error *why, void *ctx);
	void *ctx;
};

/* Borrows what options point to for its life; gives *out, for reload_close. */
MUST_CHECK bool reload_open(struct uv_loop_s *loop, const struct reload_options *options, struct reload **out,
			    struct error *err);
/* NULL before the first is ready. */
struct workers *reload_active(const struct reload *r);
bool reload_is_server_reachable(const struct reload *r);
/* Ends all workers, those that are at a request now; callbacks still come for those. Then it frees itself. */
void reload_close(struct reload *r);

#endif
