/* The latest changes of runs and experiments, in memory: gathered for a moment, then published under a number.
 *
 *     note … note ─▶ pending (one a run or experiment) ─ publish ─▶ published ─▶ overwritten when the ring is full
 *
 * Numbers go up by one and say how far a follower is: who has seen N gets what comes after N, as long as that is all
 * still there. Plain memory, about 1 MB once everything was used; one thread. */
#ifndef API_LIVE_RING_H
#define API_LIVE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/live_notes.h"

enum {
	LIVE_STATUS_BYTES_MAX = 15,
	LIVE_PENDING_SLOTS = 2048, /* twice LIVE_PENDING_MAX, and a power of two */
};

/* subject, what, experiment_id: as in the note. */
struct live_change {
	int64_t experiment_id;
	char *long_run_id_or_null; /* on the heap, if it is not of the usual 32 digits: imported ones may be longer */
	char run_id[32];
	uint16_t run_id_bytes;
	uint16_t what;
	uint8_t subject;
	char status[LIVE_STATUS_BYTES_MAX + 1]; /* NUL-terminated; empty: not told */
};

struct live_ring {
	struct live_change *changes; /* LIVE_RING_CHANGES; change N is at N modulo that */
	uint64_t first_seq;          /* oldest that is there */
	uint64_t published_seq;      /* last one published; first_seq - 1 when there is none */
	uint64_t pending_count;      /* those after published_seq */
	uint16_t slots[LIVE_PENDING_SLOTS]; /* hash of a subject -> place among the pending, plus 1 */
};

/* False when there is no memory. Numbers begin at 1. */
MUST_CHECK bool live_ring_init(struct live_ring *ring);
void live_ring_deinit(struct live_ring *ring);
/* Joins the change to what is pending of the same run or experiment. True when LIVE_PENDING_MAX are pending: publish
 * now. Not for models and deployments. Without memory for an id it forgets. */
MUST_CHECK bool live_ring_note(struct live_ring *ring, const struct live_note *note);
/* Makes what is pending the newest of what is published. */
void live_ring_publish(struct live_ring *ring);
/* Is everything that was published after `seq` still there? */
bool live_ring_reaches(const struct live_ring *ring, uint64_t seq);
/* seq is one that is there and published. Borrowed until the next note. */
const struct live_change *live_ring_at(const struct live_ring *ring, uint64_t seq);
/* Something was not noted: what came up to now reaches nobody any more. */
void live_ring_forget(struct live_ring *ring);

static inline struct slice live_change_run_id(const struct live_change *change)
{
	const char *text = change->long_run_id_or_null;
	return slice_make(text != NULL ? text : change->run_id, change->run_id_bytes);
}

#endif
