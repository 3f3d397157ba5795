/* Owns the way of bytes out: at once if the kernel takes them, else queued with what they live in. */
#include <stdlib.h>

#include "base/log.h"
#include "http/connection.h"

enum { PARTS_MAX = 3 };

struct queued_write {
	uv_write_t request;
	struct connection *connection;
	enum connection_send_kind kind;
	struct buffer owner; /* of the body */
	char head[];
};

static bool queue(struct connection *c, const struct connection_message *message, size_t sent_bytes,
		  enum connection_send_kind kind);
static void on_written(uv_write_t *request, int status);
static unsigned make_parts(const struct connection_message *message, const char *head,
			   size_t skip_bytes, uv_buf_t parts[PARTS_MAX]);
static size_t message_bytes(const struct connection_message *message);

void connection_send(struct connection *c, const struct connection_message *message,
		     enum connection_send_kind kind)
{
	size_t bytes = message_bytes(message);
	size_t sent_bytes = 0;
	bool ok = c->phase != CONNECTION_CLOSED;
	if (ok && bytes > 0) {
		uv_buf_t parts[PARTS_MAX];
		unsigned count = make_parts(message, message->head.ptr, 0, parts);
		int status = uv_try_write((uv_stream_t *)&c->tcp, parts, count);
		if (status >= 0)
			sent_bytes = (size_t)status;
		else
			ok = status == UV_EAGAIN;
	}
	if (ok && sent_bytes < bytes) {
		ok = queue(c, message, sent_bytes, kind);
		if (ok)
			return;
	}
	if (message->owner_or_null != NULL)
		buffer_deinit(message->owner_or_null);
	if (!ok)
		connection_cut(c, true);
	else if (kind == SEND_PIECE)
		exchange_piece_went_at_once(&c->exchange);
	else if (kind == SEND_LAST)
		exchange_reply_done(&c->exchange);
}

/* Takes the owner only when it succeeds. */
static bool queue(struct connection *c, const struct connection_message *message, size_t sent_bytes,
		  enum connection_send_kind kind)
{
	struct queued_write *w = malloc(sizeof(*w) + message->head.len);
	if (w == NULL) {
		log_event(LOG_ERROR, "connection_cut", "peer=%s reason=memory", c->peer);
		return false;
	}
	w->connection = c;
	w->kind = kind;
	buffer_init(&w->owner, 0);
	if (message->head.len > 0)
		memcpy(w->head, message->head.ptr, message->head.len);
	uv_buf_t parts[PARTS_MAX];
	unsigned count = make_parts(message, w->head, sent_bytes, parts);
	if (uv_write(&w->request, (uv_stream_t *)&c->tcp, parts, count, on_written) != 0) {
		free(w);
		return false;
	}
	if (message->owner_or_null != NULL) {
		w->owner = *message->owner_or_null;
		buffer_init(message->owner_or_null, w->owner.bytes_max);
	}
	if (c->queued_count++ == 0) {
		c->queued_since_ms = (int64_t)uv_now(c->server->loop);
		c->queued_bytes_seen = SIZE_MAX;
	}
	return true;
}

static void on_written(uv_write_t *request, int status)
{
	struct queued_write *w = CONTAINER_OF(request, struct queued_write, request);
	struct connection *c = w->connection;
	enum connection_send_kind kind = w->kind;
	c->queued_count--;
	buffer_deinit(&w->owner);
	free(w);
	if (status != 0)
		connection_cut(c, true); /* also UV_ECANCELED, of one that is closing already */
	else if (kind == SEND_PIECE)
		exchange_piece_written(&c->exchange);
	else if (kind == SEND_LAST)
		exchange_reply_done(&c->exchange);
}

/* The message without its first `skip_bytes`. */
static unsigned make_parts(const struct connection_message *message, const char *head,
			   size_t skip_bytes, uv_buf_t parts[PARTS_MAX])
{
	const struct slice slices[PARTS_MAX] = {slice_make(head, message->head.len), message->body,
						message->tail};
	unsigned count = 0;
	for (int i = 0; i < PARTS_MAX; i++) {
		size_t skipped = skip_bytes < slices[i].len ? skip_bytes : slices[i].len;
		skip_bytes -= skipped;
		/* uv_buf_t counts in size_t on Linux, uv_buf_init in unsigned; libuv does not write to it. */
		if (slices[i].len > skipped)
			parts[count++] =
				(uv_buf_t){.base = (char *)(uintptr_t)(slices[i].ptr + skipped),
					   .len = slices[i].len - skipped};
	}
	return count;
}

static size_t message_bytes(const struct connection_message *message)
{
	return message->head.len + message->body.len + message->tail.len;
}
