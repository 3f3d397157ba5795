/* Owns live events: what is gathered, who follows it, and when it is told. */
#include "api/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/live_internal.h"
#include "api/live_json.h"
#include "api/live_source.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random_id.h"
#include "limits.h"

enum { CHANGE_BYTES_MAX = 4096, RETRY_MS = 1000 };

static bool open_timers(struct live *live, struct uv_loop_s *loop, struct error *err);
static void close_timers(struct live *live);
static unsigned followers_max(unsigned connections_max);
static bool check_running(const struct live *live, struct error *err);
static bool check_room(const struct live *live, struct error *err);
static void tell_change(struct live *live, const struct live_note *note);
static bool is_recording(struct live *live);
static void link_last(struct live *live, struct live_stream *stream);
static void unlink_stream(struct live *live, struct live_stream *stream);
static void gathered_on_loop(void *ctx);
static void publish_change(struct live *live, int64_t seq, struct buffer *data);
static void tell_followers(struct live *live, const struct live_topic *topic,
			   enum live_source source, int64_t seq, const char *name,
			   struct slice data);
static void read_news(struct live *live);
static void retry_later(struct live *live, const struct error *err);
static void retry_on_loop(void *ctx);
static void read_on_loop(struct live_read *read);
static void publish_event(struct live *live, const struct live_event *event);
static void ping_on_loop(void *ctx);
static int64_t now_ms(const struct live *live);

/* ---- life --------------------------------------------------------------------------------------- */

bool live_new(struct api *api, struct uv_loop_s *loop, const struct clock *clock,
	      unsigned connections_max, struct live **out, struct error *err)
{
	struct live *live = calloc(1, sizeof(*live));
	if (live == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	live->api = api;
	live->clock = clock;
	live->followers_max = followers_max(connections_max);
	random_bytes(&live->ring_id, sizeof(live->ring_id));
	live_read_init(&live->read);
	live->read.owner = live;
	live->read.done_on_loop = read_on_loop;
	if (!live_ring_init(&live->ring))
		(void)error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	else if (open_timers(live, loop, err) &&
		 alias_watches_new(api, loop, clock, &live->aliases, err)) {
		*out = live;
		return true;
	}
	close_timers(live);
	live->is_stopped = true;
	live_free(live);
	return false;
}

void live_stop_on_loop(struct live *live_or_null)
{
	if (live_or_null == NULL || live_or_null->is_stopped)
		return;
	live_or_null->is_stopped = true;
	close_timers(live_or_null);
	alias_watches_stop_on_loop(live_or_null->aliases);
	for (struct live_stream *s = live_or_null->first_or_null; s != NULL;) {
		struct live_stream *next = s->next_or_null;
		live_stream_end(s);
		s = next;
	}
}

void live_free(struct live *live_or_null)
{
	if (live_or_null == NULL)
		return;
	ASSERT(live_or_null->is_stopped && live_or_null->stream_count == 0 &&
	       !live_or_null->is_reading);
	alias_watches_free(live_or_null->aliases);
	live_read_deinit(&live_or_null->read);
	live_ring_deinit(&live_or_null->ring);
	free(live_or_null);
}

static bool open_timers(struct live *live, struct uv_loop_s *loop, struct error *err)
{
	return loop_timer_new(loop, gathered_on_loop, live, &live->gather_timer, err) &&
	       loop_timer_new(loop, ping_on_loop, live, &live->ping_timer, err) &&
	       loop_timer_new(loop, retry_on_loop, live, &live->retry_timer, err);
}

static void close_timers(struct live *live)
{
	loop_timer_close(live->gather_timer);
	loop_timer_close(live->ping_timer);
	loop_timer_close(live->retry_timer);
}

void live_counts(const struct live *live, unsigned *streams_out, unsigned *waiters_out)
{
	*streams_out = live->stream_count;
	*waiters_out = alias_watches_count(live->aliases);
}

void live_follow_on_loop(struct live *live, struct http_exchange *x,
			 const struct live_request *request)
{
	struct error err;
	if (check_running(live, &err) && check_room(live, &err))
		live_stream_open(live, x, &request->topics,
				 request->has_position ? &request->position : NULL);
	else
		api_reply_error(live->api, x, &err);
}

void live_ask_alias_on_loop(struct live *live, struct http_exchange *x,
			    const struct alias_request *request)
{
	struct error err;
	if (check_running(live, &err) && (request->wait_ms == 0 || check_room(live, &err)))
		alias_watches_ask_on_loop(live->aliases, x, request);
	else
		api_reply_error(live->api, x, &err);
}

static unsigned followers_max(unsigned connections_max)
{
	uint64_t share = (uint64_t)connections_max * LIVE_CONNECTIONS_PERCENT / 100;
	return share < LIVE_FOLLOWERS_MAX ? (unsigned)share : LIVE_FOLLOWERS_MAX;
}

static bool check_running(const struct live *live, struct error *err)
{
	return !live->is_stopped ||
	       error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "The server is stopping; try again.");
}

