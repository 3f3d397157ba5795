/* Owns the buckets of followers. */
#include "api/live_index.h"

static struct live_follow *equal_from(struct live_follow *follow_or_null, enum live_subject subject,
				      struct slice id);
static size_t bucket_of(enum live_subject subject, struct slice id);

void live_index_add(struct live_index *index, struct live_follow *follow)
{
	struct live_follow **bucket =
		&index->buckets[bucket_of(follow->topic.subject, follow->topic.id)];
	follow->next_or_null = *bucket;
	follow->place_or_null = bucket;
	if (*bucket != NULL)
		(*bucket)->place_or_null = &follow->next_or_null;
	*bucket = follow;
}

void live_index_remove(struct live_follow *follow)
{
	if (follow->place_or_null == NULL)
		return;
	*follow->place_or_null = follow->next_or_null;
	if (follow->next_or_null != NULL)
		follow->next_or_null->place_or_null = follow->place_or_null;
	follow->place_or_null = NULL;
}

struct live_follow *live_index_first(const struct live_index *index, enum live_subject subject,
				     struct slice id)
{
	return equal_from(index->buckets[bucket_of(subject, id)], subject, id);
}

struct live_follow *live_index_next(const struct live_follow *follow)
{
	return equal_from(follow->next_or_null, follow->topic.subject, follow->topic.id);
}

static struct live_follow *equal_from(struct live_follow *follow_or_null, enum live_subject subject,
				      struct slice id)
{
	struct live_follow *follow = follow_or_null;
	while (follow != NULL &&
	       !(follow->topic.subject == subject && slice_eq(follow->topic.id, id)))
		follow = follow->next_or_null;
	return follow;
}

static size_t bucket_of(enum live_subject subject, struct slice id)
{
	return ((size_t)slice_hash(id) + (size_t)subject) & (LIVE_INDEX_BUCKETS - 1);
}
