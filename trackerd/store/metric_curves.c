/* Owns the cutting of curves into buckets. */
#include "store/metric_curves.h"

#include <stdlib.h>

#include "store/metric_chunks.h"
#include "store/metric_tail.h"

/* How x is cut, for all curves of a query. */
struct cut {
	bool by_time;
	int64_t low, high; /* inclusive; nothing when low > high */
	size_t bucket_count;
	double scale; /* buckets a unit of x */
};

/* One curve in the making. Its points are kept one by one as long as there are no more than buckets. */
struct curve_builder {
	const struct cut *cut;
	struct metric_samples kept; /* room for bucket_count */
	bool is_bucketed;	    /* kept was full and is in the buckets */
	struct metric_bucket *buckets;
	int64_t point_count;
};

static bool find_cut(struct db *db, const struct metric_curves_query *query, struct cut *out,
		     struct error *err);
static bool collect_tails(struct db *db, const struct metric_curves_query *query,
			  struct arena *arena, struct metric_samples *tails, struct error *err);
static bool read_curve(struct db *db, struct metric_series_key key, struct curve_builder *builder,
		       struct metric_samples tail, struct metric_samples *scratch,
		       struct arena *arena, struct error *err);
static void builder_reset(struct curve_builder *builder);
static void builder_finish(struct curve_builder *builder, struct arena *arena,
			   struct metric_curve *out);

