/* Where an alias points, now or as soon as that changes: GET /api/trackerd/v1/models/{name}/aliases/{alias}. */
#ifndef API_ALIAS_GET_H
#define API_ALIAS_GET_H

#include "api/endpoint.h"

extern const struct endpoint alias_get;

#endif
