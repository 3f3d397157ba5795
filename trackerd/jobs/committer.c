/* Owns a write connection and the grouping of jobs into its transactions. */
#include "jobs/committer.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "jobs/job_run.h"
#include "limits.h"

/* How long without a job counts as idle. */
enum { IDLE_MS = 500 };

enum group_outcome {
	GROUP_WELL,
	GROUP_NEEDS_SAVEPOINTS, /* a job failed after it wrote */
	GROUP_BROKEN,		/* the transaction is gone */
};

static void *committer_main(void *argument);

bool committer_open(struct committer *committer, struct jobs *jobs,
		    const struct committer_options *options, struct error *err)
{
	memset(committer, 0, sizeof(*committer));
	committer->jobs = jobs;
	committer->options = *options;
	if (!db_open(options->path, &options->db, &committer->db, err))
		return false;
	if (options->lane == LANE_BLOB)
		committer->context.blobs = committer->db;
	else
		committer->context.tracker = committer->db;
	queue_init(&committer->queue, LANE_JOBS_MAX, LANE_BYTES_MAX);
	int failed = pthread_create(&committer->thread, NULL, committer_main, committer);
	if (failed != 0) {
		queue_deinit(&committer->queue);
		db_close(committer->db);
		return error_set(err, ERR_INTERNAL_ERROR, "no committer thread: %s",
				 strerrordesc_np(failed));
	}
	return true;
}

void committer_close(struct committer *committer)
{
	queue_close(&committer->queue);
	(void)pthread_join(committer->thread, NULL); /* can only fail for a wrong thread id */
	queue_deinit(&committer->queue);
	db_close(committer->db);
}

