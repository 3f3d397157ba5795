/* Endpoints of /api/2.0/mlflow/experiments/ (mlflow-api.md §4). Tags are in tags.h, searching in
 * search.h. */
#ifndef API_EXPERIMENTS_H
#define API_EXPERIMENTS_H

#include "api/endpoint.h"

extern const struct endpoint experiments_create;      /* POST experiments/create */
extern const struct endpoint experiments_get;         /* GET  experiments/get */
extern const struct endpoint experiments_get_by_name; /* GET  experiments/get-by-name */
extern const struct endpoint experiments_delete;      /* POST experiments/delete */
extern const struct endpoint experiments_restore;     /* POST experiments/restore */
extern const struct endpoint experiments_update;      /* POST experiments/update */

#endif
