/* Inside live events: what live.c and live_stream.c share. */
#ifndef API_LIVE_INTERNAL_H
#define API_LIVE_INTERNAL_H

#include "api/alias_watch.h"
#include "api/api.h"
#include "api/live.h"
#include "api/live_ring.h"
#include "api/live_stream.h"
#include "jobs/loop_timer.h"

struct live {
	struct api *api;
	const struct clock *clock;
	bool is_stopped;
	struct alias_watches *aliases;
	struct loop_timer *gather_timer; /* while changes are pending */
	struct loop_timer *ping_timer;	 /* while there are streams */
	struct loop_timer *retry_timer;	 /* when a read failed */
	uint32_t ring_id;
	struct live_ring ring;
	bool is_recording; /* somebody follows something, or did a moment ago */
	int64_t left_ms;   /* monotonic: when the last stream left */
	struct live_index index;
	struct live_stream *first_or_null; /* pinged next */
	struct live_stream *last_or_null;
	unsigned stream_count;
	unsigned followers_max; /* streams and waiters */
	/* Streams in step were told up to here. Of what the database keeps it counts only while there are such. */
	int64_t told[LIVE_SOURCES];
	unsigned in_step_count[LIVE_SOURCES];
	struct live_read read; /* of what is new, for the streams in step */
	bool is_reading;
	bool is_to_read_again;
};

/* A stream is there, or gone. */
void live_stream_joined(struct live *live, struct live_stream *stream);
void live_stream_left(struct live *live, struct live_stream *stream);
/* A stream is told of `source` from now on, having seen all up to `seq`. False when that is less than the others
 * were told: it must catch up first. */
MUST_CHECK bool live_stream_in_step(struct live *live, enum live_source source, int64_t seq);
void live_stream_out_of_step(struct live *live, enum live_source source);

#endif
