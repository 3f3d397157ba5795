/* Owns the exchange: the functions of http_message.h, and when a request and its reply are over. */
#include "http/exchange.h"

#include "base/checked.h"
#include "base/log.h"
#include "http/connection.h"

enum { BODY_RESERVED_BYTES_MAX = 1024 * 1024 }; /* at once; a larger body grows as it comes */

static struct connection *connection_of(struct http_exchange *x);
static void open_sink(struct http_exchange *x, enum body_sink sink);
static void stop_body(struct http_exchange *x);
static void abandon(struct http_exchange *x);
static void reply_whole(struct http_exchange *x, const struct http_reply *reply, struct slice body,
			struct buffer *owner_or_null);
static void make_head(struct http_exchange *x, const struct http_reply *reply,
		      int64_t content_length);
static bool decide_closing(struct http_exchange *x, const struct http_reply *reply);
static void finish(struct http_exchange *x);

static const struct refusal body_too_large = {413, ERR_REQUEST_TOO_LARGE,
					      "The body of the request is too large."};
static const struct refusal no_memory = {503, ERR_TEMPORARILY_UNAVAILABLE,
					 "The server is out of memory."};
static const struct refusal reply_too_large = {500, ERR_INTERNAL_ERROR, "The reply is too large."};

const struct http_request *http_exchange_request(const struct http_exchange *x)
{
	return &CONTAINER_OF((uintptr_t)x, const struct connection, exchange)->reader.request;
}

void http_exchange_context_set(struct http_exchange *x, void *context)
{
	x->context = context;
}

void *http_exchange_context(const struct http_exchange *x)
{
	return x->context;
}

void http_exchange_on_abandoned(struct http_exchange *x,
				void (*abandoned_cb)(struct http_exchange *x))
{
	x->abandoned_cb = abandoned_cb;
}

bool http_exchange_is_abandoned(const struct http_exchange *x)
{
	return x->abandoned;
}

void http_exchange_collect(struct http_exchange *x, size_t bytes_max,
			   void (*body_cb)(struct http_exchange *x, struct slice body))
{
	const struct http_request *request = http_exchange_request(x);
	if (x->abandoned)
		return;
	ASSERT(x->sink == SINK_NONE && !x->begun);
	if (!request->has_body) {
		body_cb(x, SLICE(""));
		return;
	}
	x->body_cb = body_cb;
	x->body_bytes_max = i64_from_size(bytes_max);
	buffer_init(&x->body, bytes_max);
	if (request->content_length > x->body_bytes_max) {
		exchange_refuse(x, &body_too_large);
		return;
	}
	if (request->content_length > 0 && request->content_length <= BODY_RESERVED_BYTES_MAX)
		(void)buffer_reserve(&x->body, (size_t)request->content_length); /* sticky */
	open_sink(x, SINK_COLLECT);
}

void http_exchange_stream(struct http_exchange *x, int64_t bytes_max,
			  void (*data_cb)(struct http_exchange *x, struct slice bytes),
			  void (*end_cb)(struct http_exchange *x))
{
	const struct http_request *request = http_exchange_request(x);
	if (x->abandoned)
		return;
	ASSERT(x->sink == SINK_NONE && !x->begun && bytes_max >= 0);
	if (!request->has_body) {
		end_cb(x);
		return;
	}
	if (request->content_length > bytes_max) {
		exchange_refuse(x, &body_too_large);
		return;
	}
	x->data_cb = data_cb;
	x->end_cb = end_cb;
	x->body_bytes_max = bytes_max;
	open_sink(x, SINK_STREAM);
}

void http_exchange_pause(struct http_exchange *x)
{
	if (x->abandoned || x->body_done)
		return;
	x->paused = true;
	connection_read_on(connection_of(x));
}

void http_exchange_resume(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	if (x->abandoned || !x->paused)
		return;
	x->paused = false;
	c->since_ms = (int64_t)uv_now(c->server->loop);
	connection_read_on(c);
}

void http_exchange_park(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	if (x->abandoned || x->parked)
		return;
	x->parked = true;
	request_reader_trim(&c->reader);
	connection_read_on(c);
}

