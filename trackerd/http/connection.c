/* Owns the life of one connection: its reading, its phases, its timeouts, its end. */
#include "http/connection.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/log.h"

static struct connection *connection_new(struct http_server *server);
static void name_peer(struct connection *c);
static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void process_unread(struct connection *c);
static void process(struct connection *c, struct slice bytes, struct buffer *origin_or_null);
static bool take(struct connection *c, struct slice *bytes);
static bool take_head(struct connection *c, struct slice *bytes);
static bool take_body(struct connection *c, struct slice *bytes);
static void keep_unread(struct connection *c, struct slice bytes);
static void handle_end(struct connection *c);
static void watch(struct connection *c);
static bool wants_bytes(const struct connection *c);
static bool sweep_writes(struct connection *c, int64_t now_ms);
static void on_shutdown(uv_shutdown_t *request, int status);
static void on_closed(uv_handle_t *handle);
static int64_t now_of(const struct connection *c);

static const struct refusal too_many = {503, ERR_TEMPORARILY_UNAVAILABLE,
					"The server has too many connections."};
static const struct refusal head_late = {408, ERR_REQUEST_TIMEOUT,
					 "The head of the request did not come in time."};
static const struct refusal body_late = {408, ERR_REQUEST_TIMEOUT,
					 "The body of the request did not come in time."};
static const struct refusal head_cut = {400, ERR_BAD_REQUEST,
					"The connection ended inside the head of a request."};
static const struct refusal body_cut = {400, ERR_BAD_REQUEST,
					"The connection ended inside the body of a request."};

void connection_accept(struct http_server *server)
{
	struct connection *c = connection_new(server);
	if (c == NULL) {
		log_event(LOG_ERROR, "connection_not_accepted", "reason=memory");
		return;
	}
	int status = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&c->tcp);
	if (status != 0) {
		log_event(LOG_WARN, "connection_not_accepted", "reason=%s", uv_err_name(status));
		connection_cut(c, false);
		return;
	}
	server->counts.connections_accepted++;
	(void)uv_tcp_nodelay(&c->tcp, 1); /* slower without, not wrong */
	name_peer(c);
	c->since_ms = now_of(c);
	unsigned open = server->counts.connections_open, max = server->options.connections_max;
	if (open > max + CONNECTION_REFUSED_MAX)
		connection_cut(c, true);
	else if (open > max)
		connection_refuse(c, &too_many);
	watch(c);
}

void connection_read_on(struct connection *c)
{
	if (c->is_processing)
		return;
	if (c->phase == CONNECTION_EXCHANGE && c->unread.len > 0 &&
	    exchange_wants_body(&c->exchange)) {
		process_unread(c);
		return;
	}
	if (c->at_end)
		handle_end(c);
	watch(c);
}

void connection_refuse(struct connection *c, const struct refusal *refusal)
{
	struct http_reply reply;
	struct buffer body;
	char id[17];
	connection_make_id(c->server, id);
	connection_log_refusal(c, id, refusal);
	buffer_init(&body, ERROR_MESSAGE_BYTES_MAX);
	reply_refusal_make(refusal, &reply, &body);
	const struct reply_frame frame = {.framing = REPLY_LENGTH,
					  .content_length = i64_from_size(body.len),
					  .connection = REPLY_CLOSE,
					  .request_id = id};
	buffer_reset(&c->server->head_text);
	reply_head_append(&c->server->head_text, &reply, &frame, &c->server->date);
	connection_send(c,
			&(struct connection_message){.head = buffer_slice(&c->server->head_text),
						     .body = buffer_slice(&body),
						     .owner_or_null = &body},
			SEND_INTERIM);
	connection_linger(c);
}

void connection_log_refusal(const struct connection *c, const char *request_id,
			    const struct refusal *refusal)
{
	char quoted[256];
	log_event(LOG_INFO, "request_refused", "request_id=%s peer=%s status=%d reason=%s",
		  request_id, c->peer, refusal->status,
		  log_quote(slice_from_cstr(refusal->message), quoted, sizeof(quoted)));
}

void connection_next_request(struct connection *c)
{
	request_reader_restart(&c->reader);
	c->exchange = (struct http_exchange){0};
	c->phase = CONNECTION_IDLE;
	c->since_ms = now_of(c);
	if (!c->is_processing)
		process_unread(c);
}

