/* One thread that owns the write connection of one database and commits jobs in groups.
 *
 *   take all that waits (≤ GROUP_JOBS_MAX, ≤ GROUP_BYTES_MAX; no artificial delay: while one group is
 *   written to disk the next one gathers)
 *     → BEGIN IMMEDIATE → per job its phase → COMMIT → on they go
 *
 * A savepoint for each job would cost a fifth of a small write, and helps only when a job fails after it
 * wrote. When one does, the group is rolled back and begins anew, this time with them: per job SAVEPOINT,
 * phase, RELEASE or ROLLBACK TO.
 *
 * A statement error that ends the whole transaction (a full disk) makes each job of the group run once more,
 * alone. An I/O error at commit sets is_read_only: what the disk holds is then unknown, and writing on would risk
 * what was acknowledged. Housekeeping and checkpoints run between groups, never inside a request. */
#ifndef JOBS_COMMITTER_H
#define JOBS_COMMITTER_H

#include <stdatomic.h>

#include "base/error.h"
#include "base/queue.h"
#include "jobs/job.h"
#include "jobs/jobs.h"

struct committer_options {
	const char *path;
	enum job_lane
		lane; /* LANE_COMMITTER or LANE_BLOB: which context field the connection goes to */
	struct db_options db;
	int64_t checkpoint_pages; /* checkpoint when the WAL holds this many */
	void (*group_committed_cb)(void *ctx, unsigned job_count,
				   int64_t commit_us);			 /* may be NULL */
	bool (*housekeeping_cb)(void *ctx, struct db *db, bool is_idle); /* may be NULL */
	void *ctx;
};

struct committer {
	struct jobs *jobs;
	struct committer_options options;
	struct queue queue;
	pthread_t thread;
	struct db *db;
	struct job_context context;
	atomic_bool is_read_only;
};

MUST_CHECK bool committer_open(struct committer *committer, struct jobs *jobs,
			       const struct committer_options *options, struct error *err);
/* Commits what is queued, joins the thread, closes the connection with a last checkpoint. */
void committer_close(struct committer *committer);

#endif
