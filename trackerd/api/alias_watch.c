/* Owns the watches of aliases, and who waits in them. */
#include "api/alias_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/live_index.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "jobs/loop_timer.h"
#include "limits.h"
#include "store/alias_state.h"

enum {
	READ_ARENA_BYTES_MAX = 1024 * 1024,
	REPLY_BODY_BYTES_MAX = 1024 * 1024,
	TICK_MS = 50, /* waiting ends up to that late, so that many ends are one look */
	ETAG_BYTES = 24,
};

struct waiter {
	struct waiter *next_or_null; /* of its watch */
	struct waiter *previous_or_null;
	struct alias_watch *watch;
	struct http_exchange *x;
	int64_t revision;     /* that its peer knows; -1: none */
	int64_t deadline_ms;  /* monotonic */
	uint64_t read_number; /* of the first read that may answer it */
};

/* One alias that somebody asks for. */
struct alias_watch {
	struct live_follow model; /* in the index; its text is behind this struct */
	struct slice alias;	  /* likewise */
	struct alias_watches *watches;
	struct alias_watch *next_or_null;
	struct alias_watch *previous_or_null;
	struct waiter *first_or_null;
	struct waiter *last_or_null;
	bool is_reading;
	bool is_to_read_again;
	uint64_t read_number; /* of the read under way, or of the last one */
};

struct alias_read {
	struct job job;
	struct arena arena;
	struct alias_watch *watch;
	struct alias_state state;
};

struct alias_watches {
	struct api *api;
	const struct clock *clock;
	struct loop_timer *timer; /* for the earliest deadline */
	int64_t timer_due_ms;	  /* INT64_MAX: it is not started */
	bool is_stopped;
	unsigned waiter_count;
	struct live_index index;
	struct alias_watch *first_or_null;
};

static struct alias_watch *find_watch(struct alias_watches *watches, struct slice model,
				      struct slice alias);
static struct alias_watch *watch_new(struct alias_watches *watches, struct slice model,
				     struct slice alias);
static void close_if_unused(struct alias_watch *watch);
static struct waiter *waiter_new(struct alias_watch *watch, struct http_exchange *x,
				 const struct alias_request *request);
static struct http_exchange *waiter_close(struct waiter *waiter);
static void park(struct waiter *waiter);
static bool is_parked(const struct waiter *waiter);
static void abandoned_on_loop(struct http_exchange *x);
static void begin_read(struct alias_watch *watch);
static void read_on_loop(struct job *job);
static void answer_all(const struct alias_read *read);
static void answer(struct waiter *waiter, const struct alias_state *state, int64_t now);
static void set_missing(const struct alias_watch *watch, const struct alias_state *state,
			struct error *err);
static void reply_state(struct waiter *waiter, const struct alias_state *state);
static void reply_unchanged(struct waiter *waiter);
static void fail(struct waiter *waiter, const struct error *err);
static void start_timer(struct alias_watches *watches, int64_t due_ms);
static void timer_fired_on_loop(void *ctx);
static int64_t now_ms(const struct alias_watches *watches);

/* ---- life --------------------------------------------------------------------------------------- */

