/* Owns what is under way to webhooks. */
#include "api/webhook_service.h"

#include <stdlib.h>

#include "api/api.h"
#include "api/webhook_message.h"
#include "api/webhook_retry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random_id.h"
#include "jobs/loop_timer.h"
#include "limits.h"

enum {
	LOOK_ARENA_BYTES_MAX = 1024 * 1024,
	/* The event several times over: its data, the body, what is signed. */
	DELIVERY_ARENA_BYTES_MAX = 512 * 1024 * 1024,
	JOB_BYTES = 64 * 1024, /* a guess of what a job holds in memory */
	/* After something that should not fail did. */
	PAUSE_MS = 30 * 1000,
	TIMER_MS_MAX = 60 * 60 * 1000, /* the wall clock may be set meanwhile */
};

/* One delivery under way. */
struct delivery {
	struct job job;
	struct arena arena;
	struct webhook_service *service;
	struct delivery *next_or_null;
	int64_t webhook_pk, delivery_pk;
	struct webhook_message message;
	struct outgoing outgoing;
	int64_t began_ms;
	uint32_t random;
};

struct webhook_service {
	struct api *api;
	struct loop_timer *timer_or_null; /* NULL once stopped */
	struct job look;
	struct arena look_arena;
	struct webhook_head_list heads; /* in its arena */
	bool is_looking;
	bool is_to_look_again;
	int64_t paused_until_ms; /* monotonic */
	struct delivery *deliveries;
	unsigned delivery_count;
};

static void looked_on_loop(struct job *job);
static void delivered_on_loop(struct job *job);
static void timer_fired_on_loop(void *ctx);

/* ---- life --------------------------------------------------------------------------------------- */

bool webhook_service_new(struct api *api, struct uv_loop_s *loop, struct webhook_service **out,
			 struct error *err)
{
	struct webhook_service *service = calloc(1, sizeof(*service));
	if (service == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	if (!loop_timer_new(loop, timer_fired_on_loop, service, &service->timer_or_null, err)) {
		free(service);
		return false;
	}
	service->api = api;
	arena_init(&service->look_arena, LOOK_ARENA_BYTES_MAX);
	service->look.arena = &service->look_arena;
	service->look.weight_bytes = JOB_BYTES;
	service->look.deliver_on_loop = looked_on_loop;
	*out = service;
	return true;
}

void webhook_service_start_on_loop(struct webhook_service *service)
{
	webhook_service_wake_on_loop(service);
}

void webhook_service_stop_on_loop(struct webhook_service *service_or_null)
{
	if (service_or_null == NULL || service_or_null->timer_or_null == NULL)
		return;
	loop_timer_close(service_or_null->timer_or_null);
	service_or_null->timer_or_null = NULL;
	jobs_stop_sending(service_or_null->api->jobs);
}

void webhook_service_free(struct webhook_service *service_or_null)
{
	if (service_or_null == NULL)
		return;
	ASSERT(!service_or_null->is_looking && service_or_null->deliveries == NULL &&
	       service_or_null->timer_or_null == NULL);
	arena_deinit(&service_or_null->look_arena);
	free(service_or_null);
}

static void pause_after(struct webhook_service *service, const struct error *err)
{
	char quoted[256];
	log_event(LOG_WARN, "webhook_delivery_paused", "pause_ms=%d code=%s message=%s", PAUSE_MS,
		  error_code_name(err->code),
		  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
	service->paused_until_ms = clock_monotonic_ms(clock_system()) + PAUSE_MS;
	if (service->timer_or_null != NULL)
		loop_timer_start(service->timer_or_null, PAUSE_MS);
}

/* ---- finding what is due ------------------------------------------------------------------------ */

static bool look_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct webhook_service *service = CONTAINER_OF(job, struct webhook_service, look);
	return webhook_deliveries_heads(context->tracker, job->arena, &service->heads, err);
}
static const struct job_phase look_phases[] = {{LANE_WORKER, look_phase}};

static int64_t pause_left_ms(const struct webhook_service *service)
{
	return service->paused_until_ms - clock_monotonic_ms(clock_system());
}

void webhook_service_wake_on_loop(struct webhook_service *service)
{
	struct error err;
	int64_t pause_ms = pause_left_ms(service);
	if (service->timer_or_null == NULL)
		return;
	if (pause_ms > 0) {
		loop_timer_start(service->timer_or_null, pause_ms);
		return;
	}
	service->is_to_look_again = service->is_looking;
	if (service->is_looking)
		return;
	service->look.phases = look_phases;
	service->look.phase_count = ARRAY_COUNT(look_phases);
	service->is_looking = jobs_submit(service->api->jobs, &service->look, &err);
	if (!service->is_looking)
		pause_after(service, &err);
}

static void timer_fired_on_loop(void *ctx)
{
	webhook_service_wake_on_loop(ctx);
}

static bool is_under_way(const struct webhook_service *service, int64_t webhook_pk)
{
	for (const struct delivery *d = service->deliveries; d != NULL; d = d->next_or_null) {
		if (d->webhook_pk == webhook_pk)
			return true;
	}
	return false;
}

static void deliver(struct webhook_service *service, const struct webhook_head *head);

/* Begins what is due, and sets the timer for what is not. */
static void take_heads(struct webhook_service *service)
{
	int64_t now_ms = clock_wall_ms(clock_system());
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < service->heads.count; i++) {
		const struct webhook_head *head = &service->heads.items[i];
		if (is_under_way(service, head->webhook_pk))
			continue; /* its end wakes us */
		if (head->next_attempt_ms > now_ms)
			next_ms = head->next_attempt_ms < next_ms ? head->next_attempt_ms : next_ms;
		else if (service->delivery_count < WEBHOOK_UNDER_WAY_MAX)
			deliver(service, head);
	}
	if (next_ms == INT64_MAX || service->timer_or_null == NULL)
		return;
	int64_t wait_ms = next_ms - now_ms;
	loop_timer_start(service->timer_or_null, wait_ms < TIMER_MS_MAX ? wait_ms : TIMER_MS_MAX);
}

