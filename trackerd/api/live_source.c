/* Owns the reading of events that the database keeps. */
#include "api/live_source.h"

#include "limits.h"

enum live_subject live_source_subject(enum live_source source)
{
	return source == LIVE_FROM_MODELS ? LIVE_MODEL : LIVE_DEPLOYMENT;
}

bool live_source_bounds(struct db *tracker, enum live_source source, struct live_source_bounds *out,
			struct error *err)
{
	(void)tracker;
	(void)source;
	(void)err;
	*out = (struct live_source_bounds){0};
	return true;
}

bool live_source_read(struct db *tracker, enum live_source source, int64_t after,
		      struct arena *arena, struct live_event_list *out, struct error *err)
{
	(void)tracker;
	(void)source;
	(void)err;
	(void)arena;
	*out = (struct live_event_list){.reached_seq = after, .is_end = true};
	return true;
}
