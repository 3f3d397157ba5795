/* Owns the way from the path of a file to the run that it is of. */
#include "api/live_artifacts.h"

#include "api/live.h"
#include "store/runs.h"

bool live_artifacts_note(struct call *call, struct db *tracker, struct slice path,
			 struct error *err)
{
	struct slice rest = path, part = {0}, run_id = {0};
	struct run_ref ref;
	bool found = false;
	while (slice_next(&rest, '/', &part) && !slice_eq(part, SLICE("artifacts")))
		run_id = part;
	if (!slice_eq(part, SLICE("artifacts")) || run_id.len == 0)
		return true;
	if (!run_find_if_any(tracker, run_id, &ref, &found, err))
		return false;
	if (found)
		call_tell_run(call, arena_copy(call->arena, run_id), ref.experiment_id,
			      LIVE_ARTIFACTS);
	return true;
}

void live_artifacts_tell_on_loop(const struct take_over *t, const struct call *call)
{
	if (call->live.last_or_null != NULL && t->job.error.code == ERR_NONE)
		live_tell_all_on_loop(t->api->live, &call->live);
}