bool alias_watches_new(struct api *api, struct uv_loop_s *loop, const struct clock *clock,
		       struct alias_watches **out, struct error *err)
{
	struct alias_watches *watches = calloc(1, sizeof(*watches));
	if (watches == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	if (!loop_timer_new(loop, timer_fired_on_loop, watches, &watches->timer, err)) {
		free(watches);
		return false;
	}
	watches->api = api;
	watches->clock = clock;
	watches->timer_due_ms = INT64_MAX;
	*out = watches;
	return true;
}

void alias_watches_stop_on_loop(struct alias_watches *watches_or_null)
{
	if (watches_or_null == NULL || watches_or_null->is_stopped)
		return;
	struct error err;
	(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE, "The server is stopping; try again.");
	watches_or_null->is_stopped = true;
	loop_timer_close(watches_or_null->timer);
	for (struct alias_watch *w = watches_or_null->first_or_null; w != NULL;) {
		struct alias_watch *next = w->next_or_null;
		while (w->first_or_null != NULL) {
			if (is_parked(w->first_or_null))
				reply_unchanged(w->first_or_null);
			else
				fail(w->first_or_null, &err);
		}
		close_if_unused(w);
		w = next;
	}
}

void alias_watches_free(struct alias_watches *watches_or_null)
{
	if (watches_or_null == NULL)
		return;
	ASSERT(watches_or_null->is_stopped && watches_or_null->first_or_null == NULL);
	free(watches_or_null);
}

unsigned alias_watches_count(const struct alias_watches *watches)
{
	return watches->waiter_count;
}

void alias_watches_wake_on_loop(struct alias_watches *watches, struct slice model)
{
	struct live_follow *f = live_index_first(&watches->index, LIVE_MODEL, model);
	for (; f != NULL; f = live_index_next(f))
		begin_read(f->owner);
}

void alias_watches_ask_on_loop(struct alias_watches *watches, struct http_exchange *x,
			       const struct alias_request *request)
{
	struct error err;
	struct alias_watch *watch = find_watch(watches, request->model, request->alias);
	if (watch == NULL)
		watch = watch_new(watches, request->model, request->alias);
	struct waiter *waiter = watch == NULL ? NULL : waiter_new(watch, x, request);
	if (waiter == NULL) {
		if (watch != NULL)
			close_if_unused(watch);
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(watches->api, x, &err);
		return;
	}
	begin_read(watch);
}

/* ---- watches and waiters ---------------------------------------------------------------------------- */

static struct alias_watch *find_watch(struct alias_watches *watches, struct slice model,
				      struct slice alias)
{
	struct live_follow *f = live_index_first(&watches->index, LIVE_MODEL, model);
	while (f != NULL && !slice_eq(((struct alias_watch *)f->owner)->alias, alias))
		f = live_index_next(f);
	return f == NULL ? NULL : f->owner;
}

static struct alias_watch *watch_new(struct alias_watches *watches, struct slice model,
				     struct slice alias)
{
	struct alias_watch *watch = calloc(1, sizeof(*watch) + model.len + alias.len);
	if (watch == NULL)
		return NULL;
	char *text = (char *)(watch + 1);
	memcpy(text, model.ptr, model.len);
	memcpy(text + model.len, alias.ptr, alias.len);
	watch->alias = slice_make(text + model.len, alias.len);
	watch->model.owner = watch;
	watch->model.topic = (struct live_topic){LIVE_MODEL, slice_make(text, model.len)};
	live_index_add(&watches->index, &watch->model);
	watch->watches = watches;
	watch->next_or_null = watches->first_or_null;
	if (watch->next_or_null != NULL)
		watch->next_or_null->previous_or_null = watch;
	watches->first_or_null = watch;
	return watch;
}

static void close_if_unused(struct alias_watch *watch)
{
	if (watch->first_or_null != NULL || watch->is_reading)
		return;
	live_index_remove(&watch->model);
	if (watch->previous_or_null != NULL)
		watch->previous_or_null->next_or_null = watch->next_or_null;
	else
		watch->watches->first_or_null = watch->next_or_null;
	if (watch->next_or_null != NULL)
		watch->next_or_null->previous_or_null = watch->previous_or_null;
	free(watch);
}

static struct waiter *waiter_new(struct alias_watch *watch, struct http_exchange *x,
				 const struct alias_request *request)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	if (waiter == NULL)
		return NULL;
	waiter->watch = watch;
	waiter->x = x;
	waiter->revision = request->has_revision ? request->revision : -1;
	waiter->deadline_ms = now_ms(watch->watches) + request->wait_ms;
	waiter->read_number = watch->read_number + 1;
	waiter->previous_or_null = watch->last_or_null;
	if (watch->last_or_null != NULL)
		watch->last_or_null->next_or_null = waiter;
	else
		watch->first_or_null = waiter;
	watch->last_or_null = waiter;
	watch->watches->waiter_count++;
	http_exchange_context_set(x, waiter);
	http_exchange_on_abandoned(x, abandoned_on_loop);
	return waiter;
}

/* Gives the exchange back. The watch stays. */
static struct http_exchange *waiter_close(struct waiter *waiter)
{
	struct alias_watch *watch = waiter->watch;
	struct http_exchange *x = waiter->x;
	if (waiter->previous_or_null != NULL)
		waiter->previous_or_null->next_or_null = waiter->next_or_null;
	else
		watch->first_or_null = waiter->next_or_null;
	if (waiter->next_or_null != NULL)
		waiter->next_or_null->previous_or_null = waiter->previous_or_null;
	else
		watch->last_or_null = waiter->previous_or_null;
	watch->watches->waiter_count--;
	free(waiter);
	return x;
}

