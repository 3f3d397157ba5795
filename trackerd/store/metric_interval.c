/* Owns the choice of common steps and the reading of points at them. */
#include "store/metric_interval.h"

#include "base/checked.h"
#include "store/metric_history.h"

/* Distinct steps, ascending. */
struct step_set {
	int64_t *items;
	size_t count;
};

static bool gather_steps(struct db *db, const struct metric_series_key *keys, size_t count,
			 const struct metric_interval *interval, struct arena *arena,
			 struct step_set *out, struct error *err);
static bool read_sorted(struct db *db, struct metric_series_key key,
			const struct metric_interval *interval, struct arena *arena,
			struct metric_samples *out, struct error *err);
static void merge_steps(struct step_set *set, const struct metric_samples *samples,
			int64_t *scratch);
static void choose_steps(struct step_set *set, size_t count_max);
static bool contains(const struct step_set *set, int64_t step);
static size_t keep_chosen(struct metric_samples *samples, const struct step_set *chosen,
			  size_t count_max);

bool metric_interval_read(struct db *db, const struct metric_series_key *keys, size_t count,
			  const struct metric_interval *interval, struct arena *arena,
			  struct metric_samples *samples_out, struct error *err)
{
	struct step_set steps = {0};
	if (!gather_steps(db, keys, count, interval, arena, &steps, err))
		return false;
	choose_steps(&steps, interval->count_max);
	for (size_t i = 0; i < count; i++) {
		/* Room for what is kept, below the mark; the whole curve above it. */
		struct metric_sample *kept =
			ARENA_NEW(arena, struct metric_sample, interval->count_max + 3);
		struct arena_mark mark = arena_mark(arena);
		struct metric_samples samples;
		if (!read_sorted(db, keys[i], interval, arena, &samples, err))
			return false;
		size_t kept_count = keep_chosen(&samples, &steps, interval->count_max);
		if (kept_count > 0)
			memcpy(kept, samples.items, kept_count * sizeof(kept[0]));
		arena_rewind(arena, mark);
		samples_out[i] = (struct metric_samples){kept, kept_count};
	}
	return true;
}

static bool gather_steps(struct db *db, const struct metric_series_key *keys, size_t count,
			 const struct metric_interval *interval, struct arena *arena,
			 struct step_set *out, struct error *err)
{
	size_t room = 0;
	for (size_t i = 0; i < count; i++) {
		struct metric_series series;
		bool found = false;
		if (!metric_series_find(db, keys[i], &series, &found, err))
			return false;
		if (found && series.point_count > 0)
			room += size_from_i64(series.point_count);
	}
	struct step_set set = {ARENA_NEW(arena, int64_t, room), 0};
	int64_t *scratch = ARENA_NEW(arena, int64_t, room);
	for (size_t i = 0; i < count; i++) {
		struct arena_mark mark = arena_mark(arena);
		struct metric_samples samples;
		if (!read_sorted(db, keys[i], interval, arena, &samples, err))
			return false;
		if (samples.count > room - set.count)
			return error_set(err, ERR_DATA_LOSS,
					 "A curve has more points than were counted.");
		merge_steps(&set, &samples, scratch);
		arena_rewind(arena, mark);
	}
	*out = set;
	return true;
}

/* The points inside the interval, by step. */
static bool read_sorted(struct db *db, struct metric_series_key key,
			const struct metric_interval *interval, struct arena *arena,
			struct metric_samples *out, struct error *err)
{
	struct metric_samples samples;
	bool more;
	if (!metric_history_read(db, key, NULL, SIZE_MAX, arena, &samples, &more, err))
		return false;
	size_t kept = 0;
	for (size_t i = 0; i < samples.count; i++)
		if (samples.items[i].step >= interval->start_step &&
		    samples.items[i].step <= interval->end_step)
			samples.items[kept++] = samples.items[i];
	samples.count = kept;
	metric_samples_sort(&samples, metric_sample_compare_by_step, arena);
	*out = samples;
	return true;
}

/* `scratch` has room for both. */
static void merge_steps(struct step_set *set, const struct metric_samples *samples,
			int64_t *scratch)
{
	size_t a = 0, b = 0, count = 0;
	while (a < set->count || b < samples->count) {
		bool from_set = b == samples->count ||
				(a < set->count && set->items[a] <= samples->items[b].step);
		int64_t step = from_set ? set->items[a++] : samples->items[b++].step;
		if (count == 0 || scratch[count - 1] != step)
			scratch[count++] = step;
	}
	if (count > 0)
		memcpy(set->items, scratch, count * sizeof(scratch[0]));
	set->count = count;
}

/* Those at i * count / count_max, and the last. */
static void choose_steps(struct step_set *set, size_t count_max)
{
	if (set->count <= count_max)
		return;
	int64_t last = set->items[set->count - 1];
	size_t chosen = 0;
	for (size_t i = 0; i < count_max; i++)
		set->items[chosen++] = set->items[i * set->count / count_max];
	if (set->items[chosen - 1] != last)
		set->items[chosen++] = last;
	set->count = chosen;
}

static bool contains(const struct step_set *set, int64_t step)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->items[middle] < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && set->items[low] == step;
}

/* Moves the points to give to the front, and says how many. */
static size_t keep_chosen(struct metric_samples *samples, const struct step_set *chosen,
			  size_t count_max)
{
	if (samples->count == 0)
		return 0;
	int64_t least = samples->items[0].step, greatest = samples->items[samples->count - 1].step;
	size_t kept = 0;
	for (size_t i = 0; i < samples->count; i++) {
		int64_t step = samples->items[i].step;
		if (step == least || step == greatest || contains(chosen, step))
			samples->items[kept++] = samples->items[i];
	}
	size_t given = count_max + 3;
	if (kept <= given)
		return kept;
	for (size_t i = 0; i < given; i++)
		samples->items[i] = samples->items[i * (kept - 1) / (given - 1)];
	return given;
}
