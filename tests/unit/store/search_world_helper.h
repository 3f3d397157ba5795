/* A world of random runs, in C and in a database, and random filters with what they mean: what searches are
 * compared with. Knows nothing of search/ but the words of the filter language. */
#ifndef TESTS_UNIT_STORE_SEARCH_WORLD_HELPER_H
#define TESTS_UNIT_STORE_SEARCH_WORLD_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "unit/store/tracker_db_helper.h"

enum {
	WORLD_RUNS = 300,
	WORLD_EXPERIMENTS = 3, /* ids 0, 1, 2 */
	WORLD_METRICS = 3,
	WORLD_PARAMS = 2,
	WORLD_TAGS = 2,
	WORLD_DATASETS = 2,
};

struct world_metric {
	bool exists, is_nan;
	double value, min, max; /* of the latest point, of the curve */
};

struct world_dataset {
	bool exists;
	const char *name, *digest, *context_or_null;
};

struct world_run {
	int64_t pk, experiment_id, start_time;
	bool is_deleted, has_end_time;
	int64_t end_time;
	char run_id[33];
	const char *name, *status, *user_id, *artifact_uri;
	struct world_metric metrics[WORLD_METRICS];
	const char *params[WORLD_PARAMS]; /* NULL: not there */
	const char *tags[WORLD_TAGS];
	struct world_dataset datasets[WORLD_DATASETS];
};

struct world {
	struct world_run runs[WORLD_RUNS];
	uint64_t random;
};

extern const char *const world_metric_names[WORLD_METRICS];
extern const char *const world_param_names[WORLD_PARAMS];
extern const char *const world_tag_names[WORLD_TAGS];

/* Fills `world` and the database. Prints the seed, which TRACKERD_TEST_SEED can set. */
void world_fill(struct world *world, struct tracker_db *t);
uint64_t world_random(struct world *world, uint64_t below);

struct world_filter;
/* A random filter with up to `depth` levels; its text in *text_out. Memory is the arena's. */
const struct world_filter *world_filter_random(struct world *world, unsigned depth, struct arena *arena,
					       struct slice *text_out);
bool world_filter_matches(const struct world_filter *filter, const struct world_run *run);

#endif
