/* Samples curves of many runs at common steps (mlflow-api.md §5.11), for charts that draw points one by one.
 *
 * Of all distinct steps in the interval at most count_max are chosen, evenly by rank, and the last one; each run
 * adds its own least and greatest. Where a run has so many points at these steps that they are more than
 * count_max + 3, evenly spaced ones of them are given. The caller holds a snapshot; any connection. */
#ifndef STORE_METRIC_INTERVAL_H
#define STORE_METRIC_INTERVAL_H

#include "store/metric_series.h"

struct metric_interval {
	int64_t start_step, end_step; /* inclusive */
	size_t count_max;	      /* >= 1 */
};

/* samples_out[i] belongs to keys[i]: by step, timestamp, value. In the arena, which holds 24 bytes for each point
 * of the largest curve and 16 for each point of all curves meanwhile. */
MUST_CHECK bool metric_interval_read(struct db *db, const struct metric_series_key *keys,
				     size_t count, const struct metric_interval *interval,
				     struct arena *arena, struct metric_samples *samples_out,
				     struct error *err);

#endif
