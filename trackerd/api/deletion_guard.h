/* Keeps what model versions need: a deletion that would take it away is refused, unless it is forced, and so is a write
 * that would leave other bytes in its place.
 *
 * The refusal is RESOURCE_CONFLICT "Run R cannot be deleted: version 3 of model 'taxi' (champion) needs it; force=true
 * deletes it anyway." What is forced is an event guard.forced of each version. For `execute` of a WRITE, and phases on
 * the committer that are like it: what they changed before goes back with the refusal.
 *
 * A file more in a version's folder is not refused: nothing of the version is lost, and MLflow's clients make a version
 * of a folder before they are done with it. Nor is a write that repeats what is there: clients try again. Nor are other
 * bytes for a version that is not used, by an alias, in a stage, or where it runs: scripts that log a model again and
 * again at one path, each time as a new version, are older than this rule. The version's history has an event
 * guard.replaced then, one for all that follow each other. */
#ifndef API_DELETION_GUARD_H
#define API_DELETION_GUARD_H

#include "api/endpoint.h"
#include "artifacts/artifact_losses.h"
#include "artifacts/version_needs.h"

enum { GUARD_VERSIONS_NAMED_MAX = 3 }; /* in a refusal; of more it tells the count */

/* What is going to be deleted. */
struct deletion {
	struct slice subject; /* "Run 0123…", for the sentence */
	struct needed needed;
	struct opt_bool force; /* as the body says */
};
/* Fails when versions need it, unless the body or the query says force=true. */
MUST_CHECK bool deletion_guard(struct call *call, struct db *tracker, const struct deletion *deletion,
			       struct error *err);

/* The same for a write that is about to be made: "'1/…/MLmodel' (one of 3 files) cannot be replaced: version 3 of …".
 * Costs two look-ups where nothing is at write->base. */
MUST_CHECK bool deletion_guard_write(struct call *call, struct db *tracker, const struct artifact_write *write,
				     struct opt_bool force, struct error *err);

/* "version 3 of model 'taxi' (champion) needs it", of one or more, in the arena. */
MUST_CHECK bool deletion_guard_describe(struct db *tracker, const struct needing_version_list *needing,
					struct arena *arena, struct slice *out, struct error *err);

#endif
