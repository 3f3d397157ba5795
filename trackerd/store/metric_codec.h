/* The bytes of metric points in the database: pure functions from memory to memory, any thread.
 *
 * Two formats, each with its version in the first byte and a checksum in the last four:
 *
 *   tail   one accepted batch of one run. Written on the ingest path, so it is only packed as far as
 *          that is free: groups of one name each, ascending by name_pk; varints of the differences of
 *          steps and times from point to point; values as they are. About 10 bytes a point.
 *   chunk  up to METRIC_CHUNK_SAMPLES_MAX points of one series, ascending by timestamp, step, value.
 *          Steps and times as varints of the difference of differences (regular curves become zeros),
 *          values cut into their eight byte planes (bytes of like meaning side by side), and the whole
 *          compressed by zstd when that pays.
 *
 * Why planes and zstd, and not XOR bit packing (T. Pelkonen et al., "Gorilla: A Fast, Scalable,
 * In-Memory Time Series Database", VLDB 2015, §4.1.2, whose difference of differences is used for the
 * times): measured on 4096 points each, bytes a point with times, encoding / decoding ns a point:
 *
 *     curve                              XOR + varint times     planes + zstd -1
 *     noisy loss, float64                10.1   20 /  6         8.1   30 /  9
 *     noisy loss logged from float32      6.5   15 /  5         4.6   28 / 15
 *     cosine learning rate, float64       8.7   19 /  6         7.2   27 /  6
 *     accuracy, multiples of 0.0001       8.9   12 /  4         7.1   21 /  7
 *     integers                            3.4    7 /  4         0.8   13 /  9
 *
 * Smaller everywhere, fast enough (a million points decode in about 10 ms), and what reads hostile bytes is
 * a loop over planes and a library that is fuzzed for a living.
 *
 * Decoding believes nothing: versions, counts, lengths, order and checksum are checked, and any fault is
 * ERR_DATA_LOSS with outputs untouched. Differences wrap around (uint64), so every int64 survives. */
#ifndef STORE_METRIC_CODEC_H
#define STORE_METRIC_CODEC_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "store/metric_sample.h"

enum {
	/* Points of a chunk. 4096 decode in 40 µs into 96 KiB, which is what a reader pays for one point of it
	 * and a compaction for adding one; larger ones compress no better. */
	METRIC_CHUNK_SAMPLES_MAX = 4096,
	/* Points of a tail row: bounds what one row costs in memory. A larger batch becomes several rows. */
	METRIC_TAIL_SAMPLES_MAX = 4096,
};

/* Points of one name in a batch, ascending. */
struct metric_group {
	int64_t name_pk;	       /* >= 1 */
	struct metric_samples samples; /* not empty */
};

/* Groups strictly ascending by name_pk, METRIC_TAIL_SAMPLES_MAX points at most. In the arena. */
struct slice metric_tail_encode(const struct metric_group *groups, size_t group_count,
				struct arena *arena);

/* Reads a tail group by group. */
struct metric_tail_reader {
	struct slice steps, timestamps, values; /* what is left of each column */
	struct slice heads;			/* name and count of the groups to come */
	int64_t name_pk;			/* of the current group; 0 before the first */
	size_t count;				/* points of the current group */
	size_t points_left;			/* of groups to come */
	uint64_t step, timestamp_ms;		/* of the point before */
};

/* Checks the frame and stands before the first group. Borrows `data` for the life of the reader. */
MUST_CHECK bool metric_tail_open(struct slice data, struct metric_tail_reader *out,
				 struct error *err);
/* Goes to the next group: *found_out false behind the last one. The current group must have been read or
 * skipped. */
MUST_CHECK bool metric_tail_next(struct metric_tail_reader *reader, bool *found_out,
				 struct error *err);
/* Appends the points of the current group to out->items, which has room for reader->count more. */
MUST_CHECK bool metric_tail_read(struct metric_tail_reader *reader, struct metric_samples *out,
				 struct error *err);
MUST_CHECK bool metric_tail_skip(struct metric_tail_reader *reader, struct error *err);

/* 1 to METRIC_CHUNK_SAMPLES_MAX ascending samples. In the arena, which also gives scratch. */
struct slice metric_chunk_encode(const struct metric_samples *samples, struct arena *arena);
/* Appends the chunk's samples to out->items, which has room for METRIC_CHUNK_SAMPLES_MAX more; `count` is
 * what the row says. The arena gives scratch, given back. */
MUST_CHECK bool metric_chunk_decode(struct slice data, int64_t count, struct metric_samples *out,
				    struct arena *arena, struct error *err);

#endif
