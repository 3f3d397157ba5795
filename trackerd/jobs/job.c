/* Owns how a job moves: the state table and the guarded run of one phase. */
#include "jobs/job_run.h"

#include <setjmp.h>

#include "base/assert.h"

/*            submit             take              committing lane           last phase
 *   IDLE ───────────▶ QUEUED ─────────▶ RUNNING ─────────────────▶ COMMITTING ─────────▶ DONE
 *                       ▲                  │  └──────────────────────────────────────────▲ │
 *                       └──── next phase ──┴──────────────── next phase ──┘ (from both)    └─ deliver: IDLE
 */
#define TO(state) (1u << (state))
static const unsigned allowed_next[] = {
	[JOB_IDLE] = TO(JOB_QUEUED),
	[JOB_QUEUED] = TO(JOB_RUNNING),
	[JOB_RUNNING] = TO(JOB_COMMITTING) | TO(JOB_QUEUED) | TO(JOB_DONE),
	[JOB_COMMITTING] = TO(JOB_QUEUED) | TO(JOB_DONE),
	[JOB_DONE] = TO(JOB_IDLE),
};

void job_state_move(struct job *job, enum job_state next)
{
	ASSERT((allowed_next[job->state] & TO(next)) != 0);
	job->state = next;
}

static bool run_below_guard(struct job *job, struct job_context *context)
{
	const struct job_phase *phase = &job->phases[job->phase_index];
	jmp_buf guard;
	if (setjmp(guard) != 0) {
		arena_guard_set(job->arena, NULL);
		return error_set(
			&job->error, ERR_REQUEST_TOO_LARGE,
			"The request needs more than %zu MiB of memory; ask for less at once, for "
			"example with a smaller max_results.",
			job->arena->bytes_max / 1024 / 1024);
	}
	arena_guard_set(job->arena, &guard);
	bool ok = phase->run(job, context, &job->error);
	arena_guard_set(job->arena, NULL);
	return ok;
}

bool job_run_phase(struct job *job, struct job_context *context)
{
	error_clear(&job->error);
	bool ok = run_below_guard(job, context);
	ASSERT(ok == (job->error.code == ERR_NONE));
	if (!ok) {
		/* A phase that failed may have left statements half stepped. */
		if (context->tracker != NULL)
			db_reset_all(context->tracker);
		if (context->blobs != NULL)
			db_reset_all(context->blobs);
	}
	return ok;
}
