/* Where live events that the database keeps come from: the registry's history, and that of deployments. Runs on a
 * worker. */
#ifndef API_LIVE_SOURCE_H
#define API_LIVE_SOURCE_H

#include "api/live_read.h"

struct live_source_bounds {
	int64_t last_seq; /* newest there is, 0 without any */
	int64_t gone_seq; /* rows up to here may be gone; 0 when all are kept */
};

struct live_event_list {
	struct live_event *items;
	size_t count;
};

/* What the events of a source are about, and so their name. Not of LIVE_FROM_RING. */
enum live_subject live_source_subject(enum live_source source);
MUST_CHECK bool live_source_bounds(struct db *tracker, enum live_source source,
				   struct live_source_bounds *out, struct error *err);
/* The events after `after` in order: at most LIVE_READ_EVENTS_MAX, and few when they are large. */
MUST_CHECK bool live_source_read(struct db *tracker, enum live_source source, int64_t after,
				 struct arena *arena, struct live_event_list *out, struct error *err);

#endif
