/* Owns the world in which live events are tested: its clients, its reads and its time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "unit/api/live_world_helper.h"

#include "base/clock.h"
#include "jobs/job_run.h"
#include "limits.h"

enum { JOBS_MAX = 64, TIMERS_MAX = 8, TEXT_BYTES_MAX = 64 << 20 };

struct loop_timer {
	void (*fired_cb)(void *ctx);
	void *ctx;
	int64_t due_ms; /* -1: stopped */
};

static struct world {
	struct tracker_db *tracker;
	struct api api;
	struct live *live;
	int64_t now_ms;
	struct loop_timer *timers[TIMERS_MAX];
	size_t timer_count;
	struct job *jobs[JOBS_MAX]; /* in order; the first `run_count` ran and are not delivered */
	size_t job_count, run_count;
	bool refuses, fails_next;
	unsigned read_count;
	struct http_exchange *first_peer;
} world;

/* ---- time --------------------------------------------------------------------------------------- */

static int64_t world_monotonic_ns(const struct clock *clock)
{
	(void)clock;
	return world.now_ms * 1000000;
}

static const struct clock world_clock = {.monotonic_ns = world_monotonic_ns};

bool loop_timer_new(struct uv_loop_s *loop, void (*fired_cb)(void *ctx), void *ctx,
		    struct loop_timer **out, struct error *err)
{
	(void)loop;
	(void)err;
	assert_true(world.timer_count < TIMERS_MAX);
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	assert_non_null(timer);
	*timer = (struct loop_timer){fired_cb, ctx, -1};
	world.timers[world.timer_count++] = timer;
	*out = timer;
	return true;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
	assert_true(delay_ms >= 0);
	timer->due_ms = world.now_ms + delay_ms;
}

void loop_timer_stop(struct loop_timer *timer)
{
	timer->due_ms = -1;
}

void loop_timer_close(struct loop_timer *timer_or_null)
{
	for (size_t i = 0; i < world.timer_count; i++) {
		if (world.timers[i] == timer_or_null)
			world.timers[i] = world.timers[--world.timer_count];
	}
	free(timer_or_null);
}

void world_pass_ms(int64_t ms)
{
	int64_t end_ms = world.now_ms + ms;
	for (; world.now_ms <= end_ms; world.now_ms++) {
		for (size_t i = 0; i < world.timer_count; i++) {
			struct loop_timer *timer = world.timers[i];
			if (timer->due_ms < 0 || timer->due_ms > world.now_ms)
				continue;
			timer->due_ms = -1;
			timer->fired_cb(timer->ctx);
		}
		world_settle();
	}
	world.now_ms = end_ms;
}

/* ---- jobs --------------------------------------------------------------------------------------- */

bool jobs_submit(struct jobs *jobs, struct job *job, struct error *err)
{
	(void)jobs;
	if (world.refuses)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "The lane is full.");
	assert_true(world.job_count < JOBS_MAX && job->phase_count == 1);
	world.jobs[world.job_count++] = job;
	return true;
}

static bool fail_phase(struct job *job, struct job_context *context, struct error *err)
{
	(void)job;
	(void)context;
	return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "The disk is tired.");
}

void world_run_reads(void)
{
	static const struct job_phase failing = {LANE_WORKER, fail_phase};
	struct job_context context = {.tracker = world.tracker->db};
	for (; world.run_count < world.job_count; world.run_count++) {
		struct job *job = world.jobs[world.run_count];
		const struct job_phase *phases = job->phases;
		job->phases = world.fails_next ? &failing : phases;
		world.fails_next = false;
		world.read_count++;
		(void)job_run_phase(job, &context); /* job->error says it */
		job->phases = phases;
	}
}

void world_overtake(void)
{
	assert_true(world.run_count > 0);
	struct job *last = world.jobs[world.run_count - 1];
	memmove(world.jobs + 1, world.jobs, (world.run_count - 1) * sizeof(*world.jobs));
	world.jobs[0] = last;
}

static void deliver_reads(void)
{
	while (world.run_count > 0) {
		struct job *job = world.jobs[0];
		world.run_count--;
		world.job_count--;
		memmove(world.jobs, world.jobs + 1, world.job_count * sizeof(*world.jobs));
		job->deliver_on_loop(job);
	}
}

