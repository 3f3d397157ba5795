/* Parameters of runs in SQL: written once, never changed (mlflow-api.md §5.3). */
#ifndef STORE_PARAMS_H
#define STORE_PARAMS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* The same value again is fine; another one is INVALID_PARAMETER_VALUE with key, old and new value
 * (cut to fit the message). `arena` is for scratch. */
MUST_CHECK bool param_log_in_txn(struct db *db, struct run_pk run_pk, struct slice run_id,
				 const struct key_value *param, struct arena *arena,
				 struct error *err);
/* Several, of different keys; the error lists all that would change. Sorted keys write fastest. */
MUST_CHECK bool params_log_in_txn(struct db *db, struct run_pk run_pk, struct slice run_id,
				  struct key_value_list params, struct arena *arena,
				  struct error *err);

#endif
