/* The endpoint that lists the datasets of experiments (spec/mlflow-api.md §4). */
#ifndef API_DATASET_SEARCH_H
#define API_DATASET_SEARCH_H

#include "api/endpoint.h"

extern const struct endpoint datasets_search; /* POST experiments/search-datasets */

#endif
