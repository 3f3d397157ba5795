/* A sample is one point of one curve, without its name. Pure functions on arrays of them.
 *
 * Order and identity are MLflow's: timestamp, step, value ascending; a NaN ranks like 0 and stands
 * behind a real 0. Two samples that compare equal are the same point, of which only one is kept.
 * Values are normal before they come here (metric_value_normal): one NaN, no minus zero. */
#ifndef STORE_METRIC_SAMPLE_H
#define STORE_METRIC_SAMPLE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct metric_sample {
	int64_t timestamp_ms;
	int64_t step;
	double value;
};

/* Does `value` at `step` replace the extreme `best`, which is NaN as long as there is none? NaN never does;
 * of equal values the one of the least step stays. */
static inline bool metric_is_lower(double value, int64_t step, double best, int64_t best_step)
{
	return value < best || (isnan(best) && !isnan(value)) ||
	       (!(value > best) && !isnan(value) && step < best_step);
}

static inline bool metric_is_higher(double value, int64_t step, double best, int64_t best_step)
{
	return value > best || (isnan(best) && !isnan(value)) ||
	       (!(value < best) && !isnan(value) && step < best_step);
}

/* A run of samples; ascending without repeats where nothing else is said. */
struct metric_samples {
	struct metric_sample *items;
	size_t count;
};

/* SQL knows one NULL and no minus zero, so neither does the store: -0.0 becomes 0.0, and every NaN the
 * same NaN. */
static inline double metric_value_normal(double value)
{
	return isnan(value) ? (double)NAN : value + 0.0;
}

/* <0, 0, >0 for values alone: NaN directly behind 0. */
static inline int metric_value_compare(double a, double b)
{
	bool a_is_nan = isnan(a), b_is_nan = isnan(b);
	double a_rank = a_is_nan ? 0.0 : a, b_rank = b_is_nan ? 0.0 : b;
	if (a_rank < b_rank)
		return -1;
	if (a_rank > b_rank)
		return 1;
	return (int)a_is_nan - (int)b_is_nan;
}

/* <0, 0, >0 by timestamp, step, value. */
static inline int metric_sample_compare(const struct metric_sample *a,
					const struct metric_sample *b)
{
	if (a->timestamp_ms != b->timestamp_ms)
		return a->timestamp_ms < b->timestamp_ms ? -1 : 1;
	if (a->step != b->step)
		return a->step < b->step ? -1 : 1;
	return metric_value_compare(a->value, b->value);
}

/* The same by step, timestamp, value: the order of curves over steps, and of "latest". */
static inline int metric_sample_compare_by_step(const struct metric_sample *a,
						const struct metric_sample *b)
{
	if (a->step != b->step)
		return a->step < b->step ? -1 : 1;
	if (a->timestamp_ms != b->timestamp_ms)
		return a->timestamp_ms < b->timestamp_ms ? -1 : 1;
	return metric_value_compare(a->value, b->value);
}

typedef int metric_sample_order(const struct metric_sample *a, const struct metric_sample *b);

/* Sorts in place and drops repeats: input that consists of few ascending stretches, as tails and chunks
 * do, costs little more than reading it. The arena gets one array of scratch, given back. */
void metric_samples_sort(struct metric_samples *samples, metric_sample_order *order,
			 struct arena *arena);
/* Drops from `samples` what is also in `others`. Both ascending by metric_sample_compare. */
void metric_samples_subtract(struct metric_samples *samples, const struct metric_samples *others);
/* Index of the first item that is not before `key` (or, if `after`, of the first behind it). */
size_t metric_samples_seek(const struct metric_samples *samples, const struct metric_sample *key,
			   bool after);

/* What a run of samples looks like from outside: the columns of a chunk, the change of a series. */
struct metric_outline {
	size_t count, nan_count;
	struct metric_sample first, last; /* in metric_sample_compare order */
	struct metric_sample earliest, latest; /* least and greatest in metric_sample_compare_by_step order */
	int64_t step_least, step_greatest;
	double min, max;	    /* NaN when all values are; NaNs do not count */
	int64_t min_step, max_step; /* least step with that value; 0 when all are NaN */
	bool is_step_ordered;	    /* steps never fall: both orders are the same */
};

/* `samples` must not be empty. */
void metric_samples_outline(const struct metric_samples *samples, struct metric_outline *out);

#endif
