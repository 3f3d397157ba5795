/* Who follows a topic: a hash table of followers, so that telling costs what the listeners of that topic cost, however
 * many there are of others. Takes no memory of its own; loop thread. */
#ifndef API_LIVE_INDEX_H
#define API_LIVE_INDEX_H

#include "api/live_topic.h"

enum { LIVE_INDEX_BUCKETS = 2048 }; /* a power of two */

/* One topic of one follower. In memory of the owner, in one index at most. */
struct live_follow {
	struct live_follow *next_or_null;
	struct live_follow **place_or_null; /* what points here; NULL: in no index */
	void *owner;
	struct live_topic topic; /* its text is kept until live_index_remove */
};

struct live_index { /* zeroed at birth */
	struct live_follow *buckets[LIVE_INDEX_BUCKETS];
};

/* Adds it with owner and topic set. */
void live_index_add(struct live_index *index, struct live_follow *follow);
/* Nothing happens if it is in none. */
void live_index_remove(struct live_follow *follow);
/* The followers of exactly this topic: the first, the next one; NULL after the last. None may be removed meanwhile but
 * those that were passed. */
struct live_follow *live_index_first(const struct live_index *index, enum live_subject subject,
				     struct slice id);
struct live_follow *live_index_next(const struct live_follow *follow);

#endif