/* For one more who stays. */
static bool check_room(const struct live *live, struct error *err)
{
	return live->stream_count + alias_watches_count(live->aliases) < live->followers_max ||
	       error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
			 "%u follow live events or wait for an alias, as many as this server takes "
			 "(--connections-max leaves the rest to other requests); try again later.",
			 live->followers_max);
}

/* ---- streams -------------------------------------------------------------------------------------- */

void live_stream_joined(struct live *live, struct live_stream *stream)
{
	if (!live->is_recording) {
		live->is_recording = true;
		live->told[LIVE_FROM_RING] = (int64_t)live->ring.published_seq;
	}
	for (uint32_t i = 0; i < stream->follow_count; i++)
		live_index_add(&live->index, &stream->follows[i]);
	stream->ping_due_ms = now_ms(live) + LIVE_PING_MS;
	live->stream_count++;
	link_last(live, stream);
	if (live->first_or_null == stream)
		loop_timer_start(live->ping_timer, LIVE_PING_MS);
}

void live_stream_left(struct live *live, struct live_stream *stream)
{
	for (uint32_t i = 0; i < stream->follow_count; i++)
		live_index_remove(&stream->follows[i]);
	unlink_stream(live, stream);
	if (--live->stream_count == 0)
		live->left_ms = now_ms(live);
}

bool live_stream_in_step(struct live *live, enum live_source source, int64_t seq)
{
	if (live->in_step_count[source] > 0 && seq < live->told[source])
		return false;
	if (live->in_step_count[source]++ > 0 || source == LIVE_FROM_RING)
		return true;
	/* The first one: what came since its read began was told to nobody. */
	live->told[source] = seq;
	read_news(live);
	return true;
}

void live_stream_out_of_step(struct live *live, enum live_source source)
{
	ASSERT(live->in_step_count[source] > 0);
	live->in_step_count[source]--;
}

static void link_last(struct live *live, struct live_stream *stream)
{
	stream->previous_or_null = live->last_or_null;
	stream->next_or_null = NULL;
	if (live->last_or_null != NULL)
		live->last_or_null->next_or_null = stream;
	else
		live->first_or_null = stream;
	live->last_or_null = stream;
}

static void unlink_stream(struct live *live, struct live_stream *stream)
{
	if (stream->previous_or_null != NULL)
		stream->previous_or_null->next_or_null = stream->next_or_null;
	else
		live->first_or_null = stream->next_or_null;
	if (stream->next_or_null != NULL)
		stream->next_or_null->previous_or_null = stream->previous_or_null;
	else
		live->last_or_null = stream->previous_or_null;
}

/* The one that waits longest is first. */
static void ping_on_loop(void *ctx)
{
	struct live *live = ctx;
	int64_t now = now_ms(live);
	struct live_stream *stream;
	while ((stream = live->first_or_null) != NULL && stream->ping_due_ms <= now) {
		unlink_stream(live, stream);
		stream->ping_due_ms = now + LIVE_PING_MS;
		link_last(live, stream);
		live_stream_ping(stream);
	}
	if (stream != NULL)
		loop_timer_start(live->ping_timer, stream->ping_due_ms - now);
}

/* ---- changes of runs and experiments ---------------------------------------------------------------- */

void live_tell_all_on_loop(struct live *live, const struct live_notes *notes)
{
	const struct live_note *last = notes->last_or_null;
	for (const struct live_note *note = last == NULL ? NULL : &notes->first; note != NULL;
	     note = note == last ? NULL : note->next_or_null)
		live_tell_on_loop(live, note);
}

void live_tell_on_loop(struct live *live, const struct live_note *note)
{
	switch (note->subject) {
	case LIVE_RUN:
	case LIVE_EXPERIMENT:
		if (is_recording(live))
			tell_change(live, note);
		break;
	case LIVE_MODEL:
		alias_watches_wake_on_loop(live->aliases, note->id);
		if (live->in_step_count[LIVE_FROM_MODELS] > 0)
			read_news(live);
		break;
	case LIVE_DEPLOYMENT:
		if (live->in_step_count[LIVE_FROM_DEPLOYMENTS] > 0)
			read_news(live);
		break;
	}
}

/* Changes are kept for a while after the last stream left: it may only have lost its connection. */
static bool is_recording(struct live *live)
{
	if (!live->is_recording || live->is_stopped)
		return false;
	if (live->stream_count > 0 || now_ms(live) - live->left_ms < LIVE_KEPT_MS)
		return true;
	live->is_recording = false;
	live_ring_forget(&live->ring);
	return false;
}

static void tell_change(struct live *live, const struct live_note *note)
{
	bool was_empty = live->ring.pending_count == 0;
	if (live_ring_note(&live->ring, note))
		gathered_on_loop(live);
	else if (was_empty)
		loop_timer_start(live->gather_timer, LIVE_GATHER_MS);
}

