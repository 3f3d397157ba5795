/* Owns what the service manager is told, and the job that shows that the daemon is alive. */
#include "supervision.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/notify.h"
#include "jobs/loop_timer.h"

enum { STATUS_BYTES_MAX = 512, PROBE_ARENA_BYTES_MAX = 64 * 1024 };

struct supervision {
	struct jobs *jobs;
	struct loop_timer *timer;
	struct job probe;
	struct arena arena;
	bool is_probing;
	int64_t period_ms; /* between two probes; 0: nobody watches */
};

static bool answer(struct job *job, struct job_context *context, struct error *err)
{
	(void)job, (void)context, (void)err;
	return true;
}

static const struct job_phase probe_phases[] = {
	{LANE_COMMITTER, answer},
	{LANE_BLOB, answer},
};

static void probed_on_loop(struct job *job)
{
	struct supervision *s = CONTAINER_OF(job, struct supervision, probe);
	s->is_probing = false;
	(void)notify_send("WATCHDOG=1");
}

/* A probe that is still under way is waited for; one that finds a lane full is made again later. */
static void probe_due_on_loop(void *ctx)
{
	struct supervision *s = ctx;
	struct error err;
	if (!s->is_probing)
		s->is_probing = jobs_submit(s->jobs, &s->probe, &err);
	loop_timer_start(s->timer, s->period_ms);
}

bool supervision_new(struct jobs *jobs, struct uv_loop_s *loop, struct supervision **out,
		     struct error *err)
{
	struct supervision *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	s->jobs = jobs;
	arena_init(&s->arena, PROBE_ARENA_BYTES_MAX);
	s->probe.arena = &s->arena;
	s->probe.phases = probe_phases;
	s->probe.phase_count = ARRAY_COUNT(probe_phases);
	s->probe.deliver_on_loop = probed_on_loop;
	if (!loop_timer_new(loop, probe_due_on_loop, s, &s->timer, err)) {
		supervision_free(s);
		return false;
	}
	*out = s;
	return true;
}

void supervision_ready_on_loop(struct supervision *s, const char *status)
{
	char lines[STATUS_BYTES_MAX];
	(void)snprintf(lines, sizeof(lines), "READY=1\nSTATUS=%s", status);
	(void)notify_send(lines);
	int64_t watchdog_ms = notify_watchdog_ms();
	if (watchdog_ms == 0)
		return;
	s->period_ms = watchdog_ms > 1 ? watchdog_ms / 2 : 1;
	loop_timer_start(s->timer, s->period_ms);
}

void supervision_stop_on_loop(struct supervision *s)
{
	if (s == NULL)
		return;
	loop_timer_close(s->timer);
	s->timer = NULL;
	(void)notify_send("STOPPING=1");
}

void supervision_free(struct supervision *s)
{
	if (s == NULL)
		return;
	arena_deinit(&s->arena);
	free(s);
}
