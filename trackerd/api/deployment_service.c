/* Owns the watch over targets that send heartbeats. */
#include "api/deployment_service.h"

#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/live.h"
#include "base/clock.h"
#include "base/log.h"
#include "jobs/loop_timer.h"

enum {
	ARENA_BYTES_MAX = 16 * 1024 * 1024,
	JOB_BYTES = 64 * 1024,	 /* a guess of what a job holds in memory */
	STALE_AT_ONCE_MAX = 200, /* some ms of the committer */
	PAUSE_MS = 30 * 1000,	 /* after something that should not fail did */
	TIMER_MS_MAX = 60 * 60 * 1000,
	LOOKS_APART_MS =
		100, /* however many targets report: a look at all of them takes some ms of a worker */
	/* The wall clock may run so much apart from the monotonic one between two looks: it is being adjusted. */
	CLOCK_DRIFT_MS_MAX = 2000,
};

struct deployment_service {
	struct api *api;
	struct loop_timer *timer_or_null; /* NULL once stopped */
	struct job job;			  /* one at a time: look or mark */
	struct arena arena;
	bool is_busy;
	bool is_to_look_again;
	struct deployment_watch watch;	     /* of the job */
	int64_t clock_offset_ms;	     /* wall less monotonic, when it last looked */
	int64_t looked_ms;		     /* monotonic: when it last began to look; 0: never */
	struct deployment_overview looked;   /* the job's */
	struct deployment_overview overview; /* the last one that came */
	struct deployment_list stale;	     /* those that the job marked; in its arena */
};

static void timer_fired_on_loop(void *ctx);
static void looked_on_loop(struct job *job);
static void marked_on_loop(struct job *job);

/* ---- life --------------------------------------------------------------------------------------- */

bool deployment_service_new(struct api *api, struct uv_loop_s *loop,
			    struct deployment_service **out, struct error *err)
{
	struct deployment_service *service = calloc(1, sizeof(*service));
	if (service == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	if (!loop_timer_new(loop, timer_fired_on_loop, service, &service->timer_or_null, err)) {
		free(service);
		return false;
	}
	service->api = api;
	arena_init(&service->arena, ARENA_BYTES_MAX);
	service->job.arena = &service->arena;
	service->job.weight_bytes = JOB_BYTES;
	*out = service;
	return true;
}

void deployment_service_start_on_loop(struct deployment_service *service)
{
	deployment_service_wake_on_loop(service);
}

void deployment_service_stop_on_loop(struct deployment_service *service_or_null)
{
	if (service_or_null == NULL)
		return;
	loop_timer_close(service_or_null->timer_or_null);
	service_or_null->timer_or_null = NULL;
}

void deployment_service_free(struct deployment_service *service_or_null)
{
	if (service_or_null == NULL)
		return;
	ASSERT(!service_or_null->is_busy && service_or_null->timer_or_null == NULL);
	arena_deinit(&service_or_null->arena);
	free(service_or_null);
}

const int64_t *deployment_service_counts_on_loop(const struct deployment_service *service)
{
	return service->overview.counts;
}

/* ---- jobs --------------------------------------------------------------------------------------- */

static struct deployment_service *from_job(struct job *job)
{
	return CONTAINER_OF(job, struct deployment_service, job);
}

static bool look_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct deployment_service *service = from_job(job);
	return deployments_overview(context->tracker, &service->watch, &service->looked, err);
}
static const struct job_phase look_phases[] = {{LANE_WORKER, look_phase}};

static bool mark_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct deployment_service *service = from_job(job);
	return deployments_mark_stale_in_txn(context->tracker, &service->watch, STALE_AT_ONCE_MAX,
					     job->arena, &service->stale, err);
}
static const struct job_phase mark_phases[] = {{LANE_COMMITTER, mark_phase}};

