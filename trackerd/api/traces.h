/* Endpoints of traces, version 3. Those of 2.x clients: traces_v2.h; assessments: assessments.h. */
#ifndef API_TRACES_H
#define API_TRACES_H

#include "api/endpoint.h"

extern const struct endpoint traces_start;     /* POST /api/3.0/mlflow/traces */
extern const struct endpoint traces_get_info;  /* GET  /api/3.0/mlflow/traces/{trace_id} */
extern const struct endpoint traces_get_infos; /* POST /api/3.0/mlflow/traces/batchGetInfos */
extern const struct endpoint traces_search;    /* POST /api/3.0/mlflow/traces/search */

#endif
