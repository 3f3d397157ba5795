/* What a write changed, for whoever follows it live (live.h).
 *
 * `execute` notes it in its call; endpoint_job.c tells it on the loop, after COMMIT and before the reply. A phase that
 * runs again begins with no notes, and a write that fails tells nothing. A note costs a few stores: the first one of
 * a call takes no memory. Code that has no call (uploads, timers) tells a note itself: live_tell_on_loop.
 *
 * Notes about models and deployments only say that there is something new: what it is, live events read from the
 * database, so that what is told now and what is told after a gap are the same. */
#ifndef API_LIVE_NOTES_H
#define API_LIVE_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

struct call;
struct run_ref;

enum live_subject {
	LIVE_RUN = 1,
	LIVE_EXPERIMENT,
	LIVE_MODEL,
	LIVE_DEPLOYMENT,
};

/* What of a run or experiment; the texts on the wire are in live_json.c. */
enum live_what {
	LIVE_METRICS = 1 << 0,
	LIVE_PARAMS = 1 << 1,
	LIVE_TAGS = 1 << 2,
	LIVE_STATUS = 1 << 3, /* of a run, with its end time */
	LIVE_NAME = 1 << 4,
	LIVE_ARTIFACTS = 1 << 5,
	LIVE_INPUTS = 1 << 6, /* datasets and models in, models out */
	LIVE_CREATED = 1 << 7,
	LIVE_DELETED = 1 << 8,
	LIVE_RESTORED = 1 << 9,
	LIVE_TRACES = 1 << 10, /* of an experiment, as the next */
	LIVE_LOGGED_MODELS = 1 << 11,
};

struct live_note {
	enum live_subject subject;
	unsigned what;         /* enum live_what, joined by |; of runs and experiments */
	struct slice id;       /* of the run or deployment, name of the model; valid as long as the call */
	int64_t experiment_id; /* of the experiment, or of the run's */
	struct slice status_or_absent; /* of a run: its new one; static text or as `id` */
	struct live_note *next_or_null;
};

/* In order; zeroed is empty. */
struct live_notes {
	struct live_note first;
	struct live_note *last_or_null; /* NULL: there is none */
};

/* For `execute`. next_or_null is set here. */
void call_tell(struct call *call, struct live_note note);
void call_tell_run(struct call *call, struct slice run_id, int64_t experiment_id, unsigned what);
/* The active run that this write changes (run_find_active), which is told. */
MUST_CHECK bool call_change_run(struct call *call, struct db *tracker, struct slice run_id, unsigned what,
				struct run_ref *out, struct error *err);
void call_tell_experiment(struct call *call, int64_t experiment_id, unsigned what);
/* An event of this model's history is committed with this write. After a rename: for both names. */
void call_tell_model(struct call *call, struct slice name);
/* The state of this deployment changed, with a row of its history. */
void call_tell_deployment(struct call *call, struct slice deployment_id);

#endif
