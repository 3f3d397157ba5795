/* Endpoints that log metrics and parameters (mlflow-api.md §5.3, 5.4): the hot path of the daemon.
 * A batch is taken as a whole or not at all. */
#ifndef API_BATCH_H
#define API_BATCH_H

#include "api/endpoint.h"
#include "store/metrics.h"

extern const struct endpoint runs_log_metric;    /* POST runs/log-metric */
extern const struct endpoint runs_log_parameter; /* POST runs/log-parameter */
extern const struct endpoint runs_log_batch;     /* POST runs/log-batch */

/* An item of a list "metrics" in requests. */
struct batch_metric {
	struct slice key;
	struct opt_double value;
	struct opt_i64 timestamp, step;
	struct slice model_id, dataset_name, dataset_digest; /* log-batch alone takes them */
};
extern const struct field batch_metric_fields[];

/* Checks every one; *out is in the arena, NULL for an empty list, and borrows the keys. */
MUST_CHECK bool batch_metrics_check(const struct object_list *metrics, struct arena *arena,
				    struct metric_point **out, struct error *err);

#endif
