/* Owns the list of notes that a call gathers. */
#include "api/live_notes.h"

#include "api/endpoint.h"
#include "store/runs.h"

void call_tell(struct call *call, struct live_note note)
{
	struct live_notes *notes = &call->live;
	struct live_note *place = &notes->first;
	note.next_or_null = NULL;
	if (notes->last_or_null != NULL) {
		place = ARENA_NEW(call->arena, struct live_note, 1);
		notes->last_or_null->next_or_null = place;
	}
	*place = note;
	notes->last_or_null = place;
}

void call_tell_run(struct call *call, struct slice run_id, int64_t experiment_id, unsigned what)
{
	call_tell(call, (struct live_note){.subject = LIVE_RUN,
					   .id = run_id,
					   .experiment_id = experiment_id,
					   .what = what});
}

bool call_change_run(struct call *call, struct db *tracker, struct slice run_id, unsigned what,
		     struct run_ref *out, struct error *err)
{
	if (!run_find_active(tracker, run_id, out, err))
		return false;
	call_tell_run(call, run_id, out->experiment_id, what);
	return true;
}

void call_tell_experiment(struct call *call, int64_t experiment_id, unsigned what)
{
	call_tell(call, (struct live_note){.subject = LIVE_EXPERIMENT,
					   .experiment_id = experiment_id,
					   .what = what});
}

void call_tell_model(struct call *call, struct slice name)
{
	call_tell(call, (struct live_note){.subject = LIVE_MODEL, .id = name});
}

void call_tell_deployment(struct call *call, struct slice deployment_id)
{
	call_tell(call, (struct live_note){.subject = LIVE_DEPLOYMENT, .id = deployment_id});
}
