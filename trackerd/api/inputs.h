/* The endpoint that links datasets to a run (mlflow-api.md §5.8). */
#ifndef API_INPUTS_H
#define API_INPUTS_H

#include "api/endpoint.h"

extern const struct endpoint runs_log_inputs; /* POST runs/log-inputs */

#endif
