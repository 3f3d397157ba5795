/* Inside jobs/: moving a job through its states and phases. Called by the thread that owns the job. */
#ifndef JOBS_JOB_RUN_H
#define JOBS_JOB_RUN_H

#include "jobs/job.h"

/* Asserts that the transition table (job.c) allows the move. */
void job_state_move(struct job *job, enum job_state next);
/* Runs the current phase below an arena guard. On failure job->error is set and all statements of the context are
 * reset. Returns whether the phase succeeded. */
bool job_run_phase(struct job *job, struct job_context *context);

/* Where a job goes when a phase is over (jobs.c): to the lane of its next phase, or to the mailbox when it
 * failed or has no next phase. Gives the job away. Thread-safe. */
struct jobs;
void jobs_forward(struct jobs *jobs, struct job *job);

#endif
