/* Logged models that runs took in or made, in SQL (mlflow-api.md §5.8). Models are known by their ids, which
 * need not be of models of this server. Reading the outputs of many runs is runs_load.h. */
#ifndef STORE_RUN_MODELS_H
#define STORE_RUN_MODELS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* A link that is there already stays as it is. */
MUST_CHECK bool run_model_inputs_log_in_txn(struct db *db, struct run_pk run_pk, struct model_input_list inputs,
					    struct error *err);
MUST_CHECK bool run_model_outputs_log_in_txn(struct db *db, struct run_pk run_pk, struct model_output_list outputs,
					     struct error *err);

/* In the arena. */
MUST_CHECK bool run_model_inputs_load(struct db *db, struct run_pk run_pk, struct arena *arena,
				      struct model_input_list *out, struct error *err);

#endif
