/* The endpoint by which 2.x clients say that a run has a model (spec/mlflow-api.md §5.7). */
#ifndef API_LOG_MODEL_H
#define API_LOG_MODEL_H

#include "api/endpoint.h"

extern const struct endpoint runs_log_model; /* POST runs/log-model */

#endif