static void gathered_on_loop(void *ctx)
{
	struct live *live = ctx;
	int64_t *told = &live->told[LIVE_FROM_RING];
	struct buffer data;
	live_ring_publish(&live->ring);
	if (!live_ring_reaches(&live->ring, (uint64_t)*told)) {
		*told = (int64_t)live->ring.published_seq;
		for (struct live_stream *s = live->first_or_null; s != NULL; s = s->next_or_null)
			live_stream_lose(s, LIVE_FROM_RING);
	}
	buffer_init(&data, CHANGE_BYTES_MAX);
	while (*told < (int64_t)live->ring.published_seq)
		publish_change(live, ++*told, &data);
	buffer_deinit(&data);
}

static void publish_change(struct live *live, int64_t seq, struct buffer *data)
{
	const struct live_change *change = live_ring_at(&live->ring, (uint64_t)seq);
	enum live_subject subject = (enum live_subject)change->subject;
	char experiment_id[24];
	/* Fits: 20 characters. */
	(void)snprintf(experiment_id, sizeof(experiment_id), "%" PRId64, change->experiment_id);
	const struct live_topic topics[] = {
		{LIVE_EXPERIMENT, slice_from_cstr(experiment_id)},
		{LIVE_EXPERIMENT, SLICE("*")},
		{LIVE_RUN, live_change_run_id(change)},
		{LIVE_RUN, SLICE("*")},
	};
	size_t topic_count = subject == LIVE_RUN ? ARRAY_COUNT(topics) : 2;
	buffer_reset(data);
	live_json_change(data, change);
	for (size_t i = 0; i < topic_count; i++)
		tell_followers(live, &topics[i], LIVE_FROM_RING, seq, live_subject_name(subject),
			       buffer_slice(data));
}

static void tell_followers(struct live *live, const struct live_topic *topic,
			   enum live_source source, int64_t seq, const char *name,
			   struct slice data)
{
	for (struct live_follow *f = live_index_first(&live->index, topic->subject, topic->id);
	     f != NULL; f = live_index_next(f))
		live_stream_tell(f->owner, source, seq, name, data);
}

/* ---- events of models and deployments --------------------------------------------------------------- */

/* Of one read at a time; what comes meanwhile is found by the next. */
static void read_news(struct live *live)
{
	struct live_read *read = &live->read;
	struct error err;
	if (live->is_reading || live->is_stopped) {
		live->is_to_read_again = true;
		return;
	}
	live->is_to_read_again = false;
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		read->is_wanted[i] = live->in_step_count[i] > 0;
		read->after[i] = live->told[i];
	}
	live->is_reading = live_read_begin(read, live->api->jobs, &err);
	if (live->is_reading)
		return;
	retry_later(live, &err);
}

static void retry_later(struct live *live, const struct error *err)
{
	char quoted[256];
	log_event(LOG_WARN, "live_events_late", "retry_ms=%d message=%s", RETRY_MS,
		  log_quote(slice_from_cstr(err->message), quoted, sizeof(quoted)));
	loop_timer_start(live->retry_timer, RETRY_MS);
}

static void retry_on_loop(void *ctx)
{
	read_news(ctx);
}

static void read_on_loop(struct live_read *read)
{
	struct live *live = read->owner;
	live->is_reading = false;
	if (live->is_stopped)
		return;
	if (read->job.error.code != ERR_NONE) {
		retry_later(live, &read->job.error);
		return;
	}
	/* Meanwhile all may have left and others come, who were told less: theirs is another read. */
	for (size_t i = 0; i < read->count; i++) {
		if (read->after[read->events[i].source] <= live->told[read->events[i].source])
			publish_event(live, &read->events[i]);
	}
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		if (!read->is_wanted[i])
			continue;
		if (read->after[i] <= live->told[i] && read->reached[i] > live->told[i])
			live->told[i] = read->reached[i];
		live->is_to_read_again |= !read->is_end[i] || read->after[i] > live->told[i];
	}
	if (live->is_to_read_again)
		read_news(live);
}

static void publish_event(struct live *live, const struct live_event *event)
{
	enum live_subject subject = live_source_subject(event->source);
	const struct live_topic topics[] = {
		{subject, event->id},
		{subject, SLICE("*")},
		{subject, event->former_or_absent},
	};
	if (event->seq <= live->told[event->source])
		return;
	live->told[event->source] = event->seq;
	for (size_t i = 0; i < ARRAY_COUNT(topics); i++) {
		if (slice_is_present(topics[i].id))
			tell_followers(live, &topics[i], event->source, event->seq,
				       live_subject_name(subject), event->data);
	}
}

static int64_t now_ms(const struct live *live)
{
	return clock_monotonic_ms(live->clock);
}
