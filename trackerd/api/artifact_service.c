/* Owns the artifact endpoints' shared state, and drives the sweep and the expiry of uploads, each as
 * a job that submits itself again. */
#include "api/artifact_service.h"

#include <stdlib.h>

#include "api/api.h"
#include "api/upload_job.h"
#include "artifacts/blob_sweep.h"
#include "artifacts/multipart.h"
#include "base/clock.h"
#include "base/log.h"

enum { SWEEP_ARENA_BYTES_MAX = 1024 * 1024, SWEEP_JOB_BYTES = 1024 };

/* Uploads in parts are given up, some at a time. */
struct expiry {
	struct job job;
	struct arena arena;
	bool is_running; /* the job is in flight */
	int64_t before_ms;
	bool is_due;  /* found by the last look */
	size_t count; /* of the last step */
	struct blob_pk_list released;
};

struct artifact_service {
	struct api *api;
	struct blob_pins pins;
	struct upload_slots slots;
	unsigned download_count;
	struct blob_sweep sweep;
	struct job job; /* the sweep's */
	struct arena arena;
	bool is_sweeping;	 /* the job is in flight */
	uint64_t reported_count; /* blobs deleted, when last logged */
	struct expiry expiry;
};

static void sweep_begin_on_loop(struct artifact_service *service);

bool artifact_service_new(struct api *api, struct artifact_service **out, struct error *err)
{
	struct artifact_service *service = calloc(1, sizeof(*service));
	if (service == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	service->api = api;
	blob_pins_init(&service->pins);
	blob_sweep_init(&service->sweep, &service->pins);
	arena_init(&service->arena, SWEEP_ARENA_BYTES_MAX);
	service->job.arena = &service->arena;
	service->job.weight_bytes = SWEEP_JOB_BYTES;
	arena_init(&service->expiry.arena, SWEEP_ARENA_BYTES_MAX);
	service->expiry.job.arena = &service->expiry.arena;
	service->expiry.job.weight_bytes = SWEEP_JOB_BYTES;
	*out = service;
	return true;
}

void artifact_service_start_on_loop(struct artifact_service *service)
{
	blob_sweep_scan(&service->sweep);
	sweep_begin_on_loop(service);
}

void artifact_service_free(struct artifact_service *service_or_null)
{
	if (service_or_null == NULL)
		return;
	ASSERT(!service_or_null->is_sweeping && !service_or_null->expiry.is_running);
	blob_sweep_deinit(&service_or_null->sweep);
	blob_pins_deinit(&service_or_null->pins);
	arena_deinit(&service_or_null->arena);
	arena_deinit(&service_or_null->expiry.arena);
	free(service_or_null);
}

struct blob_pins *artifact_service_pins(struct artifact_service *service)
{
	return &service->pins;
}

struct upload_slots *artifact_service_slots(struct artifact_service *service)
{
	return &service->slots;
}

bool artifact_service_begin_download_on_loop(struct artifact_service *service)
{
	if (service->download_count == DOWNLOADS_MAX)
		return false;
	service->download_count++;
	return true;
}

void artifact_service_end_download_on_loop(struct artifact_service *service)
{
	service->download_count--;
}

void artifact_service_release_on_loop(struct artifact_service *service, const int64_t *blob_pks,
				      size_t count)
{
	blob_sweep_add(&service->sweep, blob_pks, count);
	sweep_begin_on_loop(service);
}

bool artifact_service_is_sweeping_on_loop(const struct artifact_service *service)
{
	return service->is_sweeping;
}

void artifact_service_unpinned_on_loop(struct artifact_service *service)
{
	if (!blob_sweep_has_put_off(&service->sweep))
		return;
	blob_sweep_retry(&service->sweep);
	sweep_begin_on_loop(service);
}

/* ---- the sweep's job ---------------------------------------------------------------------------- */

static struct artifact_service *from_job(struct job *job)
{
	return CONTAINER_OF(job, struct artifact_service, job);
}

static bool find_phase(struct job *job, struct job_context *context, struct error *err)
{
	return blob_sweep_find(&from_job(job)->sweep, context->tracker, context->blobs, err);
}

static bool unname_phase(struct job *job, struct job_context *context, struct error *err)
{
	return blob_sweep_unname_in_txn(&from_job(job)->sweep, context->blobs, err);
}

static bool check_phase(struct job *job, struct job_context *context, struct error *err)
{
	return blob_sweep_check(&from_job(job)->sweep, context->tracker, context->blobs, err);
}

static bool delete_phase(struct job *job, struct job_context *context, struct error *err)
{
	return blob_sweep_delete_in_txn(&from_job(job)->sweep, context->blobs, err);
}

static const struct job_phase find_phases[] = {{LANE_WORKER, find_phase}};
static const struct job_phase delete_phases[] = {
	{LANE_BLOB, unname_phase}, {LANE_WORKER, check_phase}, {LANE_BLOB, delete_phase}};
static const struct job_phase delete_more_phases[] = {{LANE_BLOB, delete_phase}};

static void submit(struct artifact_service *service, const struct job_phase *phases,
		   unsigned phase_count, void (*deliver_on_loop)(struct job *job))
{
	struct error err;
	service->job.phases = phases;
	service->job.phase_count = phase_count;
	service->job.deliver_on_loop = deliver_on_loop;
	service->is_sweeping = jobs_submit(service->api->jobs, &service->job, &err);
	/* Refused when the daemon stops, or has too much to do: then the next release, or start,
	 * goes on. */
}

static bool failed(const struct job *job, const char *event)
{
	char quoted[256];
	const struct error *err = &job->error;
	if (err->code == ERR_NONE)
		return false;
	log_event(LOG_WARN, event, "code=%s message=%s", error_code_name(err->code),
		  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
	return true;
}

static void deleted_on_loop(struct job *job)
{
	struct artifact_service *service = from_job(job);
	service->is_sweeping = false;
	if (failed(job, "sweep_failed"))
		return;
	if (blob_sweep_goes_on(&service->sweep))
		submit(service, delete_more_phases, ARRAY_COUNT(delete_more_phases),
		       deleted_on_loop);
	else
		sweep_begin_on_loop(service);
}

static void found_on_loop(struct job *job)
{
	struct artifact_service *service = from_job(job);
	service->is_sweeping = false;
	if (failed(job, "sweep_failed"))
		return;
	if (blob_sweep_has_candidates(&service->sweep))
		submit(service, delete_phases, ARRAY_COUNT(delete_phases), deleted_on_loop);
	else
		sweep_begin_on_loop(service);
}

static void sweep_begin_on_loop(struct artifact_service *service)
{
	if (service->is_sweeping)
		return;
	if (blob_sweep_begin(&service->sweep)) {
		submit(service, find_phases, ARRAY_COUNT(find_phases), found_on_loop);
	} else if (service->sweep.blobs_deleted > service->reported_count) {
		log_event(LOG_INFO, "blobs_swept", "count=%llu",
			  (unsigned long long)(service->sweep.blobs_deleted -
					       service->reported_count));
		service->reported_count = service->sweep.blobs_deleted;
	}
}

/* ---- the expiry's job --------------------------------------------------------------------------- */

static struct artifact_service *from_expiry_job(struct job *job)
{
	return CONTAINER_OF(job, struct artifact_service, expiry.job);
}

static bool look_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct expiry *expiry = &from_expiry_job(job)->expiry;
	return multipart_any_expired(context->tracker, expiry->before_ms, &expiry->is_due, err);
}

static bool expire_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct expiry *expiry = &from_expiry_job(job)->expiry;
	expiry->released = (struct blob_pk_list){0}; /* this may be the second run */
	return multipart_expire_in_txn(context->tracker, expiry->before_ms, job->arena,
				       &expiry->released, &expiry->count, err);
}

