/* Owns live events: what is gathered, and when it is told. */
#include "api/live.h"

#include <stdlib.h>

#include "api/live_ring.h"
#include "base/assert.h"
#include "jobs/loop_timer.h"
#include "limits.h"

struct live {
	struct api *api;
	struct loop_timer *gather_timer_or_null; /* NULL once stopped */
	struct live_ring ring;
	bool is_recording; /* somebody follows something, or did a moment ago */
};

static void gathered_on_loop(void *ctx);
static void tell_change(struct live *live, const struct live_note *note);

bool live_new(struct api *api, struct uv_loop_s *loop, struct live **out, struct error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	if (live == NULL || !live_ring_init(&live->ring)) {
		free(live);
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	}
	live->api = api;
	if (!loop_timer_new(loop, gathered_on_loop, live, &live->gather_timer_or_null, err)) {
		live_ring_deinit(&live->ring);
		free(live);
		return false;
	}
	*out = live;
	return true;
}

void live_stop_on_loop(struct live *live_or_null)
{
	if (live_or_null == NULL || live_or_null->gather_timer_or_null == NULL)
		return;
	loop_timer_close(live_or_null->gather_timer_or_null);
	live_or_null->gather_timer_or_null = NULL;
}

void live_free(struct live *live_or_null)
{
	if (live_or_null == NULL)
		return;
	ASSERT(live_or_null->gather_timer_or_null == NULL);
	live_ring_deinit(&live_or_null->ring);
	free(live_or_null);
}

void live_tell_all_on_loop(struct live *live, const struct live_notes *notes)
{
	const struct live_note *last = notes->last_or_null;
	for (const struct live_note *note = last == NULL ? NULL : &notes->first; note != NULL;
	     note = note == last ? NULL : note->next_or_null)
		live_tell_on_loop(live, note);
}

void live_tell_on_loop(struct live *live, const struct live_note *note)
{
	if (!live->is_recording || live->gather_timer_or_null == NULL)
		return;
	if (note->subject == LIVE_RUN || note->subject == LIVE_EXPERIMENT)
		tell_change(live, note);
}

static void tell_change(struct live *live, const struct live_note *note)
{
	bool was_empty = live->ring.pending_count == 0;
	if (live_ring_note(&live->ring, note))
		gathered_on_loop(live);
	else if (was_empty)
		loop_timer_start(live->gather_timer_or_null, LIVE_GATHER_MS);
}

static void gathered_on_loop(void *ctx)
{
	struct live *live = ctx;
	live_ring_publish(&live->ring);
}