bool metric_curves_read(struct db *db, const struct metric_curves_query *query, struct arena *arena,
			struct metric_curve *curves_out, struct error *err)
{
	ASSERT(query->bucket_count >= 1);
	struct cut cut;
	if (!find_cut(db, query, &cut, err))
		return false;
	struct metric_curve *curves = ARENA_NEW(arena, struct metric_curve, query->key_count);
	if (cut.low <= cut.high) {
		struct metric_samples *tails =
			ARENA_NEW(arena, struct metric_samples, query->key_count);
		struct metric_samples scratch = {
			ARENA_NEW(arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
		struct curve_builder builder = {
			.cut = &cut,
			.kept = {ARENA_NEW(arena, struct metric_sample, cut.bucket_count), 0},
			.buckets = ARENA_NEW(arena, struct metric_bucket, cut.bucket_count),
		};
		if (!collect_tails(db, query, arena, tails, err))
			return false;
		for (size_t i = 0; i < query->key_count; i++) {
			builder_reset(&builder);
			if (!read_curve(db, query->keys[i], &builder, tails[i], &scratch, arena,
					err))
				return false;
			builder_finish(&builder, arena, &curves[i]);
		}
	}
	memcpy(curves_out, curves, query->key_count * sizeof(curves[0]));
	return true;
}

static bool find_cut(struct db *db, const struct metric_curves_query *query, struct cut *out,
		     struct error *err)
{
	int64_t least = INT64_MAX, greatest = INT64_MIN;
	for (size_t i = 0; i < query->key_count; i++) {
		struct metric_series series;
		bool found = false;
		if (!metric_series_find(db, query->keys[i], &series, &found, err))
			return false;
		if (!found)
			continue;
		int64_t from = query->by_time ? series.timestamp_least_ms : series.step_least;
		int64_t to = query->by_time ? series.timestamp_greatest_ms : series.last.step;
		if (from < least)
			least = from;
		if (to > greatest)
			greatest = to;
	}
	struct cut cut = {
		.by_time = query->by_time,
		.low = query->start > least ? query->start : least,
		.high = query->end < greatest ? query->end : greatest,
		.bucket_count = query->bucket_count,
	};
	double width = (double)((uint64_t)cut.high - (uint64_t)cut.low) + 1.0;
	cut.scale = (double)cut.bucket_count / width;
	*out = cut;
	return true;
}

/* A name of a run, and whose tail it is. */
struct tail_slot {
	struct name_pk name_pk;
	size_t index;
};

static int compare_slots(const void *a, const void *b)
{
	int64_t left = ((const struct tail_slot *)a)->name_pk.value;
	int64_t right = ((const struct tail_slot *)b)->name_pk.value;
	return left < right ? -1 : left > right;
}

/* The tail of each run is walked through once for all its curves. */
static bool collect_tails(struct db *db, const struct metric_curves_query *query,
			  struct arena *arena, struct metric_samples *tails, struct error *err)
{
	struct tail_slot *slots = ARENA_NEW(arena, struct tail_slot, query->key_count);
	struct name_pk *names = ARENA_NEW(arena, struct name_pk, query->key_count);
	struct metric_samples *found = ARENA_NEW(arena, struct metric_samples, query->key_count);
	for (size_t from = 0, count; from < query->key_count; from += count) {
		struct run_pk run_pk = query->keys[from].run_pk;
		for (count = 0; from + count < query->key_count &&
				query->keys[from + count].run_pk.value == run_pk.value;
		     count++)
			slots[count] =
				(struct tail_slot){query->keys[from + count].name_pk, from + count};
		qsort(slots, count, sizeof(slots[0]), compare_slots);
		for (size_t i = 0; i < count; i++)
			names[i] = slots[i].name_pk;
		if (!metric_tail_collect(db, run_pk, names, count, arena, found, err))
			return false;
		for (size_t i = 0; i < count; i++)
			tails[slots[i].index] = found[i];
	}
	return true;
}

/* ---- buckets ---- */

static int64_t x_of(const struct cut *cut, const struct metric_sample *sample)
{
	return cut->by_time ? sample->timestamp_ms : sample->step;
}

/* Never falls with x, and is the same for equal x, so that a bucket is an interval, rounding or not. */
static size_t bucket_of(const struct cut *cut, int64_t x)
{
	size_t bucket = (size_t)((double)((uint64_t)x - (uint64_t)cut->low) * cut->scale);
	return bucket < cut->bucket_count ? bucket : cut->bucket_count - 1;
}

static int compare_in(const struct cut *cut, const struct metric_sample *a,
		      const struct metric_sample *b)
{
	return cut->by_time ? metric_sample_compare(a, b) : metric_sample_compare_by_step(a, b);
}

static void bucket_add(const struct cut *cut, struct metric_bucket *bucket,
		       const struct metric_bucket *added)
{
	if (bucket->point_count == 0) {
		*bucket = *added;
		return;
	}
	if (compare_in(cut, &added->first, &bucket->first) < 0)
		bucket->first = added->first;
	if (compare_in(cut, &added->last, &bucket->last) > 0)
		bucket->last = added->last;
	/* NaN compares false, and replaces nothing. */
	if (added->min < bucket->min || isnan(bucket->min))
		bucket->min = added->min;
	if (added->max > bucket->max || isnan(bucket->max))
		bucket->max = added->max;
	bucket->point_count += added->point_count;
	bucket->nan_count += added->nan_count;
}

static struct metric_bucket bucket_of_sample(const struct metric_sample *sample)
{
	return (struct metric_bucket){
		.first = *sample,
		.last = *sample,
		.min = sample->value,
		.max = sample->value,
		.point_count = 1,
		.nan_count = isnan(sample->value) ? 1 : 0,
	};
}

static void builder_reset(struct curve_builder *builder)
{
	if (builder->is_bucketed)
		memset(builder->buckets, 0,
		       builder->cut->bucket_count * sizeof(builder->buckets[0]));
	builder->kept.count = 0;
	builder->is_bucketed = false;
	builder->point_count = 0;
}

static void builder_put(struct curve_builder *builder, const struct metric_sample *sample)
{
	struct metric_bucket added = bucket_of_sample(sample);
	size_t bucket = bucket_of(builder->cut, x_of(builder->cut, sample));
	bucket_add(builder->cut, &builder->buckets[bucket], &added);
}

/* From points to buckets. */
static void builder_give_up_points(struct curve_builder *builder)
{
	if (builder->is_bucketed)
		return;
	for (size_t i = 0; i < builder->kept.count; i++)
		builder_put(builder, &builder->kept.items[i]);
	builder->is_bucketed = true;
}

static void builder_add_samples(struct curve_builder *builder, const struct metric_samples *samples)
{
	const struct cut *cut = builder->cut;
	for (size_t i = 0; i < samples->count; i++) {
		const struct metric_sample *sample = &samples->items[i];
		int64_t x = x_of(cut, sample);
		if (x < cut->low || x > cut->high)
			continue;
		builder->point_count++;
		if (!builder->is_bucketed) {
			if (builder->kept.count < cut->bucket_count) {
				builder->kept.items[builder->kept.count++] = *sample;
				continue;
			}
			builder_give_up_points(builder);
		}
		builder_put(builder, sample);
	}
}

static void builder_add_whole(struct curve_builder *builder, const struct metric_chunk *chunk)
{
	struct metric_bucket added = {
		.first = chunk->first,
		.last = chunk->last,
		.min = chunk->min,
		.max = chunk->max,
		.point_count = chunk->point_count,
		.nan_count = chunk->nan_count,
	};
	size_t bucket = bucket_of(builder->cut, x_of(builder->cut, &chunk->first));
	builder_give_up_points(builder);
	bucket_add(builder->cut, &builder->buckets[bucket], &added);
	builder->point_count += chunk->point_count;
}

static void builder_finish(struct curve_builder *builder, struct arena *arena,
			   struct metric_curve *out)
{
	const struct cut *cut = builder->cut;
	*out = (struct metric_curve){.point_count = builder->point_count,
				     .is_exact = !builder->is_bucketed};
	if (builder->is_bucketed) {
		size_t used = 0;
		for (size_t i = 0; i < cut->bucket_count; i++)
			used += builder->buckets[i].point_count > 0 ? 1 : 0;
		out->buckets = ARENA_NEW(arena, struct metric_bucket, used);
		for (size_t i = 0; i < cut->bucket_count; i++)
			if (builder->buckets[i].point_count > 0)
				out->buckets[out->bucket_count++] = builder->buckets[i];
		return;
	}
	metric_samples_sort(&builder->kept,
			    cut->by_time ? metric_sample_compare : metric_sample_compare_by_step,
			    arena);
	out->bucket_count = builder->kept.count;
	out->buckets = ARENA_NEW(arena, struct metric_bucket, out->bucket_count);
	for (size_t i = 0; i < out->bucket_count; i++)
		out->buckets[i] = bucket_of_sample(&builder->kept.items[i]);
}

/* ---- chunks ---- */

/* Least and greatest x of a chunk. */
static void chunk_range(const struct cut *cut, const struct metric_chunk *chunk, int64_t *low_out,
			int64_t *high_out)
{
	*low_out = cut->by_time ? chunk->first.timestamp_ms : chunk->step_least;
	*high_out = cut->by_time ? chunk->last.timestamp_ms : chunk->step_greatest;
}

/* Does the tail have a point that may repeat one of the chunk? */
static bool chunk_meets(const struct metric_chunk *chunk, const struct metric_samples *tail)
{
	size_t at = metric_samples_seek(tail, &chunk->first, false);
	return at < tail->count && metric_sample_compare(&tail->items[at], &chunk->last) <= 0;
}

/* Can the chunk go into its bucket as a whole? Not while the points may still be few enough to be kept. */
static bool chunk_is_whole(const struct curve_builder *builder, const struct metric_chunk *chunk,
			   int64_t low, int64_t high)
{
	const struct cut *cut = builder->cut;
	return low >= cut->low && high <= cut->high &&
	       bucket_of(cut, low) == bucket_of(cut, high) &&
	       (cut->by_time || chunk->is_step_ordered) &&
	       (builder->is_bucketed ||
		builder->kept.count + (size_t)chunk->point_count > cut->bucket_count);
}

static bool read_curve(struct db *db, struct metric_series_key key, struct curve_builder *builder,
		       struct metric_samples tail, struct metric_samples *scratch,
		       struct arena *arena, struct error *err)
{
	const struct cut *cut = builder->cut;
	struct arena_mark mark = arena_mark(arena);
	struct metric_chunk_list chunks;
	if (!metric_chunks_list(db, key, cut->by_time ? cut->low : INT64_MIN, INT64_MIN, arena,
				&chunks, err))
		return false;
	for (size_t i = 0; i < chunks.count; i++) {
		const struct metric_chunk *chunk = &chunks.items[i];
		int64_t low, high;
		chunk_range(cut, chunk, &low, &high);
		if (high < cut->low || low > cut->high)
			continue;
		bool meets_tail = chunk_meets(chunk, &tail);
		if (!meets_tail && chunk_is_whole(builder, chunk, low, high)) {
			builder_add_whole(builder, chunk);
			continue;
		}
		scratch->count = 0;
		if (!metric_chunk_load(db, key, chunk, scratch, arena, err))
			return false;
		if (meets_tail)
			metric_samples_subtract(&tail, scratch);
		builder_add_samples(builder, scratch);
	}
	builder_add_samples(builder, &tail);
	arena_rewind(arena, mark);
	return true;
}
