/* Datasets that runs used, in SQL (mlflow-api.md §5.8). */
#ifndef STORE_INPUTS_H
#define STORE_INPUTS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* Links datasets to a run. A dataset is known by (experiment, name, digest): its other fields are
 * the first writer's. A link that is there already stays as it is, with its tags. `arena` is for
 * scratch. */
MUST_CHECK bool inputs_log_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
				  struct dataset_input_list inputs, struct arena *arena,
				  struct error *err);

#endif
