/* Where the artifacts of a run or of a logged model are in the tree of artifact_tree.h. Any thread. */
#ifndef ARTIFACTS_ARTIFACT_LOCATION_H
#define ARTIFACTS_ARTIFACT_LOCATION_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

/* The run's artifact_uri, and the path it names. Fails with RESOURCE_DOES_NOT_EXIST for an
 * unknown run, with INVALID_PARAMETER_VALUE when its artifacts are not held by this server.
 * Results live in the arena. */
MUST_CHECK bool artifact_location_of_run(struct db *tracker, struct slice run_id,
					 struct arena *arena, struct slice *uri_out,
					 struct slice *path_out, struct error *err);
/* Likewise for a logged model; a deleted one counts as unknown. */
MUST_CHECK bool artifact_location_of_logged_model(struct db *tracker, struct slice model_id,
						  struct arena *arena, struct slice *uri_out,
						  struct slice *path_out, struct error *err);

#endif
