/* Metrics: appending points and reading curves (architecture §5).
 *
 * A batch becomes one row of metric_tail and one upsert of metric_series per distinct name; when a run's tail grows,
 * when the run ends and when the daemon is idle, tails are compacted into metric_chunks. Readers merge chunks and
 * tail, order by (timestamp, step, value) and drop exact repeats, so what a reader sees never depends on compaction.
 * Everything runs inside the caller's transaction (`_in_txn`: the committer's connection) or on a read-only one. */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

struct metric_point {
	struct slice name;    /* borrowed */
	double value;	      /* NaN and infinities are kept */
	int64_t timestamp_ms; /* >= 0 */
	int64_t step;
};

/* Appends points of one run, in one go, and updates the series. Durable once the transaction is. Points equal to
 * ones that are already there vanish. `arena` is for scratch. */
MUST_CHECK bool metrics_append_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
				      const struct metric_point *points, size_t count,
				      struct arena *arena, struct error *err);

/* Latest metric of every name of each run, which are distinct: lists_out[i] belongs to run_pks[i], sorted by key. */
MUST_CHECK bool metrics_latest(struct db *db, const struct run_pk *run_pks, size_t count,
			       struct arena *arena, struct metric_list *lists_out,
			       struct error *err);

/* Compacts one run's tail (at the run's end), however short. Works for some 60 ms at most: of a tail with
 * thousands of names or a million points the rest is left to housekeeping, since other writers wait. */
MUST_CHECK bool metrics_compact_run_in_txn(struct db *db, struct run_pk run_pk, struct error *err);
/* One bounded step of housekeeping in its own transaction: compacts the run with the longest tail if it is above the
 * threshold, or any tail when idle. *more_out says whether another step is worth it. */
MUST_CHECK bool metrics_housekeeping(struct db *db, bool is_idle, bool *more_out,
				     struct error *err);

#endif