void connection_linger(struct connection *c)
{
	if (c->phase >= CONNECTION_LINGER)
		return;
	c->phase = CONNECTION_LINGER;
	c->since_ms = now_of(c);
	buffer_deinit(&c->unread);
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) != 0)
		connection_cut(c, false);
	else
		watch(c);
}

void connection_cut(struct connection *c, bool reset)
{
	if (c->phase == CONNECTION_CLOSED)
		return;
	bool was_shut = c->phase == CONNECTION_LINGER;
	c->phase = CONNECTION_CLOSED;
	c->is_reading = false;
	buffer_deinit(&c->unread);
	exchange_lose(&c->exchange);
	/* A reset is refused by libuv while a shutdown is under way, and without need then. */
	if (!reset || was_shut || uv_tcp_close_reset(&c->tcp, on_closed) != 0)
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void connection_defer(struct connection *c)
{
	struct http_server *server = c->server;
	if (c->is_deferred)
		return;
	c->is_deferred = true;
	c->next_deferred_or_null = NULL;
	if (server->deferred_last_or_null != NULL)
		server->deferred_last_or_null->next_deferred_or_null = c;
	else
		server->deferred_first_or_null = c;
	server->deferred_last_or_null = c;
	http_server_run_deferred(server);
}

void connection_run_deferred(struct connection *c)
{
	if (c->exchange.active && !c->exchange.released)
		exchange_run_deferred(&c->exchange);
	else if (c->phase == CONNECTION_IDLE && c->unread.len > 0)
		process_unread(c);
	else
		connection_free_if_unused(c);
}

void connection_sweep(struct connection *c, int64_t now_ms)
{
	const struct http_server_options *options = &c->server->options;
	int64_t silent_ms = now_ms - c->since_ms;
	if (!sweep_writes(c, now_ms))
		return;
	switch ((enum connection_phase)c->phase) {
	case CONNECTION_IDLE:
		if (silent_ms >= options->idle_timeout_ms)
			connection_cut(c, false);
		break;
	case CONNECTION_HEAD:
		if (silent_ms >= options->head_timeout_ms) {
			c->server->counts.parse_errors++;
			connection_refuse(c, &head_late);
		}
		break;
	case CONNECTION_EXCHANGE:
		if (exchange_wants_body(&c->exchange) && !c->exchange.paused &&
		    silent_ms >= options->body_timeout_ms)
			exchange_refuse(&c->exchange, &body_late);
		break;
	case CONNECTION_LINGER:
		if (silent_ms >= CONNECTION_LINGER_MS)
			connection_cut(c, false);
		break;
	case CONNECTION_CLOSED:
		break;
	}
}

void connection_free_if_unused(struct connection *c)
{
	if (!c->is_handle_closed || c->exchange.active || c->is_deferred)
		return;
	struct http_server *server = c->server;
	if (c->previous_or_null != NULL)
		c->previous_or_null->next_or_null = c->next_or_null;
	else
		server->first_or_null = c->next_or_null;
	if (c->next_or_null != NULL)
		c->next_or_null->previous_or_null = c->previous_or_null;
	request_reader_deinit(&c->reader);
	buffer_deinit(&c->unread);
	free(c);
	server->counts.connections_open--;
	http_server_connection_freed(server);
}

/* A counter through the finaliser of splitmix64: a bijection, so no two are equal, and they look random. */
void connection_make_id(struct http_server *server, char id[17])
{
	uint64_t z = (server->id_state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	for (int i = 15; i >= 0; i--, z >>= 4)
		id[i] = "0123456789abcdef"[z & 15];
	id[16] = '\0';
}

static struct connection *connection_new(struct http_server *server)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	int status = uv_tcp_init(server->loop, &c->tcp);
	ASSERT(status == 0); /* makes no socket yet: cannot fail */
	c->server = server;
	c->next_or_null = server->first_or_null;
	if (server->first_or_null != NULL)
		server->first_or_null->previous_or_null = c;
	server->first_or_null = c;
	server->counts.connections_open++;
	request_reader_init(&c->reader);
	buffer_init(&c->unread, CONNECTION_UNREAD_BYTES_MAX + CONNECTION_SCRATCH_BYTES);
	return c;
}

static void name_peer(struct connection *c)
{
	struct sockaddr_storage address;
	int len = (int)sizeof(address);
	char host[48] = "?";
	unsigned port = 0;
	bool is_ipv6 = false;
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &len) == 0) {
		is_ipv6 = address.ss_family == AF_INET6;
		(void)uv_ip_name((struct sockaddr *)&address, host, sizeof(host)); /* stays "?" */
		port = ntohs(is_ipv6 ? ((struct sockaddr_in6 *)&address)->sin6_port
				     : ((struct sockaddr_in *)&address)->sin_port);
	}
	/* Fits: 48 and 8 bytes. */
	(void)snprintf(c->peer, sizeof(c->peer), is_ipv6 ? "[%s]:%u" : "%s:%u", host, port);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf)
{
	(void)suggested_bytes;
	struct connection *c = CONTAINER_OF(handle, struct connection, tcp);
	size_t bytes = CONNECTION_SCRATCH_BYTES;
	if (c->phase == CONNECTION_EXCHANGE && !exchange_wants_body(&c->exchange)) {
		ASSERT(c->unread.len < CONNECTION_UNREAD_BYTES_MAX);
		bytes = CONNECTION_UNREAD_BYTES_MAX - c->unread.len;
	}
	*buf = uv_buf_init(c->server->scratch, (unsigned)bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct connection *c = CONTAINER_OF(stream, struct connection, tcp);
	if (count == 0)
		return;
	if (count == UV_EOF) {
		c->at_end = true;
		c->is_reading = false; /* libuv has stopped */
		handle_end(c);
		return;
	}
	if (count < 0) {
		connection_cut(c, false);
		return;
	}
	struct slice bytes = slice_make(buf->base, (size_t)count);
	if (c->phase == CONNECTION_EXCHANGE && !exchange_wants_body(&c->exchange)) {
		keep_unread(c, bytes);
		watch(c);
	} else {
		process(c, bytes, NULL);
	}
}

static void process_unread(struct connection *c)
{
	struct buffer taken = c->unread;
	buffer_init(&c->unread, taken.bytes_max);
	process(c, buffer_slice(&taken), &taken);
}

/* Takes as much of `bytes` as somebody wants; the rest is kept. `origin` holds the bytes and is used up. */
static void process(struct connection *c, struct slice bytes, struct buffer *origin_or_null)
{
	ASSERT(!c->is_processing && c->unread.len == 0);
	c->is_processing = true;
	c->turn_requests = 0;
	while (take(c, &bytes)) {
	}
	c->is_processing = false;
	if (origin_or_null != NULL && bytes.len > 0) {
		buffer_consume(origin_or_null, origin_or_null->len - bytes.len);
		c->unread = *origin_or_null;
	} else {
		if (origin_or_null != NULL)
			buffer_deinit(origin_or_null);
		keep_unread(c, bytes);
	}
	if (c->phase == CONNECTION_IDLE && c->unread.len > 0)
		connection_defer(c);
	if (c->at_end)
		handle_end(c);
	if (c->phase == CONNECTION_IDLE && c->server->closing)
		connection_cut(c, false);
	watch(c);
}

/* One step; false when nobody wants more of these bytes. */
static bool take(struct connection *c, struct slice *bytes)
{
	switch ((enum connection_phase)c->phase) {
	case CONNECTION_IDLE:
		if (c->turn_requests == CONNECTION_TURN_REQUESTS && bytes->len > 0)
			return false;
		return take_head(c, bytes);
	case CONNECTION_HEAD:
		return take_head(c, bytes);
	case CONNECTION_EXCHANGE:
		return exchange_wants_body(&c->exchange) && take_body(c, bytes);
	case CONNECTION_LINGER:
		c->lingered_bytes += i64_from_size(bytes->len);
		if (c->lingered_bytes > CONNECTION_LINGER_BYTES_MAX)
			connection_cut(c, false);
		break;
	case CONNECTION_CLOSED:
		break;
	}
	*bytes = (struct slice){0};
	return false;
}

static bool take_head(struct connection *c, struct slice *bytes)
{
	struct slice none;
	enum reader_event event = request_reader_next(&c->reader, bytes, &none);
	if (event == READER_ERROR) {
		c->server->counts.parse_errors++;
		connection_refuse(c, &c->reader.refusal);
		return true;
	}
	if (event == READER_HEAD) {
		c->turn_requests++;
		c->phase = CONNECTION_EXCHANGE;
		c->since_ms = now_of(c);
		c->closes = !c->reader.keep_alive;
		exchange_open(&c->exchange);
		return true;
	}
	ASSERT(event == READER_MORE);
	if (c->phase == CONNECTION_IDLE && request_reader_has_begun(&c->reader)) {
		c->phase = CONNECTION_HEAD;
		c->since_ms = now_of(c);
	}
	return false;
}

static bool take_body(struct connection *c, struct slice *bytes)
{
	struct slice data;
	switch (request_reader_next(&c->reader, bytes, &data)) {
	case READER_MORE:
		return false;
	case READER_DATA:
		c->since_ms = now_of(c);
		exchange_take_data(&c->exchange, data);
		return true;
	case READER_END:
		exchange_take_end(&c->exchange);
		return true;
	case READER_ERROR:
		c->server->counts.parse_errors++;
		exchange_refuse(&c->exchange, &c->reader.refusal);
		return true;
	case READER_HEAD:
		break;
	}
	ASSERT(false); /* no head comes before the restart */
	return false;
}

static void keep_unread(struct connection *c, struct slice bytes)
{
	if (c->phase == CONNECTION_CLOSED)
		return;
	buffer_append(&c->unread, bytes);
	if (c->unread.failed)
		connection_cut(c, true);
}

/* The peer sends no more. It may still read: what it asked for completely is answered. */
static void handle_end(struct connection *c)
{
	if (c->is_processing)
		return;
	switch ((enum connection_phase)c->phase) {
	case CONNECTION_IDLE:
		if (c->unread.len == 0)
			connection_cut(c, false);
		break;
	case CONNECTION_HEAD:
		c->server->counts.parse_errors++;
		connection_refuse(c, &head_cut);
		break;
	case CONNECTION_EXCHANGE:
		if (c->unread.len == 0 && exchange_wants_body(&c->exchange))
			exchange_refuse(&c->exchange, &body_cut);
		else if (!c->exchange.answered &&
			 (c->server->options.end_means_gone ||
			  (c->exchange.parked && c->unread.len == 0)))
			connection_cut(c, false);
		break;
	case CONNECTION_LINGER:
		if (c->is_shut)
			connection_cut(c, false);
		break;
	case CONNECTION_CLOSED:
		break;
	}
}

/* Makes libuv read, or not, as things stand. Reading mostly stays on: switching costs system calls. */
static void watch(struct connection *c)
{
	bool wanted = wants_bytes(c);
	if (wanted == c->is_reading || c->phase == CONNECTION_CLOSED)
		return;
	c->is_reading = wanted;
	if (!wanted)
		(void)uv_read_stop((uv_stream_t *)&c->tcp); /* always succeeds */
	else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
		connection_cut(c, true);
}

static bool wants_bytes(const struct connection *c)
{
	if (c->at_end || c->phase == CONNECTION_CLOSED)
		return false;
	if (c->phase != CONNECTION_EXCHANGE)
		return c->unread.len == 0;
	if (exchange_wants_body(&c->exchange))
		return !c->exchange.paused;
	/* Nobody wants these bytes yet; reading some shows when the peer resets the connection. */
	return c->unread.len < CONNECTION_UNREAD_BYTES_MAX;
}

/* Cuts a peer that does not read. */
static bool sweep_writes(struct connection *c, int64_t now_ms)
{
	if (c->queued_count == 0 || c->phase == CONNECTION_CLOSED)
		return true;
	size_t queued_bytes = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
	if (queued_bytes != c->queued_bytes_seen) {
		c->queued_bytes_seen = queued_bytes;
		c->queued_since_ms = now_ms;
		return true;
	}
	if (now_ms - c->queued_since_ms < c->server->options.body_timeout_ms)
		return true;
	log_event(LOG_INFO, "connection_cut", "peer=%s reason=peer_does_not_read", c->peer);
	connection_cut(c, true);
	return false;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct connection *c = CONTAINER_OF(request, struct connection, shutdown);
	c->is_shut = true;
	if (status != 0 || c->at_end)
		connection_cut(c, false);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = CONTAINER_OF(handle, struct connection, tcp);
	c->is_handle_closed = true;
	if (c->exchange.active)
		exchange_settle(&c->exchange);
	else
		connection_free_if_unused(c);
}

static int64_t now_of(const struct connection *c)
{
	return (int64_t)uv_now(c->server->loop);
}
