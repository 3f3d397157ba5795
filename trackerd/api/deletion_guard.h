/* Keeps what model versions need: a deletion that would take it away is refused, unless it is forced.
 *
 * The refusal is RESOURCE_CONFLICT "Run R cannot be deleted: version 3 of model 'taxi' (champion) needs it; force=true
 * deletes it anyway." A forced deletion is an event guard.forced of each version. For `execute` of a WRITE: what it
 * changed before goes back with the refusal. */
#ifndef API_DELETION_GUARD_H
#define API_DELETION_GUARD_H

#include "api/endpoint.h"
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

/* "version 3 of model 'taxi' (champion) needs it", of one or more, in the arena. */
MUST_CHECK bool deletion_guard_describe(struct db *tracker, const struct needing_version_list *needing,
					struct arena *arena, struct slice *out, struct error *err);

#endif
