/* Reads the points of a curve page by page, in the order (timestamp, step, value), without repeats.
 *
 * What comes out does not depend on how far the curve is compacted, so a page that begins behind the last point of
 * the page before continues it exactly, also while points are logged and compacted (points that arrive later but
 * sort before it are missed, as with any cursor). Chunks that end before the page are not looked at, chunks behind
 * it not decoded; memory is the page, one decoded chunk for each that overlaps, and the tail.
 *
 * The caller holds a snapshot (snapshot.h); any connection. */
#ifndef STORE_METRIC_HISTORY_H
#define STORE_METRIC_HISTORY_H

#include "store/metric_series.h"

/* The first `count_max` (>= 1) points behind *after_or_null, or from the beginning; in the arena. *more_out says
 * whether there are others behind them. A run without the name has no points. */
MUST_CHECK bool metric_history_read(struct db *db, struct metric_series_key key,
				    const struct metric_sample *after_or_null, size_t count_max,
				    struct arena *arena, struct metric_samples *out, bool *more_out,
				    struct error *err);

#endif
