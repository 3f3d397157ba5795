/* Owns one follower: what it was told, what waits to be written to it, and how it catches up. */
#include <stdlib.h>

#include "api/live_internal.h"
#include "api/live_json.h"
#include "api/live_source.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "limits.h"

enum { RETRY_MS = 1000, CHANGE_BYTES_MAX = 4096 };

#define BIT(source) ((uint8_t)(1u << (source)))
static const uint8_t kept_sources = BIT(LIVE_FROM_MODELS) | BIT(LIVE_FROM_DEPLOYMENTS);

static struct live_stream *stream_new(struct live *live, const struct live_topic_list *topics);
static uint8_t source_of(enum live_subject subject);
static void start_at(struct live_stream *stream, const struct live_position *from_or_null);
static bool joins_others(struct live_stream *stream);
static void begin_reply(struct live_stream *stream);
static void catch_up(struct live_stream *stream);
static void catch_up_with_ring(struct live_stream *stream);
static bool wants_change(const struct live_stream *stream, const struct live_change *change);
static void begin_read(struct live_stream *stream);
static void read_on_loop(struct live_read *read);
static void take_start(struct live_stream *stream, const struct live_read *read);
static void take_read(struct live_stream *stream, const struct live_read *read);
static void step_in(struct live_stream *stream, enum live_source source, int64_t seq);
static void fall_behind(struct live_stream *stream, enum live_source source, int64_t seq);
static void append_event(struct live_stream *stream, const char *name, struct slice data);
static void append_id(struct live_stream *stream);
static void append_resets(struct live_stream *stream);
static void flush(struct live_stream *stream);
static void written_on_loop(struct http_exchange *x);
static void abandoned_on_loop(struct http_exchange *x);
static void fail(struct live_stream *stream, const struct error *err);
static void close_stream(struct live_stream *stream);

/* ---- life --------------------------------------------------------------------------------------- */

void live_stream_open(struct live *live, struct http_exchange *x,
		      const struct live_topic_list *topics,
		      const struct live_position *from_or_null)
{
	struct live_stream *stream = stream_new(live, topics);
	struct error err;
	if (stream == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(live->api, x, &err);
		return;
	}
	stream->x_or_null = x;
	http_exchange_context_set(x, stream);
	http_exchange_on_abandoned(x, abandoned_on_loop);
	live_stream_joined(live, stream);
	start_at(stream, from_or_null);
	if (!joins_others(stream)) {
		begin_read(stream);
		return;
	}
	begin_reply(stream);
	catch_up(stream);
}

void live_stream_end(struct live_stream *stream)
{
	struct error err;
	if (stream->is_writing) {
		stream->is_ending = true;
	} else if (stream->is_begun) {
		http_exchange_end(stream->x_or_null);
		close_stream(stream);
	} else {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is stopping; try again.");
		fail(stream, &err);
	}
}

static struct live_stream *stream_new(struct live *live, const struct live_topic_list *topics)
{
	size_t texts_bytes = 0;
	for (size_t i = 0; i < topics->count; i++)
		texts_bytes += topics->items[i].id.len;
	struct live_stream *stream = calloc(
		1, sizeof(*stream) + topics->count * sizeof(stream->follows[0]) + texts_bytes);
	if (stream == NULL)
		return NULL;
	stream->live = live;
	stream->follow_count = (uint32_t)topics->count;
	buffer_init(&stream->backlog, REPLY_BYTES_MAX);
	char *text = (char *)&stream->follows[topics->count];
	for (size_t i = 0; i < topics->count; i++) {
		struct live_topic topic = topics->items[i];
		memcpy(text, topic.id.ptr, topic.id.len);
		stream->follows[i].owner = stream;
		stream->follows[i].topic.subject = topic.subject;
		stream->follows[i].topic.id = slice_make(text, topic.id.len);
		stream->wanted |= source_of(topic.subject);
		text += topic.id.len;
	}
	return stream;
}

static uint8_t source_of(enum live_subject subject)
{
	switch (subject) {
	case LIVE_RUN:
	case LIVE_EXPERIMENT:
		return BIT(LIVE_FROM_RING);
	case LIVE_MODEL:
		return BIT(LIVE_FROM_MODELS);
	case LIVE_DEPLOYMENT:
		return BIT(LIVE_FROM_DEPLOYMENTS);
	}
	UNREACHABLE("unknown subject");
}

