/* Reads the events that the database keeps, those of models and of deployments, for live events: a job on a worker,
 * whose outcome comes back to the loop.
 *
 * What is told live and what is told again after a gap are read by the same query, in order of numbers; so the one
 * goes over into the other without a seam. */
#ifndef API_LIVE_READ_H
#define API_LIVE_READ_H

#include "api/live_index.h"
#include "api/live_position.h"
#include "jobs/jobs.h"

struct live_event {
	enum live_source source;
	int64_t seq;
	struct slice id;               /* name of the model, or id of the deployment */
	struct slice former_or_absent; /* a model's name before this event */
	struct slice data;             /* JSON */
};

struct live_read {
	struct job job;
	struct arena arena;
	/* Set before live_read_begin. */
	int64_t after[LIVE_SOURCES]; /* read what comes after; LIVE_SEQ_UNKNOWN: only find the end */
	bool is_wanted[LIVE_SOURCES];
	const struct live_follow *follows; /* only what one of these wants; kept until done */
	size_t follow_count;               /* 0: all events */
	void *owner;
	void (*done_on_loop)(struct live_read *read); /* exactly once; job.error says whether it failed */
	/* The outcome, valid until live_read_begin or deinit. */
	struct live_event *events; /* of each source in order */
	size_t count;
	int64_t reached[LIVE_SOURCES]; /* everything up to here is in `events` */
	bool is_end[LIVE_SOURCES];     /* nothing comes after it */
	bool is_lost[LIVE_SOURCES];    /* some of what came after `after` is not there any more */
	size_t data_bytes;
};

void live_read_init(struct live_read *read);
/* Nothing may be in flight. */
void live_read_deinit(struct live_read *read);
/* False, and done_on_loop is not called, when the job is not taken. */
MUST_CHECK bool live_read_begin(struct live_read *read, struct jobs *jobs, struct error *err);

#endif
