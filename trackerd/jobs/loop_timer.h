/* One timer of the loop, for code that does not know libuv. Loop thread.
 *
 * Life: new, then start and stop as often as wanted, then close, after which the callback is not called any more. */
#ifndef JOBS_LOOP_TIMER_H
#define JOBS_LOOP_TIMER_H

#include <stdint.h>

#include "base/error.h"

struct uv_loop_s;
struct loop_timer;

/* Calls fired_cb(ctx) each time it fires. Gives *out. Fails for want of memory. */
MUST_CHECK bool loop_timer_new(struct uv_loop_s *loop, void (*fired_cb)(void *ctx), void *ctx,
			       struct loop_timer **out, struct error *err);
/* Fires once in `delay_ms` (>= 0); an earlier start is forgotten. */
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
/* Frees it, later, on the loop. NULL is allowed. */
void loop_timer_close(struct loop_timer *timer_or_null);

#endif
