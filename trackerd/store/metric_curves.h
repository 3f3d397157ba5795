/* Curves for charts: at most N buckets each, whatever the number of points.
 *
 * The range of x (step or time) of all curves asked for, or the part of it that is asked for, is cut into buckets of
 * equal width, the same for all curves; a bucket has the first, last, least and greatest of its points, so that a spike
 * of one point shows at any width. A curve with no more points than buckets comes as it is, one bucket a point.
 *
 * Each chunk is decoded once and forgotten; one that lies inside one bucket is not decoded at all when its row says
 * enough. Memory is the result, one chunk, the buckets of one curve and the tails.
 *
 * The caller holds a snapshot (snapshot.h); any connection. */
#ifndef STORE_METRIC_CURVES_H
#define STORE_METRIC_CURVES_H

#include "store/metric_series.h"

struct metric_curves_query {
	const struct metric_series_key *keys; /* each once; those of one run side by side */
	size_t key_count;
	bool by_time;	     /* x is the timestamp instead of the step */
	int64_t start, end;  /* inclusive, in x */
	size_t bucket_count; /* >= 1 */
};

struct metric_bucket {
	struct metric_sample first, last; /* in the order of x */
	double min, max;		  /* NaN when all points are */
	int64_t point_count, nan_count;
};

struct metric_curve {
	int64_t point_count;	       /* inside the range */
	bool is_exact;		       /* one bucket a point */
	struct metric_bucket *buckets; /* without empty ones, by x */
	size_t bucket_count;
};

/* curves_out[i] belongs to keys[i]; point_count 0 when there is nothing in the range. In the arena. */
MUST_CHECK bool metric_curves_read(struct db *db, const struct metric_curves_query *query,
				   struct arena *arena, struct metric_curve *curves_out,
				   struct error *err);

#endif
