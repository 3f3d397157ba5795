/* Puts together artifact addresses: root, experiment, run. Pure; any thread. */
#ifndef STORE_ARTIFACT_URI_H
#define STORE_ARTIFACT_URI_H

#include "base/arena.h"
#include "base/slice.h"

/* `base` with "/" and `path` appended to its path part, in the arena: "mlflow-artifacts:/" + "1" is
 * "mlflow-artifacts:/1", "s3://b/p?x=y" + "1" is "s3://b/p/1?x=y". */
struct slice artifact_uri_join(struct slice base, struct slice path, struct arena *arena);

#endif