static void pause_after(struct deployment_service *service, const struct error *err)
{
	char quoted[256];
	log_event(LOG_WARN, "deployment_watch_paused", "pause_ms=%d code=%s message=%s", PAUSE_MS,
		  error_code_name(err->code),
		  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
	if (service->timer_or_null != NULL)
		loop_timer_start(service->timer_or_null, PAUSE_MS);
}

static void submit(struct deployment_service *service, const struct job_phase *phases,
		   void (*delivered)(struct job *job))
{
	struct error err;
	arena_reset(&service->arena);
	service->stale = (struct deployment_list){0};
	service->job.phases = phases;
	service->job.phase_count = 1;
	service->job.deliver_on_loop = delivered;
	service->is_busy = jobs_submit(service->api->jobs, &service->job, &err);
	if (!service->is_busy)
		pause_after(service, &err);
}

/* Wall time goes on by more than time does, or backwards: the machine slept, or its clock was set. */
static void set_watch(struct deployment_service *service)
{
	int64_t now_ms = clock_wall_ms(clock_system());
	int64_t offset_ms = now_ms - clock_monotonic_ms(clock_system());
	int64_t drift_ms = offset_ms - service->clock_offset_ms;
	if (drift_ms > CLOCK_DRIFT_MS_MAX || drift_ms < -CLOCK_DRIFT_MS_MAX)
		service->watch.since_ms = now_ms; /* the first time, too */
	service->clock_offset_ms = offset_ms;
	service->watch.now_ms = now_ms;
}

void deployment_service_wake_on_loop(struct deployment_service *service)
{
	if (service->timer_or_null == NULL)
		return;
	service->is_to_look_again = service->is_busy;
	if (service->is_busy)
		return;
	int64_t now_ms = clock_monotonic_ms(clock_system());
	int64_t wait_ms = service->looked_ms + LOOKS_APART_MS - now_ms;
	if (service->looked_ms != 0 && wait_ms > 0) {
		loop_timer_start(service->timer_or_null, wait_ms);
		return;
	}
	service->looked_ms = now_ms;
	set_watch(service);
	submit(service, look_phases, looked_on_loop);
}

static void timer_fired_on_loop(void *ctx)
{
	deployment_service_wake_on_loop(ctx);
}

/* ---- what came of them -------------------------------------------------------------------------- */

static void looked_on_loop(struct job *job)
{
	struct deployment_service *service = from_job(job);
	service->is_busy = false;
	if (service->timer_or_null == NULL)
		return;
	if (job->error.code != ERR_NONE) {
		pause_after(service, &job->error);
		return;
	}
	service->overview = service->looked;
	int64_t wait_ms = service->overview.next_due_ms - service->watch.now_ms;
	if (wait_ms <= 0)
		submit(service, mark_phases, marked_on_loop);
	else if (service->is_to_look_again)
		deployment_service_wake_on_loop(service);
	else
		loop_timer_start(service->timer_or_null,
				 wait_ms < TIMER_MS_MAX ? wait_ms : TIMER_MS_MAX);
}

static void tell(const struct deployment_service *service, const struct deployment *d)
{
	const struct live_note note = {.subject = LIVE_DEPLOYMENT, .id = d->deployment_id};
	char target[256], model[256];
	live_tell_on_loop(service->api->live, &note);
	log_event(LOG_INFO, "deployment_stale",
		  "deployment_id=%.*s model=%s target=%s last_seen_ms=%lld",
		  SLICE_FMT(d->deployment_id), log_quote(d->model, model, sizeof(model)),
		  log_quote(d->target, target, sizeof(target)), (long long)d->last_seen_ms);
}

static void marked_on_loop(struct job *job)
{
	struct deployment_service *service = from_job(job);
	service->is_busy = false;
	if (job->error.code != ERR_NONE) {
		pause_after(service, &job->error);
		return;
	}
	for (size_t i = 0; i < service->stale.count; i++)
		tell(service, &service->stale.items[i]);
	if (service->stale.count == STALE_AT_ONCE_MAX && service->timer_or_null != NULL)
		submit(service, mark_phases, marked_on_loop); /* there may be more */
	else
		deployment_service_wake_on_loop(service);
}
