/* Rows of metric_series: one a curve, what is known of it without reading points.
 *
 * The row follows from the set of the curve's points alone, whatever order they came in, except point_count:
 * repeats that are still in the tail are counted until they are compacted. One thread: the connection's. */
#ifndef STORE_METRIC_SERIES_H
#define STORE_METRIC_SERIES_H

#include "db/db.h"
#include "store/entities.h"
#include "store/metric_sample.h"

/* Which curve. */
struct metric_series_key {
	struct run_pk run_pk;
	struct name_pk name_pk;
};

struct metric_series {
	struct name_pk name_pk;
	struct metric_sample first; /* least by step, timestamp, value; unknown of some curves of old files */
	bool is_first_known;
	struct metric_sample last;  /* greatest by step, timestamp, value */
	double min, max;	    /* NaN when all points are */
	int64_t min_step, max_step; /* least step with that value; 0 when all points are NaN */
	int64_t step_least;	    /* also when `first` is unknown; the greatest is last.step */
	int64_t timestamp_least_ms, timestamp_greatest_ms;
	int64_t point_count;
};

/* New points of one name. */
struct metric_series_added {
	struct name_pk name_pk;
	struct metric_outline outline;
};

/* Adds a batch's points, ascending strictly by name_pk. The arena gives scratch. */
MUST_CHECK bool metric_series_add_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
					 const struct metric_series_added *added, size_t count,
					 struct arena *arena, struct error *err);
/* Takes back repeats that a compaction found. */
MUST_CHECK bool metric_series_discount_in_txn(struct db *db, struct metric_series_key key,
					      int64_t repeat_count, struct error *err);
/* *found_out false when the run has no points of that name. */
MUST_CHECK bool metric_series_find(struct db *db, struct metric_series_key key,
				   struct metric_series *out, bool *found_out, struct error *err);

/* Columns that metric_series_read expects, from column 0 of a statement of one's own. */
#define METRIC_SERIES_COLUMNS                                                                      \
	"name_pk, last_value, last_step, last_timestamp_ms, min_value, min_step, max_value, "      \
	"max_step,"                                                                                \
	" first_step, first_timestamp_ms, greatest_timestamp_ms, point_count, first_value,"         \
	" first_value_timestamp_ms"
enum { METRIC_SERIES_COLUMN_COUNT = 14 };
void metric_series_read(const struct db_statement *st, struct metric_series *out);

/* REAL columns hold NaN as NULL. */
void metric_value_bind(struct db_statement *st, int index, double value);
double metric_value_column(const struct db_statement *st, int index);

#endif
