/* Which model versions need a run, an experiment, a logged model or a part of the artifact tree: what must not go
 * away while they are registered.
 *
 * A version needs the run and the logged model it says it comes from, and all files at or below its storage_location,
 * as far as they are held by this server. It needs what contains these: the run or logged model whose folder they lie
 * in, and the experiment of each. (A storage_location with percent-escapes in it is known by run and model only.)
 *
 * Any connection. Results live in the arena. */
#ifndef ARTIFACTS_VERSION_NEEDS_H
#define ARTIFACTS_VERSION_NEEDS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

struct needing_version {
	int64_t model_pk; /* 0 of a deleted one */
	struct slice model; /* its name */
	int64_t version;
	struct slice artifact_path; /* where its files are; "" when they are not with us */
};
/* Those that an alias points at come first; then by model and version. */
struct needing_version_list {
	struct needing_version *items;
	size_t count;
};

enum needed_kind { NEEDED_RUN, NEEDED_LOGGED_MODEL, NEEDED_EXPERIMENT, NEEDED_PATH };

/* What is asked about. An experiment stands for all its runs and logged models and whatever else lies in its folder; a
 * path, which is not the root, for all at or below it. */
struct needed {
	enum needed_kind kind;
	struct slice id_or_path; /* of a run or logged model; a path as of artifact_path.h */
	int64_t experiment_id;
};

/* None for a thing that is not there. */
MUST_CHECK bool version_needs_find(struct db *tracker, const struct needed *needed, struct arena *arena,
				   struct needing_version_list *out, struct error *err);
/* The same of versions that were deleted after a moment and can be restored as long as what they need is there. */
MUST_CHECK bool version_needs_find_deleted(struct db *tracker, const struct needed *needed, int64_t deleted_after_ms,
					   struct arena *arena, struct needing_version_list *out, struct error *err);

#endif
