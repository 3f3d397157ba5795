/* Owns the server of predictions: its loop, its start and its end. */
#include "serve/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <uv.h>

#include "base/checked.h"
#include "base/log.h"
#include "base/notify.h"
#include "http/access_log.h"
#include "http/http_server.h"
#include "serve/address.h"
#include "serve/invocations.h"

enum {
	CONNECTIONS_MAX = 1024,
	HEAD_TIMEOUT_MS = 10000,
	BODY_TIMEOUT_MS = 30000,
	IDLE_TIMEOUT_MS = 75000,
	QUEUE_BYTES_MAX = 256 * 1024 * 1024,
	ANSWER_BYTES_MAX = 256 * 1024 * 1024,
	LINE_GROWTH_MAX = 8, /* of a body whose columns become names in each row */
	SIGNALS = 3,
};

struct server {
	const struct server_options *options;
	uv_loop_t loop;
	struct http_server *http_or_null;
	struct invocations invocations;
	struct serve_metrics metrics;
	uv_signal_t signals[SIGNALS];
	uv_timer_t watchdog;
	bool is_stopping;
	bool has_failed;
	struct error why;
	char address[128]; /* URL */
};

static bool open_parts(struct server *s, struct error *err);
static bool open_http(struct server *s, struct error *err);
static bool open_reload(struct server *s, struct error *err);
static void watch_signals(struct server *s);
static void start_watchdog(struct server *s);
static void stop(struct server *s);
static void on_active(void *ctx);
static void on_gave_up(const struct error *why, void *ctx);

bool server_run(const struct server_options *options, struct error *err)
{
	struct server s = {.options = options};
	int status = uv_loop_init(&s.loop);
	if (status != 0)
		return error_set(err, ERR_INTERNAL_ERROR, "no event loop: %s", uv_strerror(status));
	watch_signals(&s);
	start_watchdog(&s);
	s.has_failed = !open_parts(&s, &s.why);
	if (s.has_failed)
		stop(&s);
	(void)uv_run(&s.loop, UV_RUN_DEFAULT); /* until all handles are closed */
	status = uv_loop_close(&s.loop);
	ASSERT(status == 0);
	log_event(LOG_INFO, "stopped", "requests=%" PRIu64, s.invocations.last_id);
	if (s.has_failed)
		*err = s.why;
	return !s.has_failed;
}

/* ---- start ----------------------------------------------------------------------------------- */

static bool open_parts(struct server *s, struct error *err)
{
	const struct server_options *o = s->options;
	invocations_init(&s->invocations, &s->loop);
	s->invocations.metrics = &s->metrics;
	s->invocations.queue.count_max = o->queue_max;
	s->invocations.queue.bytes_max = QUEUE_BYTES_MAX;
	s->invocations.body_bytes_max = o->body_bytes_max;
	s->invocations.line_bytes_max = o->body_bytes_max * LINE_GROWTH_MAX;
	s->invocations.allowed_hosts = slice_from_cstr(o->allowed_hosts);
	s->invocations.timeout_ms = o->timeout_ms;
	s->invocations.worker_count = o->worker_count;
	return open_http(s, err) && open_reload(s, err);
}

static void on_head(struct http_exchange *x, void *ctx)
{
	struct server *s = ctx;
	invocations_handle(&s->invocations, x);
}

static void on_done(const struct http_request *request, int status, int64_t received_bytes,
		    int64_t sent_bytes, int64_t duration_us, void *ctx)
{
	struct server *s = ctx;
	if (invocations_are_meant(request))
		serve_metrics_request(&s->metrics, status, duration_us);
	access_log(request, status, received_bytes, sent_bytes, duration_us);
}

static bool open_http(struct server *s, struct error *err)
{
	char host[80];
	const struct http_server_options options = {
		.host = s->options->host,
		.port = s->options->port,
		.connections_max = CONNECTIONS_MAX,
		.head_timeout_ms = HEAD_TIMEOUT_MS,
		.body_timeout_ms = BODY_TIMEOUT_MS,
		.idle_timeout_ms = IDLE_TIMEOUT_MS,
		.end_means_gone = true,
		.head_cb = on_head,
		.done_cb = on_done,
		.ctx = s,
	};
	if (!http_server_open(&s->loop, &options, &s->http_or_null, err))
		return false;
	s->invocations.http_or_null = s->http_or_null;
	address_url(options.host, http_server_port(s->http_or_null), s->address,
		    sizeof(s->address));
	log_event(LOG_INFO, "listening", "host=%s port=%u",
		  log_quote(slice_from_cstr(options.host), host, sizeof(host)),
		  http_server_port(s->http_or_null));
	return true;
}

static bool open_reload(struct server *s, struct error *err)
{
	const struct server_options *o = s->options;
	const struct reload_options options = {
		.workers = {.command = o->command,
			    .count = o->worker_count,
			    .start_timeout_ms = o->start_timeout_ms,
			    .timeout_ms = o->timeout_ms,
			    .answer_bytes_max = ANSWER_BYTES_MAX,
			    .line_bytes_max = s->invocations.line_bytes_max,
			    .idle_cb = invocations_pump,
			    .answered_cb = invocations_answered,
			    .lost_cb = invocations_lost},
		.fixed_or_null = o->fixed_or_null,
		.follow = o->follow,
		.follow_ctx = o->follow_ctx,
		.address = s->address,
		.metrics = &s->metrics,
		.active_cb = on_active,
		.gave_up_cb = on_gave_up,
		.ctx = &s->invocations,
	};
	return reload_open(&s->loop, &options, &s->invocations.reload_or_null, err);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;
	log_event(LOG_INFO, "signal_received", "signal=%s", strsignal(number));
	if (!s->is_stopping)
		stop(s);
	else
		invocations_give_up(&s->invocations);
}

static void watch_signals(struct server *s)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(&s->loop,
				     &s->signals[i]); /* cannot fail once the loop is there */
		s->signals[i].data = s;
		int status = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
		ASSERT(status == 0);
	}
}

/* ---- the service manager --------------------------------------------------------------------- */

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	(void)notify_send("WATCHDOG=1");
}

static void start_watchdog(struct server *s)
{
	int64_t patience_ms = notify_watchdog_ms();
	(void)uv_timer_init(&s->loop, &s->watchdog); /* cannot fail */
	if (patience_ms > 1)
		(void)uv_timer_start(&s->watchdog, on_watchdog, 0, (uint64_t)patience_ms / 2);
}

static void on_active(void *ctx)
{
	struct invocations *i = ctx;
	const struct served_model *model = workers_model(reload_active(i->reload_or_null));
	char lines[512];
	(void)snprintf(lines, sizeof(lines), "READY=1\nSTATUS=serving %.200s %.50s", model->model,
		       model->version);
	(void)notify_send(lines);
	invocations_pump(reload_active(i->reload_or_null), i);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void on_gave_up(const struct error *why, void *ctx)
{
	struct server *s = CONTAINER_OF((struct invocations *)ctx, struct server, invocations);
	s->has_failed = true;
	s->why = *why;
	if (!s->is_stopping)
		stop(s);
}

static void close_workers(void *ctx)
{
	struct server *s = ctx;
	s->http_or_null = NULL;
	invocations_deinit(&s->invocations);
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_close((uv_handle_t *)&s->watchdog, NULL);
}

static void stop(struct server *s)
{
	s->is_stopping = true;
	(void)notify_send("STOPPING=1");
	if (s->http_or_null != NULL)
		http_server_close_on_loop(s->http_or_null, s->options->timeout_ms, close_workers,
					  s);
	else
		close_workers(s);
}
