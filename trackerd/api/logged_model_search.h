/* The endpoint that searches logged models (spec/mlflow-api.md §7). */
#ifndef API_LOGGED_MODEL_SEARCH_H
#define API_LOGGED_MODEL_SEARCH_H

#include "api/endpoint.h"

extern const struct endpoint logged_models_search; /* POST logged-models/search */

#endif