static void looked_on_loop(struct job *job)
{
	struct webhook_service *service = CONTAINER_OF(job, struct webhook_service, look);
	service->is_looking = false;
	if (job->error.code != ERR_NONE)
		pause_after(service, &job->error);
	else if (pause_left_ms(service) <= 0)
		take_heads(service); /* else a delivery failed meanwhile: the timer wakes us */
	arena_reset(&service->look_arena);
	service->heads = (struct webhook_head_list){0};
	if (service->is_to_look_again)
		webhook_service_wake_on_loop(service);
}

/* ---- one delivery ------------------------------------------------------------------------------- */

static struct delivery *from_job(struct job *job)
{
	return CONTAINER_OF(job, struct delivery, job);
}

static bool prepare_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct delivery *d = from_job(job);
	bool found = false;
	d->began_ms = clock_wall_ms(clock_system());
	if (!webhook_message_load(context->tracker, d->delivery_pk, d->began_ms, &d->arena,
				  &d->message, &found, err))
		return false;
	if (found) {
		webhook_message_build(&d->message, &d->service->api->webhook_rules, d->began_ms,
				      &d->arena, &d->outgoing);
		random_bytes(&d->random, sizeof(d->random));
		job->outgoing_or_null = &d->outgoing;
	}
	return true;
}

/* What was cancelled stays as it is: nobody knows whether it arrived. */
static bool record_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct delivery *d = from_job(job);
	const struct outgoing *o = &d->outgoing;
	if (job->outgoing_or_null == NULL || o->outcome == OUTGOING_CANCELLED)
		return true;
	const struct webhook_attempt attempt = {
		.attempt = d->message.attempt_count + 1,
		.time_ms = d->began_ms,
		.duration_ms = o->duration_ms,
		.response_status = o->status,
		.response_body = slice_make(o->answer, o->answer_bytes),
		.error_message = slice_from_cstr(o->error),
	};
	const struct webhook_verdict verdict = webhook_retry_decide(
		o, attempt.attempt, d->message.queued_ms, d->began_ms + o->duration_ms, d->random);
	return webhook_attempt_record_in_txn(context->tracker, d->delivery_pk, &attempt, &verdict,
					     job->arena, err);
}

static const struct job_phase delivery_phases[] = {
	{LANE_WORKER, prepare_phase}, {LANE_SENDER, NULL}, {LANE_COMMITTER, record_phase}};

static void forget(struct delivery *d)
{
	struct delivery **link = &d->service->deliveries;
	while (*link != d)
		link = &(*link)->next_or_null;
	*link = d->next_or_null;
	d->service->delivery_count--;
	arena_deinit(&d->arena);
	free(d);
}

static void deliver(struct webhook_service *service, const struct webhook_head *head)
{
	struct delivery *d = calloc(1, sizeof(*d));
	struct error err;
	if (d == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE, "out of memory");
		pause_after(service, &err);
		return;
	}
	arena_init(&d->arena, DELIVERY_ARENA_BYTES_MAX);
	d->service = service;
	d->webhook_pk = head->webhook_pk;
	d->delivery_pk = head->delivery_pk;
	d->job.arena = &d->arena;
	d->job.weight_bytes = JOB_BYTES;
	d->job.phases = delivery_phases;
	d->job.phase_count = ARRAY_COUNT(delivery_phases);
	d->job.deliver_on_loop = delivered_on_loop;
	d->next_or_null = service->deliveries;
	service->deliveries = d;
	service->delivery_count++;
	if (!jobs_submit(service->api->jobs, &d->job, &err)) {
		forget(d);
		pause_after(service, &err);
	}
}

static void log_outcome(const struct delivery *d)
{
	const struct outgoing *o = &d->outgoing;
	char quoted[256];
	if (d->job.outgoing_or_null == NULL)
		return;
	log_event(LOG_DEBUG, "webhook_sent",
		  "delivery_id=%.*s attempt=%lld status=%d duration_ms=%lld error=%s",
		  SLICE_FMT(d->message.delivery_id), (long long)d->message.attempt_count + 1,
		  o->status, (long long)o->duration_ms,
		  log_quote(slice_from_cstr(o->error), quoted, sizeof(quoted)));
}

static void delivered_on_loop(struct job *job)
{
	struct delivery *d = from_job(job);
	struct webhook_service *service = d->service;
	log_outcome(d);
	if (job->error.code != ERR_NONE)
		pause_after(service, &job->error);
	forget(d);
	webhook_service_wake_on_loop(service);
}
