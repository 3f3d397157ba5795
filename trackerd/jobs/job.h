/* A job is work that moves between threads, owned by exactly one of them at a time.
 *
 *      submit (loop) ──▶ phase 0 lane ──▶ phase 1 lane ──▶ … ──▶ mailbox ──▶ deliver_on_loop
 *
 * A job is a list of phases; each names the lane (thread) it runs on and a straight-line function. Passing
 * through a queue passes ownership, so no lock guards a job's fields. When a phase fails, the remaining
 * ones are skipped and the job is delivered with `error` set.
 *
 *   LANE_WORKER     one of N threads, each with read-only connections; decoding, reading, encoding
 *   LANE_COMMITTER  the one writer of tracker.db: jobs are grouped into one transaction, in which
 *                   each leaves all or nothing, and go on only after COMMIT (synchronous=FULL) returned
 *   LANE_BLOB       the same for artifacts.db
 *   LANE_SENDER     sends job->outgoing_or_null to where its URL says, and goes on with its outcome, whatever
 *                   that is; such a phase has no function, and is not the first
 *
 * A phase on a committing lane may run up to three times (in a group, once more in savepoints, and alone
 * when the group's transaction broke): it must touch only the db and the job's arena, and compute the same thing again.
 *
 * jobs/ knows neither http/ nor api/; whoever embeds a struct job recovers itself with CONTAINER_OF. */
#ifndef JOBS_JOB_H
#define JOBS_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/queue.h"
#include "db/db.h"
#include "outgoing/http_client.h"

enum job_lane { LANE_WORKER, LANE_COMMITTER, LANE_BLOB, LANE_SENDER };

/* What a phase may use, owned by the running thread. */
struct job_context {
	struct db *
		tracker; /* metadata: read-only on workers, read-write on the committer, NULL on LANE_BLOB */
	struct db *
		blobs; /* artifacts.db: read-only on workers, read-write on LANE_BLOB, NULL on the committer */
};

struct job;
typedef bool job_phase_fn(struct job *job, struct job_context *context, struct error *err);

struct job_phase {
	enum job_lane lane;
	job_phase_fn *run;
};

enum job_state { JOB_IDLE, JOB_QUEUED, JOB_RUNNING, JOB_COMMITTING, JOB_DONE };

struct job {
	struct queue_node node; /* of the queue that owns the job now */
	enum job_state state;
	const struct job_phase *phases; /* borrowed until delivery */
	unsigned phase_count;
	unsigned phase_index;
	struct outgoing *outgoing_or_null; /* set by an earlier phase; NULL: LANE_SENDER is passed over */
	size_t weight_bytes; /* what it holds in memory, for the queues' bounds */
	int64_t deadline_ns; /* monotonic; queries stop after it; 0 = the pool's default */
	struct arena *arena; /* guarded while a phase runs; owned by the embedder */
	struct error error;  /* code ERR_NONE unless a phase failed */
	atomic_bool
		is_abandoned; /* set on the loop: nobody waits any more; phases may stop early */
	void (*deliver_on_loop)(struct job *job); /* exactly once per successful submit */
};

#endif