/* What the peer's position does not say was lost; without one it begins with now. */
static void start_at(struct live_stream *stream, const struct live_position *from_or_null)
{
	struct live *live = stream->live;
	for (int i = 0; i < LIVE_SOURCES; i++)
		stream->seq[i] = from_or_null != NULL ? from_or_null->seq[i] : LIVE_SEQ_UNKNOWN;
	bool has_ring = from_or_null != NULL && from_or_null->ring_id == live->ring_id &&
			stream->seq[LIVE_FROM_RING] >= 0 &&
			live_ring_reaches(&live->ring, (uint64_t)stream->seq[LIVE_FROM_RING]);
	if (!has_ring)
		stream->seq[LIVE_FROM_RING] = live->told[LIVE_FROM_RING];
	if (from_or_null != NULL) {
		stream->lost = has_ring ? 0 : BIT(LIVE_FROM_RING);
		for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
			if (stream->seq[i] < 0)
				stream->lost |= BIT(i);
		}
		stream->lost &= stream->wanted;
	}
	stream->behind = stream->wanted;
}

/* Who begins now, or was told as much as the streams in step, needs no read. All sources or none: what is told before
 * the reply has begun is lost. */
static bool joins_others(struct live_stream *stream)
{
	const struct live *live = stream->live;
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		bool is_level = stream->seq[i] < 0 || stream->seq[i] == live->told[i];
		if ((stream->wanted & BIT(i)) != 0 && (live->in_step_count[i] == 0 || !is_level))
			return false;
	}
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		if ((stream->wanted & BIT(i)) != 0)
			step_in(stream, (enum live_source)i, live->told[i]);
	}
	return true;
}

static void begin_reply(struct live_stream *stream)
{
	struct http_exchange *x = stream->x_or_null;
	struct http_reply reply = {
		.status = 200, .content_type = "text/event-stream", .content_length = -1};
	api_reply_headers(stream->live->api, x, &reply);
	http_reply_header(&reply, SLICE("Cache-Control"), SLICE("no-cache"));
	http_reply_header(&reply, SLICE("X-Accel-Buffering"), SLICE("no")); /* proxies */
	http_exchange_begin(x, &reply);
	http_exchange_park(x);
	stream->is_begun = true;
	/* Known before the first event, so that a connection that is lost early misses nothing. A peer that is to
	 * read again has it from the reset that tells so: not earlier, or it might never hear of that. */
	buffer_printf(&stream->backlog, "retry: %d\n", RETRY_MS);
	if (stream->lost == 0)
		append_id(stream);
	buffer_append_byte(&stream->backlog, '\n');
}

static void fail(struct live_stream *stream, const struct error *err)
{
	struct http_exchange *x = stream->x_or_null;
	if (stream->is_begun) {
		http_exchange_abort(x);
	} else {
		stream->x_or_null = NULL;
		api_reply_error(stream->live->api, x, err); /* and releases it */
	}
	close_stream(stream);
}

static void abandoned_on_loop(struct http_exchange *x)
{
	close_stream(http_exchange_context(x));
}

static void close_stream(struct live_stream *stream)
{
	if (stream->x_or_null != NULL)
		http_exchange_release(stream->x_or_null);
	stream->x_or_null = NULL;
	for (int i = 0; i < LIVE_SOURCES; i++) {
		if ((stream->wanted & ~stream->behind & BIT(i)) != 0)
			live_stream_out_of_step(stream->live, (enum live_source)i);
	}
	stream->behind = stream->wanted;
	live_stream_left(stream->live, stream);
	buffer_deinit(&stream->backlog);
	if (stream->read_or_null == NULL)
		free(stream);
}

/* ---- being told ----------------------------------------------------------------------------------- */

void live_stream_tell(struct live_stream *stream, enum live_source source, int64_t seq,
		      const char *name, struct slice data)
{
	if (!stream->is_begun || (stream->behind & BIT(source)) != 0 || stream->seq[source] >= seq)
		return;
	if (stream->backlog.len >= LIVE_BACKLOG_BYTES_MAX) {
		fall_behind(stream, source, seq - 1);
		return;
	}
	stream->seq[source] = seq;
	append_event(stream, name, data);
	flush(stream);
}