void http_exchange_reply(struct http_exchange *x, const struct http_reply *reply,
			 struct buffer *body_or_null)
{
	if (x->abandoned) {
		if (body_or_null != NULL)
			buffer_deinit(body_or_null);
		return;
	}
	if (body_or_null == NULL) {
		reply_whole(x, reply, SLICE(""), NULL);
		return;
	}
	struct http_reply instead;
	if (body_or_null->failed) {
		log_event(LOG_ERROR, "reply_lost", "request_id=%s reason=buffer_full",
			  http_exchange_request(x)->id);
		buffer_init(body_or_null, ERROR_MESSAGE_BYTES_MAX);
		reply_refusal_make(&reply_too_large, &instead, body_or_null);
		reply = &instead;
	}
	reply_whole(x, reply, buffer_slice(body_or_null), body_or_null);
}

void http_exchange_reply_static(struct http_exchange *x, const struct http_reply *reply,
				struct slice body)
{
	if (!x->abandoned)
		reply_whole(x, reply, body, NULL);
}

void http_exchange_begin(struct http_exchange *x, const struct http_reply *reply)
{
	if (x->abandoned)
		return;
	struct connection *c = connection_of(x);
	make_head(x, reply, reply->content_length);
	x->held = c->server->head_text;
	buffer_init(&c->server->head_text, REPLY_HEAD_BYTES_MAX);
	connection_read_on(c);
}

void http_exchange_write(struct http_exchange *x, struct buffer *piece,
			 void (*written_cb)(struct http_exchange *x))
{
	struct slice bytes = buffer_slice(piece);
	int64_t count = i64_from_size(bytes.len);
	ASSERT(x->abandoned || (x->begun && !x->answered && !x->writing));
	bool too_many = x->reply_left_bytes >= 0 && count > x->reply_left_bytes && !x->omits_body;
	if (x->abandoned || piece->failed || too_many) {
		buffer_deinit(piece);
		if (!x->abandoned) {
			log_event(LOG_ERROR, "reply_cut", "request_id=%s reason=%s",
				  http_exchange_request(x)->id,
				  too_many ? "longer_than_promised" : "memory");
			connection_cut(connection_of(x), true);
		}
		return;
	}
	x->written_cb = written_cb;
	x->writing = true;
	if (x->omits_body || count == 0) {
		buffer_deinit(piece);
		exchange_piece_went_at_once(x);
		return;
	}
	if (x->is_chunked)
		buffer_printf(&x->held, "%zx\r\n", bytes.len);
	if (x->reply_left_bytes >= 0)
		x->reply_left_bytes -= count;
	x->sent_bytes += count;
	struct connection_message message = {.head = buffer_slice(&x->held),
					     .body = bytes,
					     .owner_or_null = piece,
					     .tail = x->is_chunked ? SLICE("\r\n") : SLICE("")};
	connection_send(connection_of(x), &message, SEND_PIECE);
	if (x->parked)
		buffer_deinit(&x->held); /* the next piece may be long in coming */
	else
		buffer_reset(&x->held);
}

void http_exchange_end(struct http_exchange *x)
{
	if (x->abandoned)
		return;
	ASSERT(x->begun && !x->answered && !x->writing);
	if (x->reply_left_bytes > 0 && !x->omits_body) {
		log_event(LOG_ERROR, "reply_cut", "request_id=%s reason=shorter_than_promised",
			  http_exchange_request(x)->id);
		http_exchange_abort(x);
		return;
	}
	x->answered = true;
	struct connection_message message = {
		.head = buffer_slice(&x->held),
		.tail = x->is_chunked && !x->omits_body ? SLICE("0\r\n\r\n") : SLICE("")};
	connection_send(connection_of(x), &message, SEND_LAST);
	buffer_deinit(&x->held);
}

void http_exchange_abort(struct http_exchange *x)
{
	if (x->abandoned)
		return;
	ASSERT(!x->answered);
	x->answered = true;
	connection_cut(connection_of(x), true);
}

void http_exchange_release(struct http_exchange *x)
{
	ASSERT(x->active && !x->released && (x->answered || x->abandoned));
	x->released = true;
	exchange_settle(x);
}

