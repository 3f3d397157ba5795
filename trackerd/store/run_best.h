/* The best runs of an experiment by one metric.
 *
 * By the latest value it reads the first rows of an index, whatever the size of the experiment; by the
 * least or greatest value of the whole curve it looks at that metric of every run. Deleted runs, runs
 * without the metric and NaN never win. Of equal runs the older one wins. */
#ifndef STORE_RUN_BEST_H
#define STORE_RUN_BEST_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "db/sql_builder.h"
#include "store/entities.h"

enum { RUN_BEST_MAX = 1000 };

enum run_best_value { RUN_BEST_LAST, RUN_BEST_MIN_OF_CURVE, RUN_BEST_MAX_OF_CURVE };

struct run_best {
	int64_t experiment_id; /* nothing is found in one that does not exist */
	struct slice metric;
	enum run_best_value value; /* what of a run's curve counts */
	bool is_greatest;          /* the greatest wins, else the least */
	size_t runs_max;           /* 1..RUN_BEST_MAX */
	struct slice filter;       /* may be absent; search/filter.h */
};

struct run_best_entry {
	struct run run;
	double value;
	int64_t step;
	bool has_timestamp; /* known for RUN_BEST_LAST only */
	int64_t timestamp_ms;
};

struct run_best_list {
	struct run_best_entry *items; /* best first */
	size_t count;
};

/* Fails with INVALID_PARAMETER_VALUE for a bad filter. *out lives in the arena. */
MUST_CHECK bool run_best(struct db *db, const struct run_best *query, struct arena *arena,
			 struct run_best_list *out, struct error *err);

/* The statement that finds them, for tests that ask the database for its plan. */
MUST_CHECK bool run_best_statement(const struct run_best *query, struct arena *arena,
				   struct sql_builder *b, struct error *err);

#endif
