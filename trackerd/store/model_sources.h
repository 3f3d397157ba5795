/* Where a model version's files are: the rules for `source`, and what get-download-uri answers. */
#ifndef STORE_MODEL_SOURCES_H
#define STORE_MODEL_SOURCES_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

/* A source, and the run and the logged model that are said to contain it; both may be empty. Where a model is named, it
 * is the model that must contain the source. */
struct model_source {
	struct slice uri, run_id, model_id;
};

/* Checks the source as MLflow does (spec/mlflow-api.md §6) and gives the location of the files in the arena:
 *   models:/NAME/VERSION   that version's location; a run and a model not named are that version's
 *   models:/MODEL_ID       that logged model's artifact URI; a model that is named must be this one
 *   runs:/RUN_ID/PATH      the run's artifact URI with PATH; a run that is named must be this one, a model is none
 *   mlflow-artifacts:      itself; inside the artifact folder of the model or run, if one is named
 *   a local path, file:    itself; always inside the artifact folder of the model or run
 *   anything else          itself
 * All but local paths must be absolute, without ".", "..", NUL and backslash, however often they are
 * percent-encoded. On success source->model_id and run_id are what the version comes from, in the arena: without a
 * run the version gets the one that made the model, which must exist. */
MUST_CHECK bool model_source_resolve(struct db *db, struct model_source *source, struct arena *arena,
				     struct slice *location_out, struct error *err);

/* A prompt has no files: its source must be one of the words that clients put there. Pure. */
MUST_CHECK bool model_source_check_prompt(struct slice uri, struct error *err);

#endif
