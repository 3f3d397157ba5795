/* Live events: tells whoever follows a run, an experiment, a model or a deployment what was committed.
 *
 *     execute ─ call_tell ─▶ COMMIT ─▶ endpoint_job.c ─ live_tell_on_loop ─▶ live events
 *
 * One per daemon, reached through api->live. Loop thread. Life: new after jobs_open; stop when the daemon begins to
 * stop; free after jobs_close_on_loop's closed_cb. */
#ifndef API_LIVE_H
#define API_LIVE_H

#include "api/live_notes.h"
#include "api/live_position.h"
#include "api/live_topic.h"
#include "base/error.h"

struct api;
struct clock;
struct http_exchange;
struct live;
struct uv_loop_s;

/* Of the server's connections_max, LIVE_CONNECTIONS_PERCENT may follow or wait, and LIVE_FOLLOWERS_MAX in all: further
 * ones get 503, so that others are served. Keeps `api` and `clock`. Gives *out. */
MUST_CHECK bool live_new(struct api *api, struct uv_loop_s *loop, const struct clock *clock, unsigned connections_max,
			 struct live **out, struct error *err);
/* Ends what is followed, and takes nothing new. NULL is allowed. */
void live_stop_on_loop(struct live *live_or_null);
/* Stopped, and nothing in flight any more. NULL is allowed. */
void live_free(struct live *live_or_null);

/* How many follow and how many wait. */
void live_counts(const struct live *live, unsigned *streams_out, unsigned *waiters_out);

/* What a follower asks for. */
struct live_request {
	struct live_topic_list topics;
	bool has_position; /* it comes back, and was here */
	struct live_position position;
};
/* Takes the exchange, whose reply then goes on as a stream of events. Borrows the request. */
void live_follow_on_loop(struct live *live, struct http_exchange *x, const struct live_request *request);

/* Takes the exchange, which is answered when the alias moved (alias_watch.h). Borrows the request. */
struct alias_request;
void live_ask_alias_on_loop(struct live *live, struct http_exchange *x, const struct alias_request *request);

/* After COMMIT. Borrows the note. Next to free when nobody listens. */
void live_tell_on_loop(struct live *live, const struct live_note *note);
void live_tell_all_on_loop(struct live *live, const struct live_notes *notes);

#endif
