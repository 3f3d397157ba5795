/* Where a version of a model comes from and where it went, as an endpoint. */
#ifndef API_VERSION_LINEAGE_H
#define API_VERSION_LINEAGE_H

#include "api/endpoint.h"

extern const struct endpoint version_lineage; /* GET /api/trackerd/v1/models/{name}/lineage */

#endif