void exchange_open(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	struct http_server *server = c->server;
	*x = (struct http_exchange){.active = true,
				    .reply_left_bytes = -1,
				    .begun_ns = uv_hrtime(),
				    .body_done = !c->reader.request.has_body};
	c->reader.request.peer = slice_from_cstr(c->peer);
	connection_make_id(server, c->reader.request.id);
	server->options.head_cb(x, server->options.ctx);
}

bool exchange_wants_body(const struct http_exchange *x)
{
	return x->active && !x->body_done && x->sink != SINK_NONE;
}

void exchange_take_data(struct http_exchange *x, struct slice bytes)
{
	int64_t count = i64_from_size(bytes.len);
	x->received_bytes += count;
	switch ((enum body_sink)x->sink) {
	case SINK_COLLECT:
	case SINK_STREAM:
		if (x->received_bytes > x->body_bytes_max) {
			exchange_refuse(x, &body_too_large);
		} else if (x->sink == SINK_STREAM) {
			x->data_cb(x, bytes);
		} else {
			buffer_append(&x->body, bytes);
			if (x->body.failed)
				exchange_refuse(x, &no_memory);
		}
		break;
	case SINK_DISCARD:
		x->discarded_bytes += count;
		if (x->discarded_bytes > BODY_DISCARD_BYTES_MAX)
			stop_body(x);
		break;
	case SINK_NONE:
		break;
	}
}

void exchange_take_end(struct http_exchange *x)
{
	x->body_done = true;
	x->paused = false;
	switch ((enum body_sink)x->sink) {
	case SINK_COLLECT:
		x->body_cb(x, buffer_slice(&x->body));
		break;
	case SINK_STREAM:
		x->end_cb(x);
		break;
	case SINK_DISCARD:
		exchange_settle(x);
		break;
	case SINK_NONE:
		break;
	}
}

void exchange_refuse(struct http_exchange *x, const struct refusal *refusal)
{
	bool was_answered = x->answered, was_begun = x->begun;
	struct connection *c = connection_of(x);
	if (was_begun && !was_answered) {
		connection_cut(c, true); /* half a reply is out: only an error is honest */
		return;
	}
	if (!was_answered) {
		connection_log_refusal(c, c->reader.request.id, refusal);
		struct http_reply reply;
		struct buffer body;
		buffer_init(&body, ERROR_MESSAGE_BYTES_MAX);
		reply_refusal_make(refusal, &reply, &body);
		c->closes = true; /* before the reply is made: nothing is read any more */
		abandon(x);
		reply_whole(x, &reply, buffer_slice(&body), &body);
	}
	stop_body(x);
}

void exchange_lose(struct http_exchange *x)
{
	if (x->active && !x->answered)
		abandon(x);
}

void exchange_run_deferred(struct http_exchange *x)
{
	bool tell_abandoned = x->tell_abandoned, tell_written = x->tell_written;
	x->tell_abandoned = false;
	x->tell_written = false;
	if (tell_abandoned && x->abandoned_cb != NULL)
		x->abandoned_cb(x);
	else if (tell_written)
		exchange_piece_written(x);
}

void exchange_piece_went_at_once(struct http_exchange *x)
{
	x->tell_written = true;
	connection_defer(connection_of(x));
}

void exchange_piece_written(struct http_exchange *x)
{
	x->writing = false;
	if (!x->abandoned && !x->answered)
		x->written_cb(x);
}

void exchange_reply_done(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	x->reply_done = true;
	x->finished_ns = uv_hrtime();
	if (c->phase == CONNECTION_EXCHANGE && c->closes)
		connection_linger(c);
	exchange_settle(x);
}

void exchange_settle(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	if (!x->active || !x->released)
		return;
	if (c->phase == CONNECTION_EXCHANGE) {
		if (!x->reply_done || !x->body_done)
			return;
		finish(x);
		connection_next_request(c);
	} else if (x->reply_done || c->phase == CONNECTION_CLOSED) {
		finish(x);
		connection_free_if_unused(c);
	}
}

static struct connection *connection_of(struct http_exchange *x)
{
	return CONTAINER_OF(x, struct connection, exchange);
}

