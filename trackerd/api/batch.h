/* Endpoints that log metrics and parameters (mlflow-api.md §5.3, 5.4): the hot path of the daemon.
 * A batch is taken as a whole or not at all. */
#ifndef API_BATCH_H
#define API_BATCH_H

#include "api/endpoint.h"

extern const struct endpoint runs_log_metric;    /* POST runs/log-metric */
extern const struct endpoint runs_log_parameter; /* POST runs/log-parameter */
extern const struct endpoint runs_log_batch;     /* POST runs/log-batch */

#endif
