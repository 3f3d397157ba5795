/* Owns the way of a batch into the store: grouping by name, tail row, series rows. */
#include "store/metrics.h"

#include <stdlib.h>

#include "store/metric_series.h"
#include "store/metric_tail.h"
#include "store/names.h"

/* The points of one name, while a batch is sorted out. */
struct batch_name {
	struct slice text;
	struct name_pk pk;
	size_t count;
	struct metric_samples samples;
};

struct batch {
	const struct metric_point *points;
	size_t point_count;
	uint32_t *name_of_point; /* index into names */
	struct batch_name *names;
	size_t name_count;
	uint32_t *slots; /* hash table: index into names + 1, or 0 */
	size_t slot_count;
};

static void batch_find_names(struct batch *batch, struct arena *arena);
static uint32_t batch_intern(struct batch *batch, struct slice text);
static void batch_deal_out(struct batch *batch, struct arena *arena);
static struct metric_group *batch_groups(const struct batch *batch, struct arena *arena);
static int compare_groups(const void *a, const void *b);
static bool append(struct db *db, struct run_pk run_pk, int64_t experiment_id, struct batch *batch,
		   struct arena *arena, struct error *err);

bool metrics_append_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
			   const struct metric_point *points, size_t count, struct arena *arena,
			   struct error *err)
{
	if (count == 0)
		return true;
	ASSERT(count < UINT32_MAX / 2);
	struct arena_mark mark = arena_mark(arena);
	struct batch batch = {.points = points, .point_count = count};
	batch_find_names(&batch, arena);
	batch_deal_out(&batch, arena);
	bool ok = append(db, run_pk, experiment_id, &batch, arena, err);
	arena_rewind(arena, mark);
	return ok;
}

static bool append(struct db *db, struct run_pk run_pk, int64_t experiment_id, struct batch *batch,
		   struct arena *arena, struct error *err)
{
	for (size_t i = 0; i < batch->name_count; i++)
		if (!names_intern_in_txn(db, batch->names[i].text, &batch->names[i].pk, err))
			return false;
	struct metric_group *groups = batch_groups(batch, arena);
	if (!metric_tail_append_in_txn(db, run_pk, groups, batch->name_count, arena, err))
		return false;
	struct metric_series_added *added =
		ARENA_NEW(arena, struct metric_series_added, batch->name_count);
	for (size_t i = 0; i < batch->name_count; i++) {
		added[i].name_pk.value = groups[i].name_pk;
		metric_samples_outline(&groups[i].samples, &added[i].outline);
	}
	return metric_series_add_in_txn(db, run_pk, experiment_id, added, batch->name_count, arena,
					err);
}

/* Numbers the distinct names of the batch. */
static void batch_find_names(struct batch *batch, struct arena *arena)
{
	batch->slot_count = 2;
	while (batch->slot_count < 2 * batch->point_count)
		batch->slot_count *= 2;
	batch->slots = ARENA_NEW(arena, uint32_t, batch->slot_count);
	batch->names = ARENA_NEW(arena, struct batch_name, batch->point_count);
	batch->name_of_point = ARENA_NEW(arena, uint32_t, batch->point_count);
	for (size_t i = 0; i < batch->point_count; i++) {
		/* Points of one curve often stand together. */
		bool is_same = i > 0 && slice_eq(batch->points[i].name, batch->points[i - 1].name);
		uint32_t name = is_same ? batch->name_of_point[i - 1]
					: batch_intern(batch, batch->points[i].name);
		batch->name_of_point[i] = name;
		batch->names[name].count++;
	}
}

static uint32_t batch_intern(struct batch *batch, struct slice text)
{
	/* Whoever makes names collide slows down his own batch of 1000. */
	size_t slot = (size_t)slice_hash(text) & (batch->slot_count - 1);
	while (batch->slots[slot] != 0) {
		uint32_t name = batch->slots[slot] - 1;
		if (slice_eq(batch->names[name].text, text))
			return name;
		slot = (slot + 1) & (batch->slot_count - 1);
	}
	batch->names[batch->name_count].text = text;
	batch->slots[slot] = (uint32_t)++batch->name_count;
	return batch->slots[slot] - 1;
}

/* Gives every name its points, ascending, without repeats. */
static void batch_deal_out(struct batch *batch, struct arena *arena)
{
	struct metric_sample *items = ARENA_NEW(arena, struct metric_sample, batch->point_count);
	for (size_t i = 0; i < batch->name_count; i++) {
		batch->names[i].samples.items = items;
		items += batch->names[i].count;
	}
	for (size_t i = 0; i < batch->point_count; i++) {
		const struct metric_point *point = &batch->points[i];
		struct metric_samples *samples = &batch->names[batch->name_of_point[i]].samples;
		samples->items[samples->count++] = (struct metric_sample){
			point->timestamp_ms, point->step, metric_value_normal(point->value)};
	}
	for (size_t i = 0; i < batch->name_count; i++)
		metric_samples_sort(&batch->names[i].samples, metric_sample_compare, arena);
}

/* The names in the order of their numbers, as the tail wants them and as the b-tree of series likes them. */
static struct metric_group *batch_groups(const struct batch *batch, struct arena *arena)
{
	struct metric_group *groups = ARENA_NEW(arena, struct metric_group, batch->name_count);
	bool is_sorted = true;
	for (size_t i = 0; i < batch->name_count; i++) {
		groups[i] =
			(struct metric_group){batch->names[i].pk.value, batch->names[i].samples};
		is_sorted = is_sorted && (i == 0 || groups[i - 1].name_pk < groups[i].name_pk);
	}
	if (!is_sorted)
		qsort(groups, batch->name_count, sizeof(groups[0]), compare_groups);
	return groups;
}

static int compare_groups(const void *a, const void *b)
{
	int64_t left = ((const struct metric_group *)a)->name_pk;
	int64_t right = ((const struct metric_group *)b)->name_pk;
	return left < right ? -1 : left > right;
}
