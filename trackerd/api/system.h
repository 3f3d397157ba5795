/* Endpoints about the daemon itself. */
#ifndef API_SYSTEM_H
#define API_SYSTEM_H

#include "api/endpoint.h"

extern const struct endpoint system_health;  /* GET /health */
extern const struct endpoint system_version; /* GET /version */
extern const struct endpoint system_metrics; /* GET /metrics */
extern const struct endpoint system_server;  /* GET /api/trackerd/v1/server */
extern const struct endpoint system_server_info; /* GET /api/3.0/mlflow/server-info */

#endif
