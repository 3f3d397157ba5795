/* Owns one uv_timer_t. */
#include "jobs/loop_timer.h"

#include <stdlib.h>
#include <uv.h>

#include "base/assert.h"

struct loop_timer {
	uv_timer_t handle;
	void (*fired_cb)(void *ctx);
	void *ctx;
};

bool loop_timer_new(struct uv_loop_s *loop, void (*fired_cb)(void *ctx), void *ctx,
		    struct loop_timer **out, struct error *err)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	if (timer == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	int failed = uv_timer_init(loop, &timer->handle);
	ASSERT(failed == 0); /* it cannot fail */
	timer->fired_cb = fired_cb;
	timer->ctx = ctx;
	*out = timer;
	return true;
}

static void fired(uv_timer_t *handle)
{
	struct loop_timer *timer = CONTAINER_OF(handle, struct loop_timer, handle);
	timer->fired_cb(timer->ctx);
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
	ASSERT(delay_ms >= 0);
	uv_update_time(timer->handle.loop); /* the loop may have been away for a while */
	int failed = uv_timer_start(&timer->handle, fired, (uint64_t)delay_ms, 0);
	ASSERT(failed == 0); /* only fails for a handle that is closing */
}

void loop_timer_stop(struct loop_timer *timer)
{
	(void)uv_timer_stop(&timer->handle); /* cannot fail */
}

static void closed(uv_handle_t *handle)
{
	free(CONTAINER_OF((uv_timer_t *)handle, struct loop_timer, handle));
}

void loop_timer_close(struct loop_timer *timer_or_null)
{
	if (timer_or_null != NULL)
		uv_close((uv_handle_t *)&timer_or_null->handle, closed);
}
