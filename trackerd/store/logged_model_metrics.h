/* Points of metrics that were logged for a model (mlflow-api.md §5.4, §7). Their runs keep them as well. */
#ifndef STORE_LOGGED_MODEL_METRICS_H
#define STORE_LOGGED_MODEL_METRICS_H

#include "base/error.h"
#include "db/db.h"
#include "store/logged_model_entities.h"
#include "store/metrics.h"

/* A point and what it was logged for. */
struct model_point {
	struct metric_point point;
	struct slice model_id;                     /* absent or empty: for no model */
	struct slice dataset_name, dataset_digest; /* may be absent */
};

/* Keeps the points that name a model; the others are passed over. A point at the same name, time, step and
 * dataset of the same run and model takes the place of the one before. Fails with RESOURCE_DOES_NOT_EXIST
 * for a model that was never made. */
MUST_CHECK bool logged_model_metrics_log_in_txn(struct db *db, struct run_pk run_pk,
						const struct model_point *points, size_t count, struct error *err);

#endif
