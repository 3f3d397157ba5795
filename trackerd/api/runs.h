/* Endpoints of a run's life: /api/2.0/mlflow/runs/ (mlflow-api.md §5.1, 5.2, 5.6). What a run logs
 * is in batch.h, tags.h and inputs.h. */
#ifndef API_RUNS_H
#define API_RUNS_H

#include "api/endpoint.h"

extern const struct endpoint runs_create;  /* POST runs/create */
extern const struct endpoint runs_get;     /* GET  runs/get */
extern const struct endpoint runs_update;  /* POST runs/update */
extern const struct endpoint runs_delete;  /* POST runs/delete */
extern const struct endpoint runs_restore; /* POST runs/restore */

#endif
