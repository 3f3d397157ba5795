/* Endpoints that give out traces with their spans, which are read from the artifact traces.json. */
#ifndef API_TRACE_SPANS_H
#define API_TRACE_SPANS_H

#include "api/endpoint.h"

extern const struct endpoint traces_get;       /* GET /api/3.0/mlflow/traces/get?trace_id=&allow_partial= */
extern const struct endpoint traces_get_batch; /* GET /api/3.0/mlflow/traces/batchGet?trace_ids=&… */
/* The file itself, or with `path` an attachment of the trace:
 * GET /api/2.0|3.0/mlflow/get-trace-artifact?request_id=&path= (and HEAD) */
extern const struct endpoint traces_get_artifact;

#endif
