/* Owns the lanes and the mailbox, and decides where a job goes next. */
#include "jobs/jobs.h"

#include <stdlib.h>

#include "jobs/committer.h"
#include "jobs/job_run.h"
#include "jobs/mailbox.h"
#include "jobs/sender.h"
#include "jobs/worker_pool.h"

/* WAL pages that trigger a checkpoint: 16 MiB of metadata, 64 MiB of blobs. */
enum { TRACKER_CHECKPOINT_PAGES = 4096, BLOBS_PAGE_BYTES = 65536, BLOBS_CHECKPOINT_PAGES = 1024 };

struct jobs {
	struct worker_pool workers;
	struct committer tracker;
	struct committer blobs;
	struct sender sender;
	struct mailbox mailbox;
	unsigned in_flight; /* loop thread only */
	bool is_closing;
	void (*closed_cb)(void *ctx);
	void *closed_ctx;
};

static void deliver_on_loop(struct queue_node *item, void *ctx);
static void finish_closing_on_loop(struct jobs *jobs);

static bool open_committers(struct jobs *jobs, const struct jobs_options *options,
			    struct error *err)
{
	const struct committer_options tracker = {
		.path = options->tracker_path,
		.lane = LANE_COMMITTER,
		.db = {.mode = DB_READ_WRITE, .cache_bytes = 16 * 1024 * 1024},
		.checkpoint_pages = TRACKER_CHECKPOINT_PAGES,
		.group_committed_cb = options->group_committed_cb,
		.housekeeping_cb = options->housekeeping_cb,
		.ctx = options->ctx,
	};
	const struct committer_options blobs = {
		.path = options->blobs_path,
		.lane = LANE_BLOB,
		.db = {.mode = DB_READ_WRITE,
		       .page_bytes = BLOBS_PAGE_BYTES,
		       .cache_bytes = 4 * 1024 * 1024},
		.checkpoint_pages = BLOBS_CHECKPOINT_PAGES,
	};
	if (!committer_open(&jobs->tracker, jobs, &tracker, err))
		return false;
	if (!committer_open(&jobs->blobs, jobs, &blobs, err)) {
		committer_close(&jobs->tracker);
		return false;
	}
	return true;
}

bool jobs_open(struct uv_loop_s *loop, const struct jobs_options *options, struct jobs **out,
	       struct error *err)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	if (jobs == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	/* The workers first: they can be undone without a callback from the loop. */
	if (!worker_pool_open(&jobs->workers, jobs, options, err))
		goto free_jobs;
	if (!open_committers(jobs, options, err))
		goto close_workers;
	if (!mailbox_open(&jobs->mailbox, loop, deliver_on_loop, jobs, err))
		goto close_committers;
	sender_init(&jobs->sender, jobs, options->user_agent);
	*out = jobs;
	return true;

close_committers:
	committer_close(&jobs->tracker);
	committer_close(&jobs->blobs);
close_workers:
	worker_pool_close(&jobs->workers);
free_jobs:
	free(jobs);
	return false;
}

static struct queue *lane_queue(struct jobs *jobs, enum job_lane lane)
{
	switch (lane) {
	case LANE_WORKER:
		return &jobs->workers.queue;
	case LANE_COMMITTER:
		return &jobs->tracker.queue;
	case LANE_BLOB:
		return &jobs->blobs.queue;
	case LANE_SENDER:
		break; /* has no queue of jobs */
	}
	UNREACHABLE("unknown lane");
}

bool jobs_submit(struct jobs *jobs, struct job *job, struct error *err)
{
	ASSERT(job->phase_count > 0 && job->arena != NULL && job->deliver_on_loop != NULL);
	if (jobs->is_closing)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server is stopping; try again.");
	job->phase_index = 0;
	error_clear(&job->error);
	job_state_move(job, JOB_QUEUED);
	if (!queue_put(lane_queue(jobs, job->phases[0].lane), &job->node, job->weight_bytes)) {
		job->state = JOB_IDLE; /* the one move back: nobody saw it queued */
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server has more work waiting than it accepts; try again.");
	}
	jobs->in_flight++;
	return true;
}

void jobs_forward(struct jobs *jobs, struct job *job)
{
	if (job->error.code == ERR_NONE && ++job->phase_index < job->phase_count) {
		enum job_lane lane = job->phases[job->phase_index].lane;
		job_state_move(job, JOB_QUEUED);
		if (lane == LANE_SENDER) {
			sender_take(&jobs->sender, job);
			return;
		}
		struct queue *queue = lane_queue(jobs, lane);
		bool taken = queue_put_admitted(queue, &job->node, job->weight_bytes);
		ASSERT(taken); /* lanes are closed only when nothing is in flight */
		return;
	}
	job_state_move(job, JOB_DONE);
	mailbox_post(&jobs->mailbox, &job->node);
}

static void deliver_on_loop(struct queue_node *item, void *ctx)
{
	struct jobs *jobs = ctx;
	struct job *job = CONTAINER_OF(item, struct job, node);
	job_state_move(job, JOB_IDLE);
	ASSERT(jobs->in_flight > 0);
	jobs->in_flight--;
	job->deliver_on_loop(job); /* may submit it again, or free it */
	if (jobs->is_closing && jobs->in_flight == 0)
		finish_closing_on_loop(jobs);
}

static void mailbox_closed_on_loop(void *ctx)
{
	struct jobs *jobs = ctx;
	void (*closed_cb)(void *ctx) = jobs->closed_cb;
	void *closed_ctx = jobs->closed_ctx;
	free(jobs);
	closed_cb(closed_ctx);
}

static void finish_closing_on_loop(struct jobs *jobs)
{
	/* Nothing is in flight. Readers first, so that the last connection of each file is its
	 * writer, which checkpoints. */
	sender_deinit(&jobs->sender);
	worker_pool_close(&jobs->workers);
	committer_close(&jobs->tracker);
	committer_close(&jobs->blobs);
	mailbox_close_on_loop(&jobs->mailbox, mailbox_closed_on_loop);
}

void jobs_close_on_loop(struct jobs *jobs, void (*closed_cb)(void *ctx), void *ctx)
{
	ASSERT(!jobs->is_closing);
	jobs->is_closing = true;
	jobs->closed_cb = closed_cb;
	jobs->closed_ctx = ctx;
	if (jobs->in_flight == 0)
		finish_closing_on_loop(jobs);
}

void jobs_stop_sending(struct jobs *jobs)
{
	sender_stop(&jobs->sender);
}

unsigned jobs_in_flight(const struct jobs *jobs)
{
	return jobs->in_flight;
}

unsigned jobs_queue_depth(struct jobs *jobs, enum job_lane lane)
{
	return (unsigned)queue_count(lane_queue(jobs, lane));
}

bool jobs_is_read_only(const struct jobs *jobs)
{
	return atomic_load(&jobs->tracker.is_read_only) || atomic_load(&jobs->blobs.is_read_only);
}
