/* Which logged model a model version comes from (spec/mlflow-api.md §6, §7). */
#ifndef STORE_MODEL_LINEAGE_H
#define STORE_MODEL_LINEAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

struct model_lineage {
	struct slice model_id; /* empty: from no logged model */
	struct slice run_id;   /* may be empty */
	struct slice location; /* where the files are; absent when the source says nothing of a logged model */
};

/* `run_id` and `model_id` are what the peer says, both may be absent. A source models:/MODEL_ID names its model and so
 * its files; model_id may say the same, and INVALID_PARAMETER_VALUE is the answer when it says another. Without a run
 * the version gets the one that made the model. A source models:/NAME/VERSION passes on what that version says. Fails
 * for a model that is not there. *out lives in the arena. */
MUST_CHECK bool model_lineage_resolve(struct db *db, struct slice source, struct slice run_id, struct slice model_id,
				      struct arena *arena, struct model_lineage *out, struct error *err);

/* Fills version->logged_model_or_null, if there is such a model; a deleted one still says what was registered. */
MUST_CHECK bool model_lineage_load(struct db *db, struct model_version *version, struct arena *arena,
				   struct error *err);

/* Writes the version into the tag mlflow.modelVersions of its logged model, once. `arena` is for scratch. */
MUST_CHECK bool model_lineage_record_in_txn(struct db *db, struct slice model_id, struct slice name, int64_t version,
					    struct arena *arena, struct error *err);

#endif
