/* The endpoints that remove for good what was deleted. */
#ifndef API_GC_H
#define API_GC_H

#include "api/endpoint.h"

extern const struct endpoint gc_plan; /* GET /api/trackerd/v1/gc (gc_plan.c) */
extern const struct endpoint gc_run;  /* POST /api/trackerd/v1/gc */

#endif
