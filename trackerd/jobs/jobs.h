/* The job system: worker pool, committer, blob committer and the mailbox back to the loop.
 *
 * Owns the threads and their database connections. Bounded: a full lane refuses new jobs, which the peer
 * sees as 503 with Retry-After; phases after the first are always admitted, so nothing deadlocks.
 * jobs_submit and jobs_close_… run on the loop; deliver callbacks run on the loop. */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "base/error.h"
#include "jobs/job.h"

struct uv_loop_s;
struct jobs;

struct jobs_options {
	const char *tracker_path;
	const char *blobs_path;
	unsigned worker_count;	  /* >= 1 */
	int64_t query_timeout_ms; /* default deadline of a job */
	const char *user_agent;	  /* of LANE_SENDER; kept */
	/* Called on the committer thread when a group was committed (jobs, microseconds of COMMIT), for counters. */
	void (*group_committed_cb)(void *ctx, unsigned job_count, int64_t commit_us);
	/* Called on the committer thread after each commit and when idle for idle_ms, inside no transaction, to do
	 * housekeeping in small steps (metric compaction); returns true when there is more to do at once. */
	bool (*housekeeping_cb)(void *ctx, struct db *tracker, bool is_idle);
	void *ctx;
};

/* Opens the connections and starts the threads. The schema must be up to date. Gives *out. */
MUST_CHECK bool jobs_open(struct uv_loop_s *loop, const struct jobs_options *options,
			  struct jobs **out, struct error *err);
/* Hands the job over. False (ERR_TEMPORARILY_UNAVAILABLE) when its first lane is full or the system
 * stops; the job then still belongs to the caller and deliver is not called. */
MUST_CHECK bool jobs_submit(struct jobs *jobs, struct job *job, struct error *err);
/* Lets everything that was submitted finish and be delivered, stops the threads, closes the connections
 * (with a last checkpoint), then calls closed_cb on the loop. */
void jobs_close_on_loop(struct jobs *jobs, void (*closed_cb)(void *ctx), void *ctx);
/* Cancels what LANE_SENDER sends now or would later, so that nothing waits for strangers when the daemon stops. */
void jobs_stop_sending(struct jobs *jobs);
/* Jobs that were submitted and not delivered yet. */
unsigned jobs_in_flight(const struct jobs *jobs);
/* Jobs waiting in a lane's queue, for /metrics; not of LANE_SENDER, which has none. Thread-safe. */
unsigned jobs_queue_depth(struct jobs *jobs, enum job_lane lane);
/* Set after an I/O error at commit: writes are refused until the daemon is restarted. Thread-safe. */
bool jobs_is_read_only(const struct jobs *jobs);

#endif