void world_fail_next_read(void)
{
	world.fails_next = true;
}

void world_refuse_jobs(bool refuses)
{
	world.refuses = refuses;
}

unsigned world_read_count(void)
{
	return world.read_count;
}

/* ---- exchanges ---------------------------------------------------------------------------------- */

void http_exchange_context_set(struct http_exchange *x, void *context)
{
	x->context = context;
}

void *http_exchange_context(const struct http_exchange *x)
{
	return x->context;
}

void http_exchange_on_abandoned(struct http_exchange *x, void (*abandoned_cb)(struct http_exchange *x))
{
	x->abandoned_cb = abandoned_cb;
}

void http_exchange_park(struct http_exchange *x)
{
	assert_false(x->is_released);
	x->is_parked = true;
}

static bool begin_reply(struct http_exchange *x, const struct http_reply *reply)
{
	assert_false(x->is_released);
	if (x->is_gone)
		return false;
	assert_int_equal(x->status, 0);
	x->status = reply->status;
	for (unsigned i = 0; i < reply->header_count; i++) {
		if (slice_eq_cstr(reply->headers[i].name, "ETag"))
			(void)snprintf(x->etag, sizeof(x->etag), "%.*s", SLICE_FMT(reply->headers[i].value));
	}
	return true;
}

void http_exchange_reply(struct http_exchange *x, const struct http_reply *reply, struct buffer *body_or_null)
{
	if (begin_reply(x, reply)) {
		x->is_ended = true;
		if (body_or_null != NULL)
			buffer_append(&x->reply, buffer_slice(body_or_null));
	}
	if (body_or_null != NULL)
		buffer_deinit(body_or_null);
}

void http_exchange_begin(struct http_exchange *x, const struct http_reply *reply)
{
	(void)begin_reply(x, reply);
}

void http_exchange_write(struct http_exchange *x, struct buffer *piece, void (*written_cb)(struct http_exchange *x))
{
	assert_true(!x->is_released && (x->is_gone || (x->status == 200 && !x->is_ended && !x->is_writing)));
	x->written_cb = written_cb;
	x->is_writing = true;
	buffer_append(&x->reply, buffer_slice(piece));
	buffer_deinit(piece);
}

void http_exchange_end(struct http_exchange *x)
{
	assert_true(!x->is_released && (x->is_gone || !x->is_writing));
	x->is_ended = true;
}

void http_exchange_abort(struct http_exchange *x)
{
	assert_false(x->is_released);
	x->is_cut = x->is_ended = true;
}

void http_exchange_release(struct http_exchange *x)
{
	assert_true(!x->is_released && (x->is_ended || x->is_gone));
	x->is_released = true;
}

void api_reply_headers(const struct api *api, const struct http_exchange *x, struct http_reply *reply)
{
	(void)api;
	(void)reply;
	assert_false(x->is_released);
}

void api_reply_error(struct api *api, struct http_exchange *x, const struct error *err)
{
	const struct http_reply reply = {.status = error_http_status(err->code)};
	struct buffer body;
	(void)api;
	buffer_init(&body, ERROR_MESSAGE_BYTES_MAX);
	buffer_append_cstr(&body, err->message);
	http_exchange_reply(x, &reply, &body);
	http_exchange_release(x);
}

/* ---- clients ------------------------------------------------------------------------------------ */

static struct http_exchange *peer_new(void)
{
	struct http_exchange *x = calloc(1, sizeof(*x));
	assert_non_null(x);
	buffer_init(&x->reply, TEXT_BYTES_MAX);
	x->next_or_null = world.first_peer;
	world.first_peer = x;
	return x;
}

struct http_exchange *peer_follows(const char *topics, const char *last_id_or_null)
{
	struct http_exchange *x = peer_new();
	struct live_request request = {.has_position = last_id_or_null != NULL};
	struct error err;
	struct arena arena;
	arena_init(&arena, JOB_ARENA_BYTES_MAX);
	assert_true(live_topics_parse(slice_from_cstr(topics), &arena, &request.topics, &err));
	if (last_id_or_null != NULL)
		assert_true(live_position_parse(slice_from_cstr(last_id_or_null), &request.position));
	live_follow_on_loop(world.live, x, &request);
	arena_deinit(&arena);
	return x;
}