static void park(struct waiter *waiter)
{
	http_exchange_park(waiter->x);
	start_timer(waiter->watch->watches, waiter->deadline_ms);
}

/* Was it answered by a read, that its revision is the one that is there? */
static bool is_parked(const struct waiter *waiter)
{
	const struct alias_watch *watch = waiter->watch;
	uint64_t last_done = watch->is_reading ? watch->read_number - 1 : watch->read_number;
	return waiter->read_number <= last_done;
}

static void abandoned_on_loop(struct http_exchange *x)
{
	struct waiter *waiter = http_exchange_context(x);
	struct alias_watch *watch = waiter->watch;
	http_exchange_release(waiter_close(waiter));
	close_if_unused(watch);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool read_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct alias_read *read = CONTAINER_OF(job, struct alias_read, job);
	return alias_state_load(context->tracker, read->watch->model.topic.id, read->watch->alias,
				&read->arena, &read->state, err);
}
static const struct job_phase phases[] = {{LANE_WORKER, read_phase}};

static struct alias_read *alias_read_new(struct alias_watch *watch)
{
	struct alias_read *read = calloc(1, sizeof(*read));
	if (read == NULL)
		return NULL;
	arena_init(&read->arena, READ_ARENA_BYTES_MAX);
	read->watch = watch;
	read->job.arena = &read->arena;
	read->job.phases = phases;
	read->job.phase_count = ARRAY_COUNT(phases);
	read->job.weight_bytes = sizeof(*read);
	read->job.deliver_on_loop = read_on_loop;
	return read;
}

static void alias_read_free(struct alias_read *read_or_null)
{
	if (read_or_null == NULL)
		return;
	arena_deinit(&read_or_null->arena);
	free(read_or_null);
}

/* One at a time. What cannot be begun now, for want of memory or room in the queue, is tried again soon. */
static void begin_read(struct alias_watch *watch)
{
	struct alias_watches *watches = watch->watches;
	struct error ignored;
	watch->is_to_read_again = true;
	if (watch->is_reading)
		return;
	struct alias_read *read = alias_read_new(watch);
	if (read != NULL && jobs_submit(watches->api->jobs, &read->job, &ignored)) {
		watch->is_reading = true;
		watch->is_to_read_again = false;
		watch->read_number++;
		return;
	}
	alias_read_free(read);
	start_timer(watches, now_ms(watches));
}

static void read_on_loop(struct job *job)
{
	struct alias_read *read = CONTAINER_OF(job, struct alias_read, job);
	struct alias_watch *watch = read->watch;
	/* Still reading: an answer may let a next request in, which must wait for a next read. */
	answer_all(read);
	watch->is_reading = false;
	alias_read_free(read);
	if (watch->is_to_read_again && watch->first_or_null != NULL)
		begin_read(watch);
	else
		close_if_unused(watch);
}

/* ---- answers ---------------------------------------------------------------------------------------- */

static void answer_all(const struct alias_read *read)
{
	int64_t now = now_ms(read->watch->watches);
	for (struct waiter *waiter = read->watch->first_or_null; waiter != NULL;) {
		struct waiter *next = waiter->next_or_null;
		bool began_later = waiter->read_number <= read->watch->read_number;
		if (began_later && read->job.error.code != ERR_NONE)
			fail(waiter, &read->job.error);
		else if (began_later)
			answer(waiter, &read->state, now);
		waiter = next;
	}
}

static void answer(struct waiter *waiter, const struct alias_state *state, int64_t now)
{
	struct error err;
	const struct alias_watch *watch = waiter->watch;
	if (waiter->revision == state->revision) {
		if (waiter->deadline_ms <= now)
			reply_unchanged(waiter);
		else
			park(waiter);
		return;
	}
	if (state->version != 0) {
		reply_state(waiter, state);
		return;
	}
	set_missing(watch, state, &err);
	fail(waiter, &err);
}

