/* Rows of metric_chunks: the compacted points of a series, 1 to METRIC_CHUNK_SAMPLES_MAX each.
 *
 * A chunk is found by its end, which is the end of its row's key; what a chart needs to pass a chunk by
 * stands beside the bytes. No point is in two chunks of a series; ranges may overlap. Rows are checked on
 * reading: nonsense is ERR_DATA_LOSS. One thread: the connection's. */
#ifndef STORE_METRIC_CHUNKS_H
#define STORE_METRIC_CHUNKS_H

#include "store/metric_codec.h"
#include "store/metric_series.h"

/* A row without its bytes. */
struct metric_chunk {
	struct metric_sample first, last; /* by timestamp, step, value */
	int64_t seq;			  /* tells chunks with the same end apart */
	int64_t step_least, step_greatest;
	double min, max; /* NaN when all points are */
	int64_t point_count, nan_count;
	bool is_step_ordered; /* steps never fall: first and last are so by step, too */
};

struct metric_chunk_list {
	struct metric_chunk *items;
	size_t count;
};

/* The chunks that end at or behind (timestamp_ms, step), by their end. In the arena. */
MUST_CHECK bool metric_chunks_list(struct db *db, struct metric_series_key key,
				   int64_t timestamp_ms, int64_t step, struct arena *arena,
				   struct metric_chunk_list *out, struct error *err);
/* The last chunk that ends before (timestamp_ms, step). */
MUST_CHECK bool metric_chunks_find_before(struct db *db, struct metric_series_key key,
					  int64_t timestamp_ms, int64_t step,
					  struct metric_chunk *out, bool *found_out,
					  struct error *err);
/* `chunk` was listed in the same snapshot. Appends the points to out->items, which has room for
 * METRIC_CHUNK_SAMPLES_MAX more. The arena gives scratch, given back. */
MUST_CHECK bool metric_chunk_load(struct db *db, struct metric_series_key key,
				  const struct metric_chunk *chunk, struct metric_samples *out,
				  struct arena *arena, struct error *err);

/* 1 to METRIC_CHUNK_SAMPLES_MAX ascending samples, none of which is in a chunk. The arena gives scratch,
 * given back. */
MUST_CHECK bool metric_chunk_insert_in_txn(struct db *db, struct metric_series_key key,
					   const struct metric_samples *samples,
					   struct arena *arena, struct error *err);
MUST_CHECK bool metric_chunk_delete_in_txn(struct db *db, struct metric_series_key key,
					   const struct metric_chunk *chunk, struct error *err);

#endif
