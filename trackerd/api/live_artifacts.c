/* Owns the way from the path of a file to the run that it is of. */
#include "api/live_artifacts.h"

#include "api/live.h"
#include "store/runs.h"

bool live_artifacts_note(struct db *tracker, struct slice path, struct arena *arena,
			 struct live_note *out, struct error *err)
{
	struct slice rest = path, part = {0}, run_id = {0};
	struct run_ref ref;
	bool found = false;
	*out = (struct live_note){.subject = LIVE_RUN};
	while (slice_next(&rest, '/', &part) && !slice_eq(part, SLICE("artifacts")))
		run_id = part;
	if (!slice_eq(part, SLICE("artifacts")) || run_id.len == 0)
		return true;
	if (!run_find_if_any(tracker, run_id, &ref, &found, err))
		return false;
	if (!found)
		return true;
	out->id = arena_copy(arena, run_id);
	out->experiment_id = ref.experiment_id;
	out->what = LIVE_ARTIFACTS;
	return true;
}

void live_artifacts_tell_on_loop(const struct take_over *t, const struct live_note *note)
{
	if (note->what != 0 && t->job.error.code == ERR_NONE)
		live_tell_on_loop(t->api->live, note);
}
