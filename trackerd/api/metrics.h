/* Endpoints that read the points of metrics (mlflow-api.md §5.9 to 5.11, and our curves and summary). */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/endpoint.h"

extern const struct endpoint metrics_get_history;  /* GET metrics/get-history */
extern const struct endpoint metrics_history_bulk; /* GET metrics/get-history-bulk */
extern const struct endpoint
	metrics_history_bulk_interval;	      /* GET metrics/get-history-bulk-interval */
extern const struct endpoint metrics_curves;  /* GET /api/trackerd/v1/metrics/curves */
extern const struct endpoint metrics_summary; /* GET /api/trackerd/v1/metrics/summary */

#endif
