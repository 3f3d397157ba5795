/* Owns the ring of changes, and their joining while they are pending. */
#include "api/live_ring.h"

#include <stdlib.h>

#include "limits.h"

_Static_assert(LIVE_PENDING_SLOTS >= 2 * LIVE_PENDING_MAX, "slots are found within a few steps");
_Static_assert((LIVE_PENDING_SLOTS & (LIVE_PENDING_SLOTS - 1)) == 0, "hashes are masked");
_Static_assert(LIVE_RING_CHANGES > LIVE_PENDING_MAX, "what is pending overwrites only older ones");

static struct live_change *change_at(const struct live_ring *ring, uint64_t seq);
static uint16_t *find_slot(struct live_ring *ring, const struct live_note *note);
static bool is_same(const struct live_change *change, const struct live_note *note);
static uint64_t hash_of(const struct live_note *note);
static bool set_run_id(struct live_change *change, struct slice run_id);
static void join(struct live_change *change, const struct live_note *note);

bool live_ring_init(struct live_ring *ring)
{
	*ring = (struct live_ring){.first_seq = 1};
	ring->changes = calloc(LIVE_RING_CHANGES, sizeof(*ring->changes));
	return ring->changes != NULL;
}

void live_ring_deinit(struct live_ring *ring)
{
	for (size_t i = 0; ring->changes != NULL && i < LIVE_RING_CHANGES; i++)
		free(ring->changes[i].long_run_id_or_null);
	free(ring->changes);
	*ring = (struct live_ring){0};
}

bool live_ring_note(struct live_ring *ring, const struct live_note *note)
{
	ASSERT(note->subject == LIVE_RUN || note->subject == LIVE_EXPERIMENT);
	ASSERT(note->id.len <= UINT16_MAX && ring->pending_count < LIVE_PENDING_MAX);
	uint16_t *slot = find_slot(ring, note);
	if (*slot != 0) {
		join(change_at(ring, ring->published_seq + *slot), note);
		return false;
	}
	uint64_t seq = ring->published_seq + ++ring->pending_count;
	if (seq - ring->first_seq >= LIVE_RING_CHANGES)
		ring->first_seq = seq - LIVE_RING_CHANGES + 1;
	struct live_change *change = change_at(ring, seq);
	*slot = (uint16_t)ring->pending_count;
	free(change->long_run_id_or_null);
	*change = (struct live_change){.experiment_id = note->experiment_id,
				       .subject = (uint8_t)note->subject};
	if (!set_run_id(change, note->id)) {
		live_ring_forget(ring);
		return false;
	}
	join(change, note);
	return ring->pending_count == LIVE_PENDING_MAX;
}

void live_ring_publish(struct live_ring *ring)
{
	ring->published_seq += ring->pending_count;
	ring->pending_count = 0;
	memset(ring->slots, 0, sizeof(ring->slots));
}

bool live_ring_reaches(const struct live_ring *ring, uint64_t seq)
{
	return seq <= ring->published_seq && seq + 1 >= ring->first_seq;
}

const struct live_change *live_ring_at(const struct live_ring *ring, uint64_t seq)
{
	ASSERT(seq >= ring->first_seq && seq <= ring->published_seq);
	return change_at(ring, seq);
}

void live_ring_forget(struct live_ring *ring)
{
	live_ring_publish(ring);
	/* A number that nobody has seen: who comes back with an older one is not up to date. */
	ring->first_seq = ++ring->published_seq + 1;
}

static struct live_change *change_at(const struct live_ring *ring, uint64_t seq)
{
	return &ring->changes[seq % LIVE_RING_CHANGES];
}

/* The slot of what is pending of the same subject, or the empty one where it goes. */
static uint16_t *find_slot(struct live_ring *ring, const struct live_note *note)
{
	for (uint64_t i = hash_of(note);; i++) {
		uint16_t *slot = &ring->slots[i & (LIVE_PENDING_SLOTS - 1)];
		if (*slot == 0 || is_same(change_at(ring, ring->published_seq + *slot), note))
			return slot;
	}
}

static bool is_same(const struct live_change *change, const struct live_note *note)
{
	if (change->subject != note->subject)
		return false;
	if (note->subject == LIVE_RUN)
		return slice_eq(live_change_run_id(change), note->id);
	return change->experiment_id == note->experiment_id;
}

static uint64_t hash_of(const struct live_note *note)
{
	return note->subject == LIVE_RUN
		       ? slice_hash(note->id)
		       : (uint64_t)note->experiment_id * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static bool set_run_id(struct live_change *change, struct slice run_id)
{
	char *place = change->run_id;
	if (run_id.len > sizeof(change->run_id)) {
		change->long_run_id_or_null = malloc(run_id.len);
		place = change->long_run_id_or_null;
	}
	if (place == NULL)
		return false;
	if (run_id.len > 0)
		memcpy(place, run_id.ptr, run_id.len);
	change->run_id_bytes = (uint16_t)run_id.len;
	return true;
}

static void join(struct live_change *change, const struct live_note *note)
{
	change->what |= (uint16_t)note->what;
	struct slice status = note->status_or_absent;
	if (!slice_is_present(status))
		return;
	ASSERT(status.len <= LIVE_STATUS_BYTES_MAX);
	memcpy(change->status, status.ptr, status.len);
	change->status[status.len] = '\0';
}
