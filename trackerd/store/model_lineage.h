/* Ties between model versions and the logged models they come from (spec/mlflow-api.md §6, §7). How a version gets its
 * model is model_sources.h. */
#ifndef STORE_MODEL_LINEAGE_H
#define STORE_MODEL_LINEAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

/* Fills version->logged_model_or_null, if there is such a model; a deleted one still says what was registered. */
MUST_CHECK bool model_lineage_load(struct db *db, struct model_version *version, struct arena *arena,
				   struct error *err);

/* Writes the version into the tag mlflow.modelVersions of its logged model, once. `arena` is for scratch. */
MUST_CHECK bool model_lineage_record_in_txn(struct db *db, struct slice model_id, struct slice name, int64_t version,
					    struct arena *arena, struct error *err);

#endif
