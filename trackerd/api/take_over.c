/* Owns the life of a request that an endpoint took over. */
#include "api/take_over.h"

#include <stdlib.h>

#include "base/log.h"
#include "limits.h"

static void deliver_on_loop(struct job *job);
static void abandoned_on_loop(struct http_exchange *x);

/* True when it is gone. */
static bool close_if_done(struct take_over *t)
{
	if (!t->is_over || t->in_flight > 0)
		return false;
	if (t->x_or_null != NULL)
		http_exchange_release(t->x_or_null);
	struct arena arena = t->arena; /* outlives what closed_cb gives up: pins point into it */
	t->closed_cb(t);
	arena_deinit(&arena);
	return true;
}

void *take_over_alloc(struct api *api, struct http_exchange *x, size_t bytes)
{
	void *memory = calloc(1, bytes);
	struct error err;
	if (memory == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(api, x, &err);
	}
	return memory;
}

void take_over_begin(struct take_over *t, struct api *api, struct http_exchange *x,
		     void (*closed_cb)(struct take_over *t))
{
	t->api = api;
	t->x_or_null = x;
	t->closed_cb = closed_cb;
	arena_init(&t->arena, JOB_ARENA_BYTES_MAX);
	t->job.arena = &t->arena;
	t->job.deliver_on_loop = deliver_on_loop;
	http_exchange_context_set(x, t);
	http_exchange_on_abandoned(x, abandoned_on_loop);
}

void take_over_run(struct take_over *t, const struct job_phase *phases, unsigned phase_count,
		   size_t weight_bytes, void (*next_cb)(struct take_over *t))
{
	struct error err;
	t->job.phases = phases;
	t->job.phase_count = phase_count;
	t->job.weight_bytes = weight_bytes;
	t->next_cb = next_cb;
	if (!jobs_submit(t->api->jobs, &t->job, &err)) {
		take_over_fail(t, &err);
		return;
	}
	t->in_flight++;
}

struct call take_over_call(struct take_over *t, int64_t now_ms)
{
	return (struct call){.arena = &t->arena,
			     .now_ms = now_ms,
			     .api = t->api,
			     .http = http_exchange_request(t->x_or_null)};
}

static void deliver_on_loop(struct job *job)
{
	struct take_over *t = CONTAINER_OF(job, struct take_over, job);
	ASSERT(t->in_flight > 0);
	t->in_flight--;
	if (t->is_over)
		(void)close_if_done(t);
	else if (job->error.code != ERR_NONE)
		take_over_fail(t, &job->error);
	else
		t->next_cb(t);
}

static void abandoned_on_loop(struct http_exchange *x)
{
	struct take_over *t = http_exchange_context(x);
	t->is_over = true;
	atomic_store(&t->job.is_abandoned, true);
	(void)close_if_done(t);
}

static void end(struct take_over *t)
{
	t->is_over = true;
	(void)close_if_done(t);
}

void take_over_reply(struct take_over *t, const struct http_reply *reply,
		     struct buffer *body_or_null)
{
	http_exchange_reply(t->x_or_null, reply, body_or_null);
	end(t);
}

void take_over_reply_empty(struct take_over *t, struct slice etag)
{
	struct http_reply reply = {.status = 200, .content_type = "application/json"};
	struct buffer body;
	buffer_init(&body, 16);
	buffer_append(&body, SLICE("{}"));
	api_reply_headers(t->api, t->x_or_null, &reply);
	if (slice_is_present(etag))
		http_reply_header(&reply, SLICE("ETag"), etag);
	take_over_reply(t, &reply, &body);
}

void take_over_fail(struct take_over *t, const struct error *err)
{
	struct http_exchange *x = t->x_or_null;
	char quoted[256];
	if (t->has_begun) {
		log_event(LOG_ERROR, "reply_cut", "request_id=%s code=%s message=%s",
			  http_exchange_request(x)->id, error_code_name(err->code),
			  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
		http_exchange_abort(x);
	} else {
		t->x_or_null = NULL;
		api_reply_error(t->api, x, err); /* and releases it */
	}
	end(t);
}

void take_over_stream(struct take_over *t, const struct http_reply *reply)
{
	http_exchange_begin(t->x_or_null, reply);
	t->has_begun = true;
}

void take_over_stream_end(struct take_over *t)
{
	http_exchange_end(t->x_or_null);
	end(t);
}

void take_over_hold(struct take_over *t)
{
	t->in_flight++;
}

bool take_over_unhold(struct take_over *t)
{
	ASSERT(t->in_flight > 0);
	t->in_flight--;
	return close_if_done(t);
}
