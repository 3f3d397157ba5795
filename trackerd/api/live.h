/* Live events: tells whoever follows a run, an experiment, a model or a deployment what was committed.
 *
 *     execute ─ call_tell ─▶ COMMIT ─▶ endpoint_job.c ─ live_tell_on_loop ─▶ live events
 *
 * One per daemon, reached through api->live. Loop thread. Life: new after jobs_open; stop when the daemon begins to
 * stop; free after jobs_close_on_loop's closed_cb. */
#ifndef API_LIVE_H
#define API_LIVE_H

#include "api/live_notes.h"
#include "base/error.h"

struct api;
struct live;
struct uv_loop_s;

/* Keeps `api`. Gives *out. */
MUST_CHECK bool live_new(struct api *api, struct uv_loop_s *loop, struct live **out, struct error *err);
/* Ends what is followed, and takes nothing new. NULL is allowed. */
void live_stop_on_loop(struct live *live_or_null);
/* Stopped, and nothing in flight any more. NULL is allowed. */
void live_free(struct live *live_or_null);

/* After COMMIT. Borrows the note. Next to free when nobody listens. */
void live_tell_on_loop(struct live *live, const struct live_note *note);
void live_tell_all_on_loop(struct live *live, const struct live_notes *notes);

#endif
