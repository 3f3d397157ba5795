/* Keeps versions that run somewhere: deleting one, or its model, is refused unless it is forced.
 *
 * RESOURCE_CONFLICT "Version 4 of model 'taxi' runs at prod/dispatch; force=true deletes it anyway." For `execute`. */
#ifndef API_DEPLOYMENT_GUARD_H
#define API_DEPLOYMENT_GUARD_H

#include "api/endpoint.h"

/* Does no deployment need this version, or with version 0 any of the model? */
MUST_CHECK bool deployment_guard(struct call *call, struct db *tracker, struct slice model, int64_t version,
				 struct error *err);

#endif
