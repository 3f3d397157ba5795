/* Owns one request from its body to its reply: a job whose phases call the endpoint's functions. */
#include "api/endpoint_job.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/byte_range.h"
#include "api/deployment_service.h"
#include "api/live.h"
#include "api/webhook_service.h"
#include "base/clock.h"
#include "http/target.h"
#include "limits.h"

/* A write with a body up to this size is decoded where it is executed: that takes 3 µs for a point
 * of a metric, while waking up a worker for it takes 10. A larger one would hold up others' writes. */
enum { SMALL_BODY_BYTES_MAX = 1024 };

struct endpoint_job {
	struct job job;
	struct arena arena;
	struct call call;
	struct api *api;
	struct http_exchange *exchange;
	const struct endpoint *endpoint;
	struct route_match match;
	struct slice body;
	bool is_decoded;
	struct buffer reply;
	struct job_phase phases[3];
};

static struct endpoint_job *from_job(struct job *job)
{
	return CONTAINER_OF(job, struct endpoint_job, job);
}

/* ---- phases ------------------------------------------------------------------------------------- */

static bool decode_arguments(struct endpoint_job *e, struct error *err)
{
	for (unsigned i = 0; i < e->match.argument_count; i++) {
		e->call.path_arguments[i] = e->match.arguments[i];
		if (!e->endpoint->takes_raw_path &&
		    !target_decode(e->match.arguments[i], false, &e->arena,
				   &e->call.path_arguments[i], err))
			return false;
	}
	return true;
}

static bool decode_fields(struct endpoint_job *e, struct error *err)
{
	const struct endpoint *endpoint = e->endpoint;
	const struct http_request *http = http_exchange_request(e->exchange);
	if (endpoint->fields_or_null == NULL)
		return true;
	e->call.request = arena_alloc(&e->arena, 1, endpoint->request_bytes);
	bool in_query = http->method == HTTP_GET || http->method == HTTP_HEAD ||
			http->method == HTTP_DELETE;
	if (in_query && (http->query.len > 0 || e->body.len == 0))
		return fields_decode_query(endpoint->fields_or_null, http->query, &e->arena,
					   e->call.request, err);
	return fields_decode_json(endpoint->fields_or_null, e->body, &e->arena, e->call.request,
				  err);
}

static bool decode_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct endpoint_job *e = from_job(job);
	(void)context;
	if (e->is_decoded) /* by the first of two runs on the committer */
		return true;
	e->is_decoded = decode_arguments(e, err) && decode_fields(e, err) &&
			(e->endpoint->check == NULL || e->endpoint->check(&e->call, err));
	return e->is_decoded;
}

static bool execute_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct endpoint_job *e = from_job(job);
	e->call.released = (struct blob_pk_list){0}; /* this may be the second run */
	e->call.live.last_or_null = NULL;
	e->call.has_more = false;
	e->call.blobs = context->blobs;
	bool ok = e->endpoint->execute == NULL ||
		  e->endpoint->execute(&e->call, context->tracker, err);
	job->outgoing_or_null = e->call.outgoing_or_null;
	return ok;
}

static bool encode_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct endpoint_job *e = from_job(job);
	struct json_writer w;
	(void)context;
	if (e->call.content_type != NULL || e->call.has_more || e->endpoint->encode == NULL)
		return true;
	json_writer_init(&w, &e->reply);
	e->endpoint->encode(&e->call, &w);
	return buffer_check(&e->reply, "The reply", err);
}

static bool read_phase(struct job *job, struct job_context *context, struct error *err)
{
	return decode_phase(job, context, err) && execute_phase(job, context, err) &&
	       encode_phase(job, context, err);
}

static bool decode_and_execute_phase(struct job *job, struct job_context *context,
				     struct error *err)
{
	return decode_phase(job, context, err) && execute_phase(job, context, err);
}

/* The body must be there: its size decides. */
static void set_phases(struct endpoint_job *e)
{
	unsigned count = 0;
	if (e->endpoint->kind == ENDPOINT_READ) {
		e->phases[count++] = (struct job_phase){LANE_WORKER, read_phase};
	} else if (e->endpoint->kind == ENDPOINT_SEND) {
		e->phases[count++] = (struct job_phase){LANE_WORKER, decode_and_execute_phase};
		e->phases[count++] = (struct job_phase){LANE_SENDER, NULL};
		e->phases[count++] = (struct job_phase){LANE_WORKER, encode_phase};
	} else {
		if (e->body.len <= SMALL_BODY_BYTES_MAX) {
			e->phases[count++] =
				(struct job_phase){LANE_COMMITTER, decode_and_execute_phase};
		} else {
			e->phases[count++] = (struct job_phase){LANE_WORKER, decode_phase};
			e->phases[count++] = (struct job_phase){LANE_COMMITTER, execute_phase};
		}
		if (e->endpoint->encode != NULL)
			e->phases[count++] = (struct job_phase){LANE_WORKER, encode_phase};
	}
	e->job.phases = e->phases;
	e->job.phase_count = count;
}

