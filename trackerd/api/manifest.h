/* The endpoint that lists a tree of artifacts with sizes and digests. */
#ifndef API_MANIFEST_H
#define API_MANIFEST_H

#include "api/endpoint.h"

extern const struct endpoint manifest_get; /* GET /api/trackerd/v1/manifest/{path...} */

#endif