/* Who asked with revision=0 waits for it to come. */
static void set_missing(const struct alias_watch *watch, const struct alias_state *state,
			struct error *err)
{
	char alias[128], name[128], name_now[128];
	struct slice model = watch->model.topic.id;
	error_quote(model, name, sizeof(name));
	if (!slice_is_present(state->model_or_absent))
		(void)error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "There is no model '%s'.", name);
	else if (slice_eq(state->model_or_absent, model))
		(void)error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Model '%s' has no alias '%s'.",
				name, error_quote(watch->alias, alias, sizeof(alias)));
	else
		(void)error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Model '%s' was renamed to '%s'.",
				name,
				error_quote(state->model_or_absent, name_now, sizeof(name_now)));
}

static void set_headers(const struct waiter *waiter, int64_t revision, char etag[ETAG_BYTES],
			struct http_reply *reply)
{
	/* Fits: 20 characters in quotes. */
	(void)snprintf(etag, ETAG_BYTES, "\"%" PRId64 "\"", revision);
	api_reply_headers(waiter->watch->watches->api, waiter->x, reply);
	http_reply_header(reply, SLICE("ETag"), slice_from_cstr(etag));
	http_reply_header(reply, SLICE("Cache-Control"), SLICE("no-cache"));
}

static void write_number(struct json_writer *w, const char *key, int64_t number)
{
	char text[24];
	/* Fits: 20 characters. */
	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	json_put_cstr(w, key, text);
}

static void reply_state(struct waiter *waiter, const struct alias_state *state)
{
	struct http_reply reply = {.status = 200, .content_type = "application/json"};
	char etag[ETAG_BYTES];
	struct buffer body;
	struct json_writer w;
	set_headers(waiter, state->revision, etag, &reply);
	buffer_init(&body, REPLY_BODY_BYTES_MAX);
	json_writer_init(&w, &body);
	json_object_begin(&w);
	json_put_string(&w, "model", waiter->watch->model.topic.id);
	json_put_string(&w, "alias", waiter->watch->alias);
	write_number(&w, "version", state->version);
	write_number(&w, "revision", state->revision);
	json_put_int(&w, "since_ms", state->since_ms);
	json_put_string(&w, "actor", state->actor);
	json_put_string(&w, "run_id", slice_or_empty(state->run_id));
	json_put_string(&w, "source", slice_or_empty(state->source));
	json_object_end(&w);
	struct http_exchange *x = waiter_close(waiter);
	http_exchange_reply(x, &reply, &body);
	http_exchange_release(x);
}

static void reply_unchanged(struct waiter *waiter)
{
	struct http_reply reply = {.status = 304};
	char etag[ETAG_BYTES];
	set_headers(waiter, waiter->revision, etag, &reply);
	struct http_exchange *x = waiter_close(waiter);
	http_exchange_reply(x, &reply, NULL);
	http_exchange_release(x);
}

static void fail(struct waiter *waiter, const struct error *err)
{
	struct api *api = waiter->watch->watches->api;
	api_reply_error(api, waiter_close(waiter), err); /* and releases it */
}

/* ---- time ------------------------------------------------------------------------------------------- */

static void start_timer(struct alias_watches *watches, int64_t due_ms)
{
	if (due_ms >= watches->timer_due_ms || watches->is_stopped)
		return;
	int64_t delay_ms = due_ms - now_ms(watches);
	watches->timer_due_ms = due_ms;
	loop_timer_start(watches->timer, (delay_ms > 0 ? delay_ms : 0) + TICK_MS);
}

static void timer_fired_on_loop(void *ctx)
{
	struct alias_watches *watches = ctx;
	int64_t now = now_ms(watches), due_ms = INT64_MAX;
	watches->timer_due_ms = INT64_MAX;
	for (struct alias_watch *w = watches->first_or_null; w != NULL;) {
		struct alias_watch *next_watch = w->next_or_null;
		for (struct waiter *waiter = w->first_or_null; waiter != NULL;) {
			struct waiter *next = waiter->next_or_null;
			if (is_parked(waiter) && waiter->deadline_ms <= now)
				reply_unchanged(waiter);
			else if (is_parked(waiter) && waiter->deadline_ms < due_ms)
				due_ms = waiter->deadline_ms;
			waiter = next;
		}
		if (w->is_to_read_again && !w->is_reading && w->first_or_null != NULL)
			begin_read(w);
		close_if_unused(w);
		w = next_watch;
	}
	if (due_ms != INT64_MAX)
		start_timer(watches, due_ms);
}

static int64_t now_ms(const struct alias_watches *watches)
{
	return clock_monotonic_ms(watches->clock);
}
