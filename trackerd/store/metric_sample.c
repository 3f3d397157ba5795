/* Sorting, subtracting and summing up runs of samples. */
#include "store/metric_sample.h"

#include <string.h>

static size_t stretch_end(const struct metric_sample *items, size_t from, size_t count,
			  metric_sample_order *order);
static void merge(const struct metric_sample *a, size_t a_count, const struct metric_sample *b,
		  size_t b_count, struct metric_sample *out, metric_sample_order *order);

/* Drops neighbours that are equal. */
static void drop_repeats(struct metric_samples *samples, metric_sample_order *order)
{
	struct metric_sample *items = samples->items;
	size_t kept = samples->count == 0 ? 0 : 1;
	for (size_t i = 1; i < samples->count; i++)
		if (order(&items[i], &items[kept - 1]) != 0)
			items[kept++] = items[i];
	samples->count = kept;
}

void metric_samples_sort(struct metric_samples *samples, metric_sample_order *order,
			 struct arena *arena)
{
	size_t count = samples->count;
	if (stretch_end(samples->items, 0, count, order) < count) {
		struct arena_mark mark = arena_mark(arena);
		struct metric_sample *from = samples->items;
		struct metric_sample *to = ARENA_NEW(arena, struct metric_sample, count);
		/* Each pass merges neighbouring ascending stretches in pairs, so their number
		 * halves; the last pass leaves one. */
		for (bool done = false; !done;) {
			size_t at = 0;
			done = true;
			while (at < count) {
				size_t middle = stretch_end(from, at, count, order);
				size_t end = stretch_end(from, middle, count, order);
				merge(from + at, middle - at, from + middle, end - middle, to + at,
				      order);
				done = done && at == 0 && end == count;
				at = end;
			}
			struct metric_sample *swap = from;
			from = to;
			to = swap;
		}
		if (from != samples->items)
			memcpy(samples->items, from, count * sizeof(from[0]));
		arena_rewind(arena, mark);
	}
	drop_repeats(samples, order);
}

void metric_samples_subtract(struct metric_samples *samples, const struct metric_samples *others)
{
	if (samples->count == 0 || others->count == 0)
		return;
	/* Only where the two ranges meet can there be anything to drop. */
	struct metric_sample *items = samples->items;
	size_t at = metric_samples_seek(samples, &others->items[0], false);
	size_t end = metric_samples_seek(samples, &others->items[others->count - 1], true);
	size_t kept = at, other = at == end ? 0 : metric_samples_seek(others, &items[at], false);
	for (; at < end; at++) {
		while (metric_sample_compare(&others->items[other], &items[at]) < 0)
			other++;
		if (metric_sample_compare(&others->items[other], &items[at]) != 0)
			items[kept++] = items[at];
	}
	if (kept < end)
		memmove(items + kept, items + end, (samples->count - end) * sizeof(items[0]));
	samples->count -= end - kept;
}

size_t metric_samples_seek(const struct metric_samples *samples, const struct metric_sample *key,
			   bool after)
{
	size_t low = 0, high = samples->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (metric_sample_compare(&samples->items[middle], key) < (after ? 1 : 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void metric_samples_outline(const struct metric_samples *samples, struct metric_outline *out)
{
	const struct metric_sample *items = samples->items;
	ASSERT(samples->count > 0);
	struct metric_outline o = {
		.count = samples->count,
		.first = items[0],
		.last = items[samples->count - 1],
		.earliest = items[0],
		.latest = items[0],
		.step_least = items[0].step,
		.step_greatest = items[0].step,
		.min = (double)NAN,
		.max = (double)NAN,
		.is_step_ordered = true,
	};
	for (size_t i = 0; i < samples->count; i++) {
		const struct metric_sample *s = &items[i];
		if (i > 0 && s->step < items[i - 1].step)
			o.is_step_ordered = false;
		if (s->step < o.step_least)
			o.step_least = s->step;
		if (s->step > o.step_greatest)
			o.step_greatest = s->step;
		if (metric_sample_compare_by_step(s, &o.earliest) < 0)
			o.earliest = *s;
		if (metric_sample_compare_by_step(s, &o.latest) > 0)
			o.latest = *s;
		o.nan_count += isnan(s->value) ? 1 : 0;
		if (metric_is_lower(s->value, s->step, o.min, o.min_step)) {
			o.min = s->value;
			o.min_step = s->step;
		}
		if (metric_is_higher(s->value, s->step, o.max, o.max_step)) {
			o.max = s->value;
			o.max_step = s->step;
		}
	}
	*out = o;
}

/* One behind the longest stretch that begins at `from` and never descends. */
static size_t stretch_end(const struct metric_sample *items, size_t from, size_t count,
			  metric_sample_order *order)
{
	size_t end = from;
	while (end < count && (end == from || order(&items[end - 1], &items[end]) <= 0))
		end++;
	return end;
}

static void merge(const struct metric_sample *a, size_t a_count, const struct metric_sample *b,
		  size_t b_count, struct metric_sample *out, metric_sample_order *order)
{
	while (a_count > 0 && b_count > 0) {
		if (order(a, b) <= 0) {
			*out++ = *a++;
			a_count--;
		} else {
			*out++ = *b++;
			b_count--;
		}
	}
	memcpy(out, a, a_count * sizeof(a[0]));
	memcpy(out + a_count, b, b_count * sizeof(b[0]));
}
