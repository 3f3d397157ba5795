/* Endpoints that move a whole tree of artifacts as one archive. */
#ifndef API_ARCHIVE_H
#define API_ARCHIVE_H

#include "api/endpoint.h"

extern const struct endpoint archive_put; /* PUT /api/trackerd/v1/archive/{path...}[?replace=true] */
extern const struct endpoint archive_get; /* GET /api/trackerd/v1/archive/{path...}[?format=] (and HEAD) */

#endif
