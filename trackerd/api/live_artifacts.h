/* Tells live events whose files an upload or a deletion changed. */
#ifndef API_LIVE_ARTIFACTS_H
#define API_LIVE_ARTIFACTS_H

#include "api/live_notes.h"
#include "api/take_over.h"
#include "base/arena.h"

/* For the transaction that changes files at or below `path` (artifact_tree.h): the note, if these are a run's,
 * ".../RUN_ID/artifacts/..."; else one whose `what` is 0. Its texts are in the arena. */
MUST_CHECK bool live_artifacts_note(struct db *tracker, struct slice path, struct arena *arena,
				    struct live_note *out, struct error *err);
/* For closed_cb, when the last job was the one that made the note: tells it if that was committed, whether or not its
 * peer is still there to be answered. */
void live_artifacts_tell_on_loop(const struct take_over *t, const struct live_note *note);

#endif
