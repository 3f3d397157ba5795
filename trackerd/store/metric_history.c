/* Owns the merging of chunks and tail into pages of a curve's history. */
#include "store/metric_history.h"

#include <stdlib.h>

#include "store/metric_chunks.h"
#include "store/metric_tail.h"

/* Ascending points that are in memory: the tail, or a chunk while the page passes through it. */
struct source {
	struct metric_samples samples;
	size_t position; /* < samples.count */
	bool is_chunk;
};

struct merge {
	struct db *db;
	struct metric_series_key key;
	const struct metric_sample *after_or_null;
	struct arena *arena;
	struct metric_chunk_list closed; /* not decoded yet, by first point */
	struct source *open;		 /* unordered; overlapping chunks and the tail */
	size_t open_count;
	struct metric_sample **spare; /* buffers of chunks that were used up */
	size_t spare_count;
};

static bool merge_init(struct merge *merge, struct error *err);
static size_t merge_room(const struct merge *merge, size_t count_max);
static bool merge_stretch(struct merge *merge, struct metric_samples *page, size_t count_max,
			  bool *end_out, struct error *err);

bool metric_history_read(struct db *db, struct metric_series_key key,
			 const struct metric_sample *after_or_null, size_t count_max,
			 struct arena *arena, struct metric_samples *out, bool *more_out,
			 struct error *err)
{
	struct merge merge = {.db = db, .key = key, .after_or_null = after_or_null, .arena = arena};
	ASSERT(count_max > 0);
	if (!merge_init(&merge, err))
		return false;
	/* One more than asked for tells whether there are more. */
	size_t room = merge_room(&merge, count_max);
	struct metric_samples page = {ARENA_NEW(arena, struct metric_sample, room), 0};
	for (bool end = false; !end && page.count < room;)
		if (!merge_stretch(&merge, &page, room, &end, err))
			return false;
	*more_out = page.count > count_max;
	if (*more_out)
		page.count = count_max;
	*out = page;
	return true;
}

static int compare_by_first(const void *a, const void *b)
{
	return metric_sample_compare(&((const struct metric_chunk *)a)->first,
				     &((const struct metric_chunk *)b)->first);
}

/* Takes what lies behind merge->after_or_null of `samples`. */
static void open_source(struct merge *merge, struct metric_samples samples, bool is_chunk)
{
	struct source source = {samples, 0, is_chunk};
	if (merge->after_or_null != NULL)
		source.position = metric_samples_seek(&samples, merge->after_or_null, true);
	if (source.position < samples.count)
		merge->open[merge->open_count++] = source;
}

static bool merge_init(struct merge *merge, struct error *err)
{
	const struct metric_sample *after = merge->after_or_null;
	struct metric_samples tail;
	if (!metric_chunks_list(
		    merge->db, merge->key, after == NULL ? INT64_MIN : after->timestamp_ms,
		    after == NULL ? INT64_MIN : after->step, merge->arena, &merge->closed, err) ||
	    !metric_tail_collect(merge->db, merge->key.run_pk, &merge->key.name_pk, 1, merge->arena,
				 &tail, err))
		return false;
	/* A chunk that ends at the step of the place may end at or before it. */
	size_t kept = 0;
	for (size_t i = 0; i < merge->closed.count; i++)
		if (after == NULL || metric_sample_compare(&merge->closed.items[i].last, after) > 0)
			merge->closed.items[kept++] = merge->closed.items[i];
	merge->closed.count = kept;
	if (kept > 1)
		qsort(merge->closed.items, merge->closed.count, sizeof(merge->closed.items[0]),
		      compare_by_first);
	merge->open = ARENA_NEW(merge->arena, struct source, merge->closed.count + 1);
	merge->spare = ARENA_NEW(merge->arena, struct metric_sample *, merge->closed.count + 1);
	open_source(merge, tail, false);
	return true;
}

/* count_max and one, or all there can be. */
static size_t merge_room(const struct merge *merge, size_t count_max)
{
	size_t room = merge->open_count > 0 ? merge->open[0].samples.count : 0;
	for (size_t i = 0; i < merge->closed.count; i++)
		room += (size_t)merge->closed.items[i].point_count;
	return room <= count_max ? room : count_max + 1;
}

static bool open_chunk(struct merge *merge, struct error *err)
{
	struct metric_samples samples = {
		merge->spare_count > 0
			? merge->spare[--merge->spare_count]
			: ARENA_NEW(merge->arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX),
		0};
	if (!metric_chunk_load(merge->db, merge->key, &merge->closed.items[0], &samples,
			       merge->arena, err))
		return false;
	merge->closed.items++;
	merge->closed.count--;
	size_t open_count = merge->open_count;
	open_source(merge, samples, true);
	if (merge->open_count == open_count)
		merge->spare[merge->spare_count++] = samples.items;
	return true;
}

static const struct metric_sample *head(const struct source *source)
{
	return &source->samples.items[source->position];
}

/* The source with the least head; *limit_out the least head of the others, or NULL. */
static struct source *least_source(const struct merge *merge,
				   const struct metric_sample **limit_out)
{
	struct source *least = &merge->open[0];
	const struct metric_sample *limit = NULL;
	for (size_t i = 1; i < merge->open_count; i++) {
		struct source *other = &merge->open[i];
		if (metric_sample_compare(head(other), head(least)) < 0) {
			struct source *swap = least;
			least = other;
			other = swap;
		}
		if (limit == NULL || metric_sample_compare(head(other), limit) < 0)
			limit = head(other);
	}
	*limit_out = limit;
	return least;
}

/* Appends points of the source that is first, as far as no other one comes before. */
static bool merge_stretch(struct merge *merge, struct metric_samples *page, size_t room,
			  bool *end_out, struct error *err)
{
	const struct metric_sample *limit = NULL;
	struct source *least = NULL;
	for (;;) {
		if (merge->open_count > 0)
			least = least_source(merge, &limit);
		if (merge->closed.count == 0 ||
		    (least != NULL &&
		     metric_sample_compare(&merge->closed.items[0].first, head(least)) > 0))
			break;
		if (!open_chunk(merge, err))
			return false;
	}
	if (least == NULL) {
		*end_out = true;
		return true;
	}
	if (merge->closed.count > 0 &&
	    (limit == NULL || metric_sample_compare(&merge->closed.items[0].first, limit) < 0))
		limit = &merge->closed.items[0].first;
	size_t at = least->position;
	const struct metric_sample *items = least->samples.items;
	while (at < least->samples.count && page->count < room &&
	       (limit == NULL || metric_sample_compare(&items[at], limit) <= 0)) {
		/* A repeat in two sources comes out of both, one directly behind the other. */
		if (page->count == 0 ||
		    metric_sample_compare(&page->items[page->count - 1], &items[at]) != 0)
			page->items[page->count++] = items[at];
		at++;
	}
	least->position = at;
	if (at == least->samples.count) {
		if (least->is_chunk)
			merge->spare[merge->spare_count++] = least->samples.items;
		*least = merge->open[--merge->open_count];
	}
	return true;
}
