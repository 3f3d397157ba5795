/* One follower of live events: a request whose reply does not end (text/event-stream).
 *
 *     open ─┬─ nothing kept is followed ───▶ begun ─▶ in step ◀──────────────┐
 *           └─▶ read where the end is ──────▶ begun ─▶ behind ─ caught up ────┘
 *                                                        ▲                   │ backlog full: a slow reader
 *                                                        └───────────────────┘
 *
 * For each source (live_position.h) a stream is in step, and is told each event as it happens, or behind, and fetches
 * what it lacks itself, as fast as its peer reads: from the ring, or from the database. So a slow peer costs at most
 * LIVE_BACKLOG_BYTES_MAX and an event, and misses nothing but what leaves the ring; it is told to read again then
 * ("reset"). A parked stream costs some 200 bytes beside its connection.
 *
 * Loop thread. Only live.c uses this. */
#ifndef API_LIVE_STREAM_H
#define API_LIVE_STREAM_H

#include "api/live_index.h"
#include "api/live_position.h"
#include "api/live_read.h"
#include "http/http_message.h"

struct live;

struct live_stream {
	struct live *live;
	struct http_exchange *x_or_null; /* NULL once over; then it waits for its read */
	struct live_stream *previous_or_null; /* all streams, by when they are pinged */
	struct live_stream *next_or_null;
	struct live_read *read_or_null; /* under way */
	int64_t ping_due_ms;
	int64_t seq[LIVE_SOURCES]; /* told up to here, or, in step, to live->told, if that is more */
	struct buffer backlog;     /* to be written */
	uint8_t wanted;  /* bits of sources */
	uint8_t behind;
	uint8_t lost;    /* to be told by a reset */
	bool is_begun;   /* the reply */
	bool is_writing; /* a piece is on its way */
	bool is_ending;  /* end the reply once it is written */
	uint32_t follow_count;
	struct live_follow follows[]; /* and their texts behind them */
};

/* Takes the exchange. `from` says where its peer was; NULL: it begins now. Borrows topics. Replies itself when it
 * fails. */
void live_stream_open(struct live *live, struct http_exchange *x, const struct live_topic_list *topics,
		      const struct live_position *from_or_null);
/* An event of `source` for one of the stream's topics. Told once, however many of them ask for it. */
void live_stream_tell(struct live_stream *stream, enum live_source source, int64_t seq, const char *name,
		      struct slice data);
/* What was to be told of `source` up to live->told is not there any more. */
void live_stream_lose(struct live_stream *stream, enum live_source source);
/* Shows that the daemon is there. */
void live_stream_ping(struct live_stream *stream);
/* The daemon stops. */
void live_stream_end(struct live_stream *stream);

#endif
