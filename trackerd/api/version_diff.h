/* What distinguishes two versions of a model, as an endpoint. */
#ifndef API_VERSION_DIFF_H
#define API_VERSION_DIFF_H

#include "api/endpoint.h"

extern const struct endpoint version_diff; /* GET /api/trackerd/v1/models/{name}/diff */

#endif
