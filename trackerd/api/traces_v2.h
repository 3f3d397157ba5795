/* Endpoints of traces as 2.x clients know them: made when the work begins, updated when it ends. */
#ifndef API_TRACES_V2_H
#define API_TRACES_V2_H

#include "api/endpoint.h"

extern const struct endpoint traces_v2_start;    /* POST  /api/2.0/mlflow/traces */
extern const struct endpoint traces_v2_end;      /* PATCH /api/2.0/mlflow/traces/{request_id} */
extern const struct endpoint traces_v2_get_info; /* GET   /api/2.0/mlflow/traces/{request_id}/info */
extern const struct endpoint traces_v2_search;   /* GET   /api/2.0/mlflow/traces */

#endif
