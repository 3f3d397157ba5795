/* May something that was deleted go for good, and which files go with it? For the plan (gc_plan.c) and for what removes
 * (gc.c), so that both say the same. */
#ifndef API_GC_VERDICT_H
#define API_GC_VERDICT_H

#include "api/endpoint.h"
#include "store/garbage.h"

enum gc_reason {
	GC_GOES,
	GC_RESTORE_WINDOW, /* it, or a version that needs it, was not deleted long enough ago */
	GC_NEEDED,	   /* by a version of the registry */
	GC_UPLOAD,	   /* a file in its folder is being uploaded in parts */
	GC_CONTENTS,	   /* an experiment: something in it stays */
	GC_DEFAULT,	   /* experiment 0 */
	GC_REASONS,
};

struct gc_verdict {
	enum gc_reason reason;
	struct slice text; /* a sentence for people; empty for GC_GOES */
};

/* "needed" of GC_NEEDED, as replies spell it. */
struct slice gc_reason_name(enum gc_reason reason);
/* "run", "logged_model", "experiment". */
struct slice gc_kind_name(enum garbage_kind kind);

/* Does not look into experiments: the caller knows what of theirs stays. What is being removed goes on to go. Results
 * live in the arena. */
MUST_CHECK bool gc_judge(struct db *tracker, const struct garbage *garbage, int64_t before_ms, struct arena *arena,
			 struct gc_verdict *out, struct error *err);

/* The folder of artifacts that goes with it: *path_out is empty when there is none with us, or others share it. The
 * traces of an experiment without a folder of its own go one by one, see gc_trace_folder. */
MUST_CHECK bool gc_folder(struct db *tracker, const struct garbage *garbage, struct arena *arena,
			  struct slice *path_out, struct error *err);
/* Of an experiment's trace; empty if it is not with us. */
struct slice gc_trace_folder(const struct garbage *experiment, struct slice trace_id, struct arena *arena);

/* What both requests say: deleted_before_ms, or older_than_ms, or neither for 30 days. */
MUST_CHECK bool gc_age_check(struct opt_i64 older_than_ms, struct opt_i64 deleted_before_ms, int64_t now_ms,
			     int64_t *before_ms_out, struct error *err);

#endif
