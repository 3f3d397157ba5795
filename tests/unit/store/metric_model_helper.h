/* A naive model of the metric store, and random batches to hold both against each other.
 *
 * The model keeps every distinct point of a few curves in plain arrays on the heap; checks fail the test that
 * calls them. Random numbers come from a seed that each test prints, so that a failure can be repeated:
 * METRICS_SEED=… in the environment sets it. */
#ifndef TESTS_UNIT_STORE_METRIC_MODEL_HELPER_H
#define TESTS_UNIT_STORE_METRIC_MODEL_HELPER_H

#include "store/metric_sample.h"
#include "unit/store/tracker_db_helper.h"

enum { MODEL_RUNS = 2, MODEL_NAMES = 4 };

struct model_curve {
	struct metric_sample *points; /* distinct, ascending, after model_settle */
	size_t count, capacity;
	size_t settled_count;
};

struct metric_model {
	struct tracker_db *t;
	uint64_t random;
	struct run_pk runs[MODEL_RUNS];
	struct model_curve curves[MODEL_RUNS][MODEL_NAMES];
	int64_t step[MODEL_RUNS]; /* where a regular curve has come to */
};

/* Makes the runs. Prints and uses the seed. */
void metric_model_init(struct metric_model *model, struct tracker_db *t);
void metric_model_deinit(struct metric_model *model);
uint64_t metric_model_random(struct metric_model *model, uint64_t bound);

struct slice metric_model_name(unsigned name);
/* Appends points of one run to the store and to the model. */
struct metric_point;
void metric_model_append(struct metric_model *model, unsigned run,
			 const struct metric_point *points, size_t count);
/* One random batch: in order, late, repeated, scattered or extreme. */
void metric_model_append_random(struct metric_model *model, size_t count_max);

/* Reads the whole history in random pages, and its series row. */
void metric_model_check_history(struct metric_model *model, unsigned run, unsigned name,
				bool is_compacted);
/* Reads curves of all runs and names with random buckets and range. */
void metric_model_check_curves(struct metric_model *model);
void metric_model_check_all(struct metric_model *model, bool is_compacted);

/* The key of a curve; fails the test if the name was never logged. */
struct metric_series_key metric_model_key(struct metric_model *model, unsigned run, unsigned name);

#endif