static void open_sink(struct http_exchange *x, enum body_sink sink)
{
	struct connection *c = connection_of(x);
	x->sink = (uint8_t)sink;
	c->since_ms = (int64_t)uv_now(c->server->loop);
	if (c->reader.expects_continue && sink != SINK_DISCARD) {
		c->reader.expects_continue = false;
		connection_send(c,
				&(struct connection_message){
					.tail = SLICE("HTTP/1.1 100 Continue\r\n\r\n")},
				SEND_INTERIM);
	}
	connection_read_on(c);
}

/* The rest of the body is not worth reading: the connection cannot be kept. */
static void stop_body(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	x->sink = SINK_NONE;
	c->closes = true;
	if (x->reply_done)
		connection_linger(c);
	exchange_settle(x);
}

static void abandon(struct http_exchange *x)
{
	if (x->abandoned)
		return;
	x->abandoned = true;
	x->tell_abandoned = true;
	connection_defer(connection_of(x));
}

static void reply_whole(struct http_exchange *x, const struct http_reply *reply, struct slice body,
			struct buffer *owner_or_null)
{
	struct connection *c = connection_of(x);
	x->answered = true;
	make_head(x, reply, i64_from_size(body.len));
	if (x->omits_body)
		body = SLICE("");
	x->sent_bytes = i64_from_size(body.len);
	connection_send(c,
			&(struct connection_message){.head = buffer_slice(&c->server->head_text),
						     .body = body,
						     .owner_or_null = owner_or_null},
			SEND_LAST);
	connection_read_on(c);
}

/* Makes the head in the server's scratch, and takes what is left of the request's body as surplus. */
static void make_head(struct http_exchange *x, const struct http_reply *reply,
		      int64_t content_length)
{
	struct connection *c = connection_of(x);
	ASSERT(!x->begun && reply->status >= 200);
	x->begun = true;
	x->status = reply->status;
	bool has_body = reply_status_has_body(reply->status);
	x->omits_body = !has_body || c->reader.request.method == HTTP_HEAD;
	enum reply_framing framing = REPLY_LENGTH;
	if (!has_body)
		framing = REPLY_NO_BODY;
	else if (content_length < 0)
		framing = c->reader.is_http10 ? REPLY_UNTIL_CLOSE : REPLY_CHUNKED;
	x->is_chunked = framing == REPLY_CHUNKED;
	x->reply_left_bytes = content_length;
	c->closes = decide_closing(x, reply) || framing == REPLY_UNTIL_CLOSE;
	enum reply_connection connection = c->reader.is_http10 ? REPLY_KEEP_SAID : REPLY_KEEP;
	if (c->closes)
		connection = REPLY_CLOSE;
	const struct reply_frame frame = {.framing = framing,
					  .content_length = content_length,
					  .connection = connection,
					  .request_id = c->reader.request.id};
	struct buffer *text = &c->server->head_text;
	buffer_reset(text);
	reply_head_append(text, reply, &frame, &c->server->date);
	if (text->failed) {
		log_event(LOG_ERROR, "reply_cut", "request_id=%s reason=head_too_large",
			  c->reader.request.id);
		connection_cut(c, true);
	}
	if (!x->body_done)
		x->sink = c->closes ? SINK_NONE : SINK_DISCARD;
}

/* A body that was not read is read and dropped when that is cheap. A peer that waits for "100 Continue" may
 * or may not send it: what comes next would be unclear, so the connection ends. */
static bool decide_closing(struct http_exchange *x, const struct http_reply *reply)
{
	const struct connection *c = connection_of(x);
	const struct http_request *request = &c->reader.request;
	if (c->closes || reply->close || c->server->closing)
		return true;
	return !x->body_done &&
	       (c->reader.expects_continue ||
		request->content_length - x->received_bytes > BODY_DISCARD_BYTES_MAX);
}

/* Tells the access log, and forgets the exchange. */
static void finish(struct http_exchange *x)
{
	struct connection *c = connection_of(x);
	const struct http_server_options *options = &c->server->options;
	uint64_t end_ns = x->finished_ns > 0 ? x->finished_ns : uv_hrtime();
	if (options->done_cb != NULL)
		options->done_cb(&c->reader.request, x->status, x->received_bytes, x->sent_bytes,
				 (int64_t)((end_ns - x->begun_ns) / 1000), options->ctx);
	buffer_deinit(&x->body);
	buffer_deinit(&x->held);
	x->active = false;
}
