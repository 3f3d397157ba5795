/* One request of an endpoint that takes the exchange over: what uploads, downloads and deletions
 * share.
 *
 * It owns the exchange, an arena, and runs one job at a time (its owner may have more in flight
 * and say so with take_over_hold). Whatever ends it - the reply, a failure, the peer going away
 * - it is closed once, when nothing of it is in flight any more; closed_cb then frees the struct
 * it is embedded in.
 *
 *     begin ─▶ run ─▶ next_cb ─▶ run … ─▶ reply | fail | end ─▶ (last job delivered) ─▶ closed_cb
 *
 * Everything runs on the loop; phases of jobs may use `arena`. A function that can end the
 * request says so: after it the struct may be gone. */
#ifndef API_TAKE_OVER_H
#define API_TAKE_OVER_H

#include "api/api.h"

struct take_over {
	struct job job;
	struct arena arena;
	struct api *api;
	struct http_exchange *x_or_null; /* NULL once replied */
	unsigned in_flight;		 /* jobs */
	bool has_begun;			 /* a streamed reply */
	bool is_over;
	void (*next_cb)(struct take_over *t);
	void (*closed_cb)(struct take_over *t);
};

/* Zeroed memory for the struct that a take_over is embedded in; closed_cb frees it. NULL when there is
 * none: the error is then replied. */
void *take_over_alloc(struct api *api, struct http_exchange *x, size_t bytes);
/* Takes the exchange; its context becomes `t`. closed_cb is called exactly once. */
void take_over_begin(struct take_over *t, struct api *api, struct http_exchange *x,
		     void (*closed_cb)(struct take_over *t));
/* Runs a job of these phases (kept until delivery); next_cb follows when all went well and the
 * peer is still there; a failure is replied. May end the request. */
void take_over_run(struct take_over *t, const struct job_phase *phases, unsigned phase_count,
		   size_t weight_bytes, void (*next_cb)(struct take_over *t));
/* For a phase that calls what `execute` of endpoints calls: a call of this request with nothing noted yet. Borrows the
 * request. While a job of it is under way. */
struct call take_over_call(struct take_over *t, int64_t now_ms);
/* A whole reply. Takes the content of body_or_null. Ends the request. */
void take_over_reply(struct take_over *t, const struct http_reply *reply,
		     struct buffer *body_or_null);
/* The reply {}, with an ETag unless that is absent. Ends the request. */
void take_over_reply_empty(struct take_over *t, struct slice etag);
/* Replies with the error; when a streamed reply has begun, cuts it, so that the peer sees that
 * it is not whole. Ends the request. */
void take_over_fail(struct take_over *t, const struct error *err);
/* Begins a streamed reply; http_exchange_write follows … */
void take_over_stream(struct take_over *t, const struct http_reply *reply);
/* … and this, after the last piece was written. Ends the request. */
void take_over_stream_end(struct take_over *t);
/* A job of the owner's own is in flight … */
void take_over_hold(struct take_over *t);
/* … and delivered. May close the request: true when it is gone. */
MUST_CHECK bool take_over_unhold(struct take_over *t);

#endif