struct http_exchange *peer_asks(const char *model, const char *alias, int64_t revision, int64_t wait_ms)
{
	struct http_exchange *x = peer_new();
	const struct alias_request request = {.model = slice_from_cstr(model),
					      .alias = slice_from_cstr(alias),
					      .has_revision = revision >= 0,
					      .revision = revision,
					      .wait_ms = wait_ms};
	live_ask_alias_on_loop(world.live, x, &request);
	return x;
}

void peer_leaves(struct http_exchange *x)
{
	x->is_gone = true;
}

void peer_reads(struct http_exchange *x)
{
	if (!x->is_writing || x->is_gone || x->is_ended)
		return;
	x->is_writing = false;
	x->written_cb(x);
}

const char *peer_text(struct http_exchange *x)
{
	buffer_append_byte(&x->reply, '\0');
	assert_false(x->reply.failed);
	x->reply.len--;
	return x->reply.ptr_or_null;
}

unsigned peer_heard(struct http_exchange *x, const char *text)
{
	unsigned count = 0;
	for (const char *at = peer_text(x); (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

const char *peer_last_id(struct http_exchange *x)
{
	static char id[LIVE_POSITION_TEXT_BYTES];
	const char *last = NULL;
	for (const char *at = peer_text(x); (at = strstr(at, "id: ")) != NULL; at++) {
		if (at == x->reply.ptr_or_null || at[-1] == '\n')
			last = at;
	}
	assert_non_null(last);
	assert_int_equal(sscanf(last, "id: %79s", id), 1);
	return id;
}

/* Lets each hear what is due to it. Did anything happen? */
static bool serve_peers(void)
{
	bool has_moved = false;
	for (struct http_exchange *x = world.first_peer; x != NULL; x = x->next_or_null) {
		if (x->is_gone && !x->is_ended && !x->is_released && x->abandoned_cb != NULL) {
			void (*abandoned_cb)(struct http_exchange *x) = x->abandoned_cb;
			x->abandoned_cb = NULL;
			abandoned_cb(x);
			has_moved = true;
		} else if (x->is_writing && !x->reads_slowly && !x->is_gone && !x->is_ended) {
			peer_reads(x);
			has_moved = true;
		}
	}
	return has_moved;
}

void world_serve_peers(void)
{
	while (serve_peers()) {
	}
}

void world_settle(void)
{
	bool has_moved = true;
	while (has_moved) {
		world_run_reads();
		has_moved = world.run_count > 0;
		deliver_reads();
		has_moved |= serve_peers();
	}
}

/* ---- changes ------------------------------------------------------------------------------------ */

void tell_model(const char *name)
{
	const struct live_note note = {.subject = LIVE_MODEL, .id = slice_from_cstr(name)};
	live_tell_on_loop(world.live, &note);
}

void tell_run(int run, unsigned what)
{
	char id[33];
	(void)snprintf(id, sizeof(id), "%032d", run);
	const struct live_note note = {
		.subject = LIVE_RUN, .id = slice_from_cstr(id), .experiment_id = 3, .what = what};
	live_tell_on_loop(world.live, &note);
}

/* ---- life --------------------------------------------------------------------------------------- */

int world_setup(void **state)
{
	struct error err;
	if (tracker_db_setup(state) != 0)
		return -1;
	world = (struct world){.tracker = *state, .now_ms = 1000000};
	assert_true(live_new(&world.api, NULL, &world_clock, WORLD_CONNECTIONS_MAX, &world.live, &err));
	return 0;
}

int world_teardown(void **state)
{
	live_stop_on_loop(world.live);
	for (struct http_exchange *x = world.first_peer; x != NULL; x = x->next_or_null)
		x->reads_slowly = false;
	world_settle();
	live_free(world.live);
	assert_int_equal(world.timer_count, 0);
	while (world.first_peer != NULL) {
		struct http_exchange *x = world.first_peer;
		assert_true(x->is_released);
		world.first_peer = x->next_or_null;
		buffer_deinit(&x->reply);
		free(x);
	}
	return tracker_db_teardown(state);
}

struct live *world_live(void)
{
	return world.live;
}
