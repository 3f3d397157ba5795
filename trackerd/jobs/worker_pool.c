/* Owns the worker threads and their read-only connections. */
#include "jobs/worker_pool.h"

#include <string.h>

#include "base/clock.h"
#include "jobs/job_run.h"
#include "limits.h"

static void run_job(struct worker *worker, struct job *job)
{
	job_state_move(job, JOB_RUNNING);
	int64_t deadline_ns = job->deadline_ns;
	if (deadline_ns == 0)
		deadline_ns = clock_monotonic_ns(clock_system()) + worker->pool->query_timeout_ns;
	db_deadline_set(worker->context.tracker, deadline_ns);
	db_deadline_set(worker->context.blobs, deadline_ns);
	/* job->error tells how it went. */
	(void)job_run_phase(job, &worker->context);
	jobs_forward(worker->pool->jobs, job);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct queue_node *node;
	while ((node = queue_take(&worker->pool->queue)) != NULL)
		run_job(worker, CONTAINER_OF(node, struct job, node));
	return NULL;
}

static bool worker_start(struct worker *worker, const struct jobs_options *options,
			 struct error *err)
{
	const struct db_options tracker = {.mode = DB_READ_ONLY, .cache_bytes = 8 * 1024 * 1024};
	const struct db_options blobs = {.mode = DB_READ_ONLY, .cache_bytes = 2 * 1024 * 1024};
	if (!db_open(options->tracker_path, &tracker, &worker->context.tracker, err) ||
	    !db_open(options->blobs_path, &blobs, &worker->context.blobs, err))
		return false;
	int failed = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (failed != 0)
		return error_set(err, ERR_INTERNAL_ERROR, "no worker thread: %s",
				 strerrordesc_np(failed));
	return true;
}

bool worker_pool_open(struct worker_pool *pool, struct jobs *jobs,
		      const struct jobs_options *options, struct error *err)
{
	ASSERT(options->worker_count >= 1 && options->worker_count <= WORKERS_MAX);
	memset(pool, 0, sizeof(*pool));
	pool->jobs = jobs;
	pool->worker_count = options->worker_count;
	pool->query_timeout_ns = options->query_timeout_ms * 1000000;
	queue_init(&pool->queue, LANE_JOBS_MAX, LANE_BYTES_MAX);
	for (unsigned i = 0; i < pool->worker_count; i++) {
		pool->workers[i].pool = pool;
		if (!worker_start(&pool->workers[i], options, err)) {
			worker_pool_close(pool);
			return false;
		}
		pool->started_count++;
	}
	return true;
}

void worker_pool_close(struct worker_pool *pool)
{
	queue_close(&pool->queue);
	for (unsigned i = 0; i < pool->started_count; i++)
		(void)pthread_join(pool->workers[i].thread,
				   NULL); /* can only fail for a wrong thread id */
	for (unsigned i = 0; i < pool->worker_count; i++) {
		db_close(pool->workers[i].context.tracker);
		db_close(pool->workers[i].context.blobs);
	}
	queue_deinit(&pool->queue);
}
