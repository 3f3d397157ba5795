/* Which files of the artifact tree a write takes away: what is there now, and would be no more, or with other bytes. */
#ifndef ARTIFACTS_ARTIFACT_LOSSES_H
#define ARTIFACTS_ARTIFACT_LOSSES_H

#include "artifacts/artifact_tree.h"

/* Files that are about to be stored, as by artifact_tree_put_in_txn. */
struct artifact_write {
	struct slice base;                      /* not the root; of a single file, whose path is "", its own path */
	const struct artifact_file_list *files; /* sorted, no path twice */
	bool replaces;                          /* all else at or below base is removed */
};

/* The files that are lost, with their paths from the root, sorted. None when the write repeats what is there. Costs
 * two look-ups for each file; of a write that replaces, a look at all that is at or below base. Any connection;
 * results live in the arena. */
MUST_CHECK bool artifact_losses_find(struct db *tracker, const struct artifact_write *write, struct arena *arena,
				     struct artifact_file_list *out, struct error *err);

#endif
