/* The tail of a run: accepted batches that are not compacted into chunks yet.
 *
 * One row of metric_tail is one batch (or a part of a very large one); a row of metric_tail_runs beside it
 * counts what the run's tail holds. That counter is a table, not memory, because it must follow the
 * savepoints that take batches back and must be right after a crash; one more update of a small hot row
 * costs about 2 µs a batch. Its partial index holds only the runs whose tail is long, so that housekeeping
 * finds them without looking at the others.
 *
 * A compaction works through a pass: the rows below pass_seq, name by name; names below pass_name_pk are in
 * chunks already, so readers leave them out here. When the last name is done the rows are deleted. Thus each
 * step is small however long the tail or however many the names, and survives a crash. One thread: the
 * connection's. */
#ifndef STORE_METRIC_TAIL_H
#define STORE_METRIC_TAIL_H

#include "db/db.h"
#include "store/entities.h"
#include "store/metric_codec.h"

enum {
	/* A tail beyond either is due. Readers of any curve of the run walk through its whole tail: 64 rows are 50 µs
	 * of row fetches, 16384 points 0.2 ms. Longer tails would make better (fuller) chunks and fewer rewrites. */
	METRIC_TAIL_ROWS_DUE = 64,
	METRIC_TAIL_POINTS_DUE = 16384,
	/* A pass takes no more at once: its rows are read again by each step and held in memory (0.5 MB). */
	METRIC_PASS_ROWS_MAX = 256,
	METRIC_PASS_POINTS_MAX = 32768,
};

enum metric_tail_state {
	METRIC_TAIL_SHORT = 0,
	METRIC_TAIL_DUE = 1,
	METRIC_TAIL_DAMAGED = 2, /* cannot be decoded; kept as it is for rescue */
};

/* A row of metric_tail_runs. */
struct metric_tail_run {
	struct run_pk run_pk;
	enum metric_tail_state state;
	int64_t row_count, point_count;
	int64_t pass_seq, pass_name_pk;
};

struct metric_tail_row {
	int64_t seq;
	struct slice data;
};

struct metric_tail_rows {
	struct metric_tail_row *items;
	size_t count;
	size_t point_count;
};

/* Appends groups (ascending by name_pk, any number of points) as one row, or several. The arena gives
 * scratch. */
MUST_CHECK bool metric_tail_append_in_txn(struct db *db, struct run_pk run_pk,
					  const struct metric_group *groups, size_t group_count,
					  struct arena *arena, struct error *err);
/* The points of some curves that are in the tail and in no chunk by way of a pass: samples_out[i], ascending, in
 * the arena, belong to name_pks[i]. They may repeat points of chunks that were logged before. name_pks
 * ascend strictly. */
MUST_CHECK bool metric_tail_collect(struct db *db, struct run_pk run_pk,
				    const struct name_pk *name_pks, size_t count,
				    struct arena *arena, struct metric_samples *samples_out,
				    struct error *err);

/* *found_out false: the run has no tail. */
MUST_CHECK bool metric_tail_find_run(struct db *db, struct run_pk run_pk,
				     struct metric_tail_run *out, bool *found_out,
				     struct error *err);
/* The due run with the most rows, or when there is none and `any` is set any run with a tail that is not
 * damaged. */
MUST_CHECK bool metric_tail_find_longest(struct db *db, bool any, struct metric_tail_run *out,
					 bool *found_out, struct error *err);
/* Rows of the open pass, or when none is open (pass_seq 0) of the next; in the arena. */
MUST_CHECK bool metric_tail_load_pass(struct db *db, const struct metric_tail_run *run,
				      struct arena *arena, struct metric_tail_rows *out,
				      struct error *err);
/* Names below `name_pk` of the pass are in chunks now. */
MUST_CHECK bool metric_tail_advance_in_txn(struct db *db, const struct metric_tail_run *run,
					   const struct metric_tail_rows *pass, int64_t name_pk,
					   struct error *err);
/* All names are: deletes the rows. */
MUST_CHECK bool metric_tail_finish_in_txn(struct db *db, const struct metric_tail_run *run,
					  const struct metric_tail_rows *pass, struct error *err);
/* Nobody shall try to compact this tail again. */
MUST_CHECK bool metric_tail_mark_damaged_in_txn(struct db *db, struct run_pk run_pk,
						struct error *err);

#endif