void live_stream_lose(struct live_stream *stream, enum live_source source)
{
	if ((stream->wanted & ~stream->behind & BIT(source)) == 0)
		return;
	stream->lost |= BIT(source);
	append_resets(stream);
	flush(stream);
}

void live_stream_ping(struct live_stream *stream)
{
	if (!stream->is_begun || stream->is_writing)
		return; /* a peer that is written to knows */
	buffer_append(&stream->backlog, SLICE(": ping\n"));
	append_id(stream);
	buffer_append_byte(&stream->backlog, '\n');
	flush(stream);
}

static void step_in(struct live_stream *stream, enum live_source source, int64_t seq)
{
	stream->seq[source] = seq;
	if (live_stream_in_step(stream->live, source, seq))
		stream->behind &= (uint8_t)~BIT(source);
}

static void fall_behind(struct live_stream *stream, enum live_source source, int64_t seq)
{
	stream->seq[source] = seq;
	stream->behind |= BIT(source);
	live_stream_out_of_step(stream->live, source);
}

/* ---- catching up ------------------------------------------------------------------------------------ */

/* One piece of what is missing; the next one follows when it is written. May close the stream. */
static void catch_up(struct live_stream *stream)
{
	append_resets(stream);
	if ((stream->behind & BIT(LIVE_FROM_RING)) != 0)
		catch_up_with_ring(stream);
	bool lacks_kept = (stream->behind & kept_sources) != 0 && stream->read_or_null == NULL;
	if (lacks_kept && stream->backlog.len == 0)
		begin_read(stream);
	else
		flush(stream);
}

static void catch_up_with_ring(struct live_stream *stream)
{
	const struct live *live = stream->live;
	int64_t *seq = &stream->seq[LIVE_FROM_RING];
	if (!live_ring_reaches(&live->ring, (uint64_t)*seq)) {
		*seq = live->told[LIVE_FROM_RING];
		stream->lost |= BIT(LIVE_FROM_RING);
		append_resets(stream);
	}
	struct buffer data;
	buffer_init(&data, CHANGE_BYTES_MAX);
	while (*seq < live->told[LIVE_FROM_RING] && stream->backlog.len < LIVE_BACKLOG_BYTES_MAX) {
		*seq += 1;
		const struct live_change *change = live_ring_at(&live->ring, (uint64_t)*seq);
		if (!wants_change(stream, change))
			continue;
		buffer_reset(&data);
		live_json_change(&data, change);
		append_event(stream, live_subject_name((enum live_subject)change->subject),
			     buffer_slice(&data));
	}
	buffer_deinit(&data);
	if (*seq == live->told[LIVE_FROM_RING])
		step_in(stream, LIVE_FROM_RING, *seq);
}

static bool wants_change(const struct live_stream *stream, const struct live_change *change)
{
	bool is_run = change->subject == LIVE_RUN;
	for (uint32_t i = 0; i < stream->follow_count; i++) {
		const struct live_topic *topic = &stream->follows[i].topic;
		int64_t experiment_id;
		bool is_all = slice_eq(topic->id, SLICE("*"));
		if (topic->subject == LIVE_RUN && is_run &&
		    (is_all || slice_eq(topic->id, live_change_run_id(change))))
			return true;
		if (topic->subject == LIVE_EXPERIMENT &&
		    (is_all || (slice_parse_i64(topic->id, &experiment_id) &&
				experiment_id == change->experiment_id)))
			return true;
	}
	return false;
}

/* May close the stream. */
static void begin_read(struct live_stream *stream)
{
	struct error err;
	struct live_read *read = calloc(1, sizeof(*read));
	if (read == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		fail(stream, &err);
		return;
	}
	live_read_init(read);
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		read->is_wanted[i] = (stream->behind & BIT(i)) != 0;
		read->after[i] = stream->seq[i];
	}
	read->follows = stream->follows;
	read->follow_count = stream->follow_count;
	read->owner = stream;
	read->done_on_loop = read_on_loop;
	if (!live_read_begin(read, stream->live->api->jobs, &err)) {
		live_read_deinit(read);
		free(read);
		fail(stream, &err);
		return;
	}
	stream->read_or_null = read;
}