/* Looking costs the committer nothing, nor the disk. */
static const struct job_phase look_phases[] = {{LANE_WORKER, look_phase}};
static const struct job_phase expire_phases[] = {{LANE_COMMITTER, expire_phase}};

static void submit_expiry(struct artifact_service *service, const struct job_phase *phases,
			  unsigned phase_count, void (*deliver_on_loop)(struct job *job))
{
	struct expiry *expiry = &service->expiry;
	struct error err;
	arena_reset(&expiry->arena);
	expiry->job.phases = phases;
	expiry->job.phase_count = phase_count;
	expiry->job.deliver_on_loop = deliver_on_loop;
	expiry->is_running = jobs_submit(service->api->jobs, &expiry->job, &err);
	/* Refused when the daemon stops, or has too much to do: then the next call will do. */
}

static void expired_on_loop(struct job *job)
{
	struct artifact_service *service = from_expiry_job(job);
	struct expiry *expiry = &service->expiry;
	expiry->is_running = false;
	if (failed(job, "expiry_failed"))
		return;
	log_event(LOG_INFO, "uploads_expired", "count=%zu", expiry->count);
	artifact_service_release_on_loop(service, expiry->released.items, expiry->released.count);
	artifact_service_expire_on_loop(service); /* there may be more */
}

static void looked_on_loop(struct job *job)
{
	struct artifact_service *service = from_expiry_job(job);
	service->expiry.is_running = false;
	if (!failed(job, "expiry_failed") && service->expiry.is_due)
		submit_expiry(service, expire_phases, ARRAY_COUNT(expire_phases), expired_on_loop);
}

void artifact_service_expire_on_loop(struct artifact_service *service)
{
	if (service->expiry.is_running)
		return;
	service->expiry.before_ms = clock_wall_ms(clock_system()) - service->api->upload_expiry_ms;
	submit_expiry(service, look_phases, ARRAY_COUNT(look_phases), looked_on_loop);
}
