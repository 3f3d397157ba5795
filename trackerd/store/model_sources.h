/* Where a model version's files are: the rules for `source`, and what get-download-uri answers. */
#ifndef STORE_MODEL_SOURCES_H
#define STORE_MODEL_SOURCES_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

/* Checks `source` as MLflow does (spec/mlflow-api.md §6) and gives the location of the files in the arena:
 *   models:/NAME/VERSION   that version's location
 *   runs:/RUN_ID/PATH      the run's artifact URI with PATH
 *   a local path, file:    only inside the artifact folder of `run_id` (may be empty: then never)
 *   anything else          itself; relative references, NUL and encoded tricks are refused
 * A prompt has no files: `is_prompt` skips the rule for local paths. */
MUST_CHECK bool model_source_resolve(struct db *db, struct slice source, struct slice run_id, bool is_prompt,
				     struct arena *arena, struct slice *location_out, struct error *err);

#endif