static void read_on_loop(struct live_read *read)
{
	struct live_stream *stream = read->owner;
	stream->read_or_null = NULL;
	if (stream->x_or_null == NULL) { /* closed meanwhile */
		free(stream);
	} else if (read->job.error.code != ERR_NONE) {
		fail(stream, &read->job.error);
	} else {
		take_start(stream, read);
		if (!stream->is_begun)
			begin_reply(stream);
		take_read(stream, read);
		catch_up(stream);
	}
	live_read_deinit(read);
	free(read);
}

/* Where a stream without a position begins. One that lost something goes on from here: its peer reads all before it
 * again. */
static void take_start(struct live_stream *stream, const struct live_read *read)
{
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		if (!read->is_wanted[i])
			continue;
		if (read->is_lost[i])
			stream->lost |= BIT(i);
		if (read->is_lost[i] || stream->seq[i] < 0)
			stream->seq[i] = read->reached[i];
	}
}

static void take_read(struct live_stream *stream, const struct live_read *read)
{
	append_resets(stream);
	for (size_t i = 0; i < read->count; i++) {
		const struct live_event *event = &read->events[i];
		stream->seq[event->source] = event->seq;
		append_event(stream, live_subject_name(live_source_subject(event->source)),
			     event->data);
	}
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		if (!read->is_wanted[i])
			continue;
		stream->seq[i] = read->reached[i];
		if (read->is_end[i])
			step_in(stream, (enum live_source)i, read->reached[i]);
	}
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static void append_event(struct live_stream *stream, const char *name, struct slice data)
{
	append_id(stream);
	buffer_printf(&stream->backlog, "event: %s\ndata: ", name);
	buffer_append(&stream->backlog, data);
	buffer_append(&stream->backlog, SLICE("\n\n"));
}

static void append_id(struct live_stream *stream)
{
	const struct live *live = stream->live;
	struct live_position position = {.ring_id = live->ring_id};
	char text[LIVE_POSITION_TEXT_BYTES];
	for (int i = 0; i < LIVE_SOURCES; i++) {
		bool is_in_step = (stream->wanted & ~stream->behind & BIT(i)) != 0;
		bool is_earlier = is_in_step && stream->seq[i] < live->told[i];
		position.seq[i] = is_earlier ? live->told[i] : stream->seq[i];
	}
	live_position_format(&position, text);
	buffer_printf(&stream->backlog, "id: %s\n", text);
}

/* Which topics the peer has to read again. */
static void append_resets(struct live_stream *stream)
{
	if (stream->lost == 0)
		return;
	struct buffer data, text;
	struct json_writer w;
	buffer_init(&data, REPLY_BYTES_MAX);
	buffer_init(&text, HTTP_HEAD_BYTES_MAX); /* where topics come from */
	json_writer_init(&w, &data);
	json_object_begin(&w);
	json_key(&w, "topics");
	json_array_begin(&w);
	for (uint32_t i = 0; i < stream->follow_count; i++) {
		const struct live_topic *topic = &stream->follows[i].topic;
		if ((source_of(topic->subject) & stream->lost) == 0)
			continue;
		buffer_reset(&text);
		live_topic_append(&text, topic);
		json_string(&w, buffer_slice(&text));
	}
	json_array_end(&w);
	json_object_end(&w);
	append_event(stream, "reset", buffer_slice(&data));
	buffer_deinit(&text);
	buffer_deinit(&data);
	stream->lost = 0;
}

static void flush(struct live_stream *stream)
{
	if (!stream->is_begun || stream->is_writing ||
	    (stream->backlog.len == 0 && !stream->backlog.failed)) /* a failed one is cut below */
		return;
	struct buffer piece = stream->backlog;
	buffer_init(&stream->backlog, REPLY_BYTES_MAX);
	stream->is_writing = true;
	http_exchange_write(stream->x_or_null, &piece, written_on_loop);
}

static void written_on_loop(struct http_exchange *x)
{
	struct live_stream *stream = http_exchange_context(x);
	stream->is_writing = false;
	flush(stream);
	if (stream->is_writing)
		return;
	if (stream->is_ending)
		live_stream_end(stream);
	else if (stream->behind != 0)
		catch_up(stream);
}