static void log_failure(const struct committer *committer, const char *event,
			const struct error *err)
{
	char quoted[256];
	log_event(LOG_ERROR, event, "lane=%s code=%s message=%s",
		  committer->options.lane == LANE_BLOB ? "blob" : "committer",
		  error_code_name(err->code),
		  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
}

/* COMMIT, with the time it took. An I/O error here stops all further writes. */
static bool commit(struct committer *committer, unsigned job_count, struct error *err)
{
	int64_t begin_ns = clock_monotonic_ns(clock_system());
	if (!db_exec(committer->db, SQL("COMMIT"), err)) {
		bool is_disk_broken = err->code == ERR_DATA_LOSS || err->code == ERR_INTERNAL_ERROR;
		if (is_disk_broken && !atomic_exchange(&committer->is_read_only, true))
			log_failure(committer, "writes_stopped", err);
		return false;
	}
	if (committer->options.group_committed_cb != NULL)
		committer->options.group_committed_cb(
			committer->options.ctx, job_count,
			(clock_monotonic_ns(clock_system()) - begin_ns) / 1000);
	return true;
}

static void rollback_if_open(struct committer *committer)
{
	struct error ignored;
	db_reset_all(committer->db);
	if (db_in_transaction(committer->db) && !db_exec(committer->db, SQL("ROLLBACK"), &ignored))
		log_failure(committer, "rollback_failed", &ignored);
}

static bool refuse_if_read_only(const struct committer *committer, struct error *err)
{
	if (!atomic_load(&committer->is_read_only))
		return true;
	return error_set(
		err, ERR_TEMPORARILY_UNAVAILABLE,
		"The server is read-only since a write to its disk failed. Check the disk, then "
		"restart the server.");
}

/* One job in a transaction of its own. job->error tells how it went. */
static void run_alone(struct committer *committer, struct job *job)
{
	error_clear(&job->error);
	if (!refuse_if_read_only(committer, &job->error) ||
	    !db_exec(committer->db, SQL("BEGIN IMMEDIATE"), &job->error))
		return;
	if (!job_run_phase(job, &committer->context) || !commit(committer, 1, &job->error))
		rollback_if_open(committer);
}

/* One job of a group, without a savepoint. */
static enum group_outcome run_bare(struct committer *committer, struct job *job)
{
	int64_t changes_before = db_changes_total(committer->db);
	bool ok = job_run_phase(job, &committer->context);
	if (!db_in_transaction(committer->db))
		return GROUP_BROKEN;
	bool is_clean = ok || db_changes_total(committer->db) == changes_before;
	return is_clean ? GROUP_WELL : GROUP_NEEDS_SAVEPOINTS;
}

static enum group_outcome run_in_savepoint(struct committer *committer, struct job *job)
{
	struct error err;
	if (!db_exec(committer->db, SQL("SAVEPOINT job"), &err))
		return GROUP_BROKEN;
	bool ok = job_run_phase(job, &committer->context);
	if (!db_in_transaction(committer->db))
		return GROUP_BROKEN;
	if (!ok && !db_exec(committer->db, SQL("ROLLBACK TO job"), &err))
		return GROUP_BROKEN;
	return db_exec(committer->db, SQL("RELEASE job"), &err) ? GROUP_WELL : GROUP_BROKEN;
}

/* All jobs of the list in one transaction. Unless it goes well nothing of it is kept. */
static enum group_outcome run_group(struct committer *committer, struct queue_node *first,
				    unsigned job_count, bool in_savepoints)
{
	struct error err;
	enum group_outcome outcome = GROUP_WELL;
	if (atomic_load(&committer->is_read_only) ||
	    !db_exec(committer->db, SQL("BEGIN IMMEDIATE"), &err))
		return GROUP_BROKEN;
	for (struct queue_node *node = first; node != NULL && outcome == GROUP_WELL;
	     node = node->next_or_null) {
		struct job *job = CONTAINER_OF(node, struct job, node);
		outcome =
			in_savepoints ? run_in_savepoint(committer, job) : run_bare(committer, job);
	}
	if (outcome == GROUP_WELL && !commit(committer, job_count, &err))
		outcome = GROUP_BROKEN;
	if (outcome != GROUP_WELL)
		rollback_if_open(committer);
	return outcome;
}

static bool commit_group(struct committer *committer, struct queue_node *first, unsigned job_count)
{
	enum group_outcome outcome = run_group(committer, first, job_count, false);
	if (outcome == GROUP_NEEDS_SAVEPOINTS)
		outcome = run_group(committer, first, job_count, true);
	return outcome == GROUP_WELL;
}

static void commit_list(struct committer *committer, struct queue_node *first)
{
	unsigned job_count = 0;
	for (struct queue_node *node = first; node != NULL; node = node->next_or_null) {
		job_state_move(CONTAINER_OF(node, struct job, node), JOB_RUNNING);
		job_count++;
	}
	if (job_count == 1 || !commit_group(committer, first, job_count)) {
		for (struct queue_node *node = first; node != NULL; node = node->next_or_null)
			run_alone(committer, CONTAINER_OF(node, struct job, node));
	}
	for (struct queue_node *node = first; node != NULL;) {
		struct queue_node *next =
			node->next_or_null; /* the job may be gone after forwarding */
		struct job *job = CONTAINER_OF(node, struct job, node);
		job_state_move(job, JOB_COMMITTING);
		jobs_forward(committer->jobs, job);
		node = next;
	}
}

static void checkpoint_if_due(struct committer *committer, bool is_idle)
{
	struct error err;
	int64_t pages = db_wal_pages(committer->db);
	if (pages < (is_idle ? 1 : committer->options.checkpoint_pages))
		return;
	if (!db_checkpoint(committer->db, &err))
		log_failure(committer, "checkpoint_failed", &err);
}

/* Returns whether there is more to do at once. */
static bool keep_house(struct committer *committer, bool is_idle)
{
	if (committer->options.housekeeping_cb == NULL || atomic_load(&committer->is_read_only))
		return false;
	bool more =
		committer->options.housekeeping_cb(committer->options.ctx, committer->db, is_idle);
	rollback_if_open(committer); /* a step that failed half way */
	return more;
}

static void *committer_main(void *argument)
{
	struct committer *committer = argument;
	bool more = false, is_idle = false;
	while (!queue_is_finished(&committer->queue)) {
		struct queue_node *first = queue_take_many(&committer->queue, GROUP_JOBS_MAX,
							   GROUP_BYTES_MAX, more ? 0 : IDLE_MS);
		if (first != NULL)
			commit_list(committer, first);
		/* Between two groups there often is no job, which does not make the lane idle. */
		is_idle = first == NULL && (is_idle || !more);
		more = keep_house(committer, is_idle);
		checkpoint_if_due(committer, is_idle && !more);
	}
	return NULL;
}
