/* Promotions: an alias is moved to a version that meets its model's requirements. Endpoints under
 * /api/trackerd/v1/models/{name}/. */
#ifndef API_PROMOTIONS_H
#define API_PROMOTIONS_H

#include "api/endpoint.h"

extern const struct endpoint promotions_check;  /* GET check */
extern const struct endpoint promotions_create; /* POST promote */

#endif
