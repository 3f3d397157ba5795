/* Endpoints that set and delete tags of runs and experiments (mlflow-api.md §4, 5.5). */
#ifndef API_TAGS_H
#define API_TAGS_H

#include "api/endpoint.h"

extern const struct endpoint runs_set_tag;           /* POST runs/set-tag */
extern const struct endpoint runs_delete_tag;        /* POST runs/delete-tag */
extern const struct endpoint experiments_set_tag;    /* POST experiments/set-experiment-tag */
extern const struct endpoint experiments_delete_tag; /* POST experiments/delete-experiment-tag */

#endif
