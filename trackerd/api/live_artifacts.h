/* Tells live events whose files an upload or a deletion changed. */
#ifndef API_LIVE_ARTIFACTS_H
#define API_LIVE_ARTIFACTS_H

#include "api/take_over.h"

/* For `execute`, and for what runs like it, when files at or below `path` (artifact_tree.h) change: notes it in the
 * call, if these are a run's, ".../RUN_ID/artifacts/...". */
MUST_CHECK bool live_artifacts_note(struct call *call, struct db *tracker, struct slice path, struct error *err);
/* For closed_cb, when the last job was the one that used the call: tells what was noted if that was committed, whether
 * or not its peer is still there to be answered. */
void live_artifacts_tell_on_loop(const struct take_over *t, const struct call *call);

#endif
