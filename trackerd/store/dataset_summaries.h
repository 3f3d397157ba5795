/* The datasets that the runs of experiments used, and what for (mlflow-api.md §4). */
#ifndef STORE_DATASET_SUMMARIES_H
#define STORE_DATASET_SUMMARIES_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

struct dataset_summary {
	int64_t experiment_id;
	struct slice name, digest;
	struct slice context; /* of one use, such as "training"; absent where none was said */
};
struct dataset_summary_list {
	struct dataset_summary *items; /* by experiment, name, digest, context; each once */
	size_t count;
};

/* At most `count_max`, in the arena. Deleted runs count as well. */
MUST_CHECK bool dataset_summaries_load(struct db *db, const int64_t *experiment_ids, size_t experiment_count,
				       size_t count_max, struct arena *arena,
				       struct dataset_summary_list *out, struct error *err);

#endif
