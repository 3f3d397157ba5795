/* Threads that read and compute: each with its own read-only connections. */
#ifndef JOBS_WORKER_POOL_H
#define JOBS_WORKER_POOL_H

#include "base/error.h"
#include "base/queue.h"
#include "jobs/job.h"
#include "jobs/jobs.h"

enum { WORKERS_MAX = 64 };

struct worker {
	struct worker_pool *pool;
	pthread_t thread;
	struct job_context context;
};

struct worker_pool {
	struct jobs *jobs;
	struct queue queue;
	int64_t query_timeout_ns;
	unsigned started_count; /* threads that run */
	unsigned worker_count;
	struct worker workers[WORKERS_MAX];
};

/* Opens the connections and starts the threads; on failure everything is undone. */
MUST_CHECK bool worker_pool_open(struct worker_pool *pool, struct jobs *jobs,
				 const struct jobs_options *options, struct error *err);
/* Finishes what is queued, joins the threads, closes the connections. */
void worker_pool_close(struct worker_pool *pool);

#endif
