/* Rolling back: an alias goes back to a version that held it before. */
#ifndef API_ROLLBACK_H
#define API_ROLLBACK_H

#include "api/endpoint.h"

extern const struct endpoint rollback_create; /* POST /api/trackerd/v1/models/{name}/rollback */

#endif