/* ---- on the loop -------------------------------------------------------------------------------- */

static void endpoint_job_free(struct endpoint_job *e)
{
	buffer_deinit(&e->reply);
	arena_deinit(&e->arena);
	free(e);
}

/* Does the peer have this very reply already? "*" is for things that are made, not for reads. */
static bool is_known(const struct call *call)
{
	return !slice_eq_cstr(slice_trim(call->if_none_match), "*") &&
	       byte_range_etag_matches(call->if_none_match, call->etag);
}

static void reply_on_loop(struct endpoint_job *e)
{
	struct call *call = &e->call;
	struct http_reply reply = {.status = call->status != 0 ? call->status : 200};
	reply.content_type = call->content_type != NULL ? call->content_type : "application/json";
	api_reply_headers(e->api, e->exchange, &reply);
	if (slice_is_present(call->etag)) {
		http_reply_header(&reply, SLICE("ETag"), call->etag);
		if (is_known(call)) {
			reply.status = 304;
			buffer_reset(&e->reply);
		}
	}
	if (e->endpoint->shows_revision) /* or a cache may think that it knows for how long */
		http_reply_header(&reply, SLICE("Cache-Control"), SLICE("no-cache"));
	if (call->content_type != NULL && reply.status != 304)
		buffer_append(&e->reply, call->text);
	else if (e->endpoint->encode == NULL && reply.status != 304)
		buffer_append(&e->reply, SLICE("{}"));
	http_exchange_reply(e->exchange, &reply, &e->reply);
	http_exchange_release(e->exchange);
}

static void submit_on_loop(struct endpoint_job *e)
{
	struct error err;
	if (jobs_submit(e->api->jobs, &e->job, &err))
		return;
	api_reply_error(e->api, e->exchange, &err);
	endpoint_job_free(e);
}

static void deliver_on_loop(struct job *job)
{
	struct endpoint_job *e = from_job(job);
	bool is_ok = job->error.code == ERR_NONE;
	if (is_ok)
		live_tell_all_on_loop(e->api->live, &e->call.live);
	if (e->call.wakes_webhooks && is_ok)
		webhook_service_wake_on_loop(e->api->webhooks);
	if (e->call.wakes_deployments && is_ok)
		deployment_service_wake_on_loop(e->api->deployments);
	if (is_ok && e->call.released.count > 0)
		artifact_service_release_on_loop(e->api->artifacts, e->call.released.items,
						 e->call.released.count);
	if (is_ok && e->call.has_more && !http_exchange_is_abandoned(e->exchange)) {
		e->call.step++;
		submit_on_loop(e);
		return;
	}
	if (http_exchange_is_abandoned(e->exchange))
		http_exchange_release(e->exchange);
	else if (job->error.code != ERR_NONE)
		api_reply_error(e->api, e->exchange, &job->error);
	else
		reply_on_loop(e);
	endpoint_job_free(e);
}

/* The peer went away. While the body is collected nothing else holds the job; later the delivery cleans up. */
static void abandoned_on_loop(struct http_exchange *x)
{
	struct endpoint_job *e = http_exchange_context(x);
	if (e->job.state == JOB_IDLE) {
		http_exchange_release(x);
		endpoint_job_free(e);
	} else {
		atomic_store(&e->job.is_abandoned, true);
	}
}

static void body_on_loop(struct http_exchange *x, struct slice body)
{
	struct endpoint_job *e = http_exchange_context(x);
	e->body = body;
	if (e->endpoint->shows_revision) {
		e->call.etag = revision_etag(&e->api->revision, e->call.http, body, &e->arena);
		if (is_known(&e->call)) {
			reply_on_loop(e);
			endpoint_job_free(e);
			return;
		}
	}
	set_phases(e);
	e->job.weight_bytes = sizeof(*e) + body.len;
	submit_on_loop(e);
}

void endpoint_job_begin_on_loop(struct api *api, struct http_exchange *x,
				const struct route_match *match)
{
	struct endpoint_job *e = calloc(1, sizeof(*e));
	if (e == NULL) {
		struct error err;
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(api, x, &err);
		return;
	}
	arena_init(&e->arena, JOB_ARENA_BYTES_MAX);
	buffer_init(&e->reply, REPLY_BYTES_MAX);
	e->api = api;
	e->exchange = x;
	e->endpoint = match->route->endpoint;
	e->match = *match;
	e->job.arena = &e->arena;
	e->job.deliver_on_loop = deliver_on_loop;
	e->call.arena = &e->arena;
	e->call.now_ms = clock_wall_ms(clock_system());
	e->call.api = api;
	e->call.http = http_exchange_request(x);
	e->call.if_none_match = http_request_header(e->call.http, "If-None-Match");
	http_exchange_context_set(x, e);
	http_exchange_on_abandoned(x, abandoned_on_loop);
	size_t bytes_max =
		e->endpoint->body_bytes_max != 0 ? e->endpoint->body_bytes_max : BODY_BYTES_MAX;
	http_exchange_collect(x, bytes_max, body_on_loop);
}
