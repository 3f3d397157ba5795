/* Live events as a stream: GET /api/trackerd/v1/events. */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/endpoint.h"

extern const struct endpoint events_follow;

#endif
