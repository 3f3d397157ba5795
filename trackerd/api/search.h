/* Searching: runs/search, experiments/search and the best runs by a metric. */
#ifndef API_SEARCH_H
#define API_SEARCH_H

#include "api/endpoint.h"

extern const struct endpoint runs_search;        /* POST /api/2.0/mlflow/runs/search */
extern const struct endpoint experiments_search; /* GET and POST /api/2.0/mlflow/experiments/search */
extern const struct endpoint runs_best;          /* GET /api/trackerd/v1/runs/best */

#endif
