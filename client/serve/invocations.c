/* Owns the way of a request to a worker and back, and what the server tells about itself. */
#include "serve/invocations.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "http/origin.h"
#include "serve/inputs.h"
#include "serve/inputs_csv.h"
#include "serve/plain_json.h"

enum { TEXT_BYTES_MAX = 256 * 1024, REPLY_BYTES_MAX = 512 * 1024 * 1024, PATIENCE_MS = 100 };

#define JSON_TYPE "application/json"

static void answer_invocation(struct invocations *i, struct http_exchange *x);
static void answer_ping(struct invocations *i, struct http_exchange *x);
static void answer_version(struct invocations *i, struct http_exchange *x);
static void answer_metrics(struct invocations *i, struct http_exchange *x);
static void on_body(struct http_exchange *x, struct slice body);
static void on_abandoned(struct http_exchange *x);
static void on_patience(uv_timer_t *timer);
static void ask_workers(struct invocations *i);
static void refuse(struct http_exchange *x, int status, enum error_code code, const char *sentence);

// clang-format off
static const struct {
	struct slice path;
	bool is_read; /* GET and HEAD, else POST */
	void (*answer)(struct invocations *i, struct http_exchange *x);
} routes[] = {
	{{"/invocations", 12}, false, answer_invocation},
	{{"/ping",         5}, true,  answer_ping},
	{{"/health",       7}, true,  answer_ping},
	{{"/version",      8}, true,  answer_version},
	{{"/metrics",      8}, true,  answer_metrics},
};
// clang-format on

void invocations_init(struct invocations *i, uv_loop_t *loop)
{
	(void)uv_timer_init(loop, &i->patience); /* cannot fail */
	i->patience.data = i;
}

void invocations_deinit(struct invocations *i)
{
	i->http_or_null = NULL;
	uv_close((uv_handle_t *)&i->patience, NULL);
	if (i->reload_or_null != NULL)
		reload_close(i->reload_or_null);
	i->reload_or_null = NULL;
}

bool invocations_are_meant(const struct http_request *request)
{
	return slice_eq(request->path, routes[0].path);
}

void invocations_give_up(struct invocations *i)
{
	struct reload *reload = i->reload_or_null;
	struct request *r;
	i->reload_or_null = NULL;
	if (reload != NULL)
		reload_close(reload);
	while ((r = requests_take(&i->queue)) != NULL) {
		refuse(r->exchange_or_null, 503, ERR_TEMPORARILY_UNAVAILABLE,
		       "The server is stopping.");
		request_free(r);
	}
}

/* ---- replies --------------------------------------------------------------------------------- */

static void reply_with(struct http_exchange *x, struct http_reply *reply, struct buffer *body)
{
	if (reply->status == 503)
		http_reply_header(reply, SLICE("Retry-After"), SLICE("1"));
	http_exchange_reply(x, reply, body);
	http_exchange_release(x);
	buffer_deinit(body);
}

/* `json` is what is wrong, as a JSON string in its quotes. */
static void refuse_json(struct http_exchange *x, struct http_reply *reply, enum error_code code,
			struct slice json)
{
	struct buffer body;
	struct json_writer w;
	buffer_init(&body, REPLY_BYTES_MAX);
	json_writer_init(&w, &body);
	json_object_begin(&w);
	json_put_cstr(&w, "error_code", error_code_name(code));
	json_key(&w, "message");
	json_raw(&w, json);
	json_object_end(&w);
	reply->content_type = JSON_TYPE;
	reply_with(x, reply, &body);
}

static void refuse(struct http_exchange *x, int status, enum error_code code, const char *sentence)
{
	struct http_reply reply = {.status = status};
	struct buffer text;
	struct json_writer w;
	buffer_init(&text, TEXT_BYTES_MAX);
	json_writer_init(&w, &text);
	json_string(&w, slice_from_cstr(sentence));
	if (status == 405)
		http_reply_header(&reply, SLICE("Allow"),
				  invocations_are_meant(http_exchange_request(x))
					  ? SLICE("POST")
					  : SLICE("GET, HEAD"));
	refuse_json(x, &reply, code, buffer_slice(&text));
	buffer_deinit(&text);
}

void invocations_handle(struct invocations *i, struct http_exchange *x)
{
	const struct http_request *request = http_exchange_request(x);
	bool is_read = request->method == HTTP_GET || request->method == HTTP_HEAD;
	size_t row = 0;
	while (row < ARRAY_COUNT(routes) && !slice_eq(request->path, routes[row].path))
		row++;
	if (!origin_host_is_allowed(http_request_header(request, "Host"), i->allowed_hosts))
		refuse(x, 403, ERR_PERMISSION_DENIED,
		       "The Host header has a name that is not known here, as if a page of another "
		       "site sent the request. If it is right, start trk serve with "
		       "--allowed-hosts.");
	else if (row == ARRAY_COUNT(routes))
		refuse(x, 404, ERR_ENDPOINT_NOT_FOUND,
		       "There are /invocations, /ping, /health, /version and /metrics.");
	else if (routes[row].is_read ? !is_read : request->method != HTTP_POST)
		refuse(x, 405, ERR_METHOD_NOT_ALLOWED,
		       routes[row].is_read ? "It is read with GET." : "Send it with POST.");
	else
		routes[row].answer(i, x);
}

/* ---- what it tells about itself -------------------------------------------------------------- */

/* What is active and has a worker; NULL otherwise. */
static struct workers *ready_workers(const struct invocations *i)
{
	struct workers *ws = i->reload_or_null != NULL ? reload_active(i->reload_or_null) : NULL;
	return ws != NULL && workers_ready_count(ws) > 0 ? ws : NULL;
}

static void answer_ping(struct invocations *i, struct http_exchange *x)
{
	const struct http_reply reply = {.status = 200, .content_type = JSON_TYPE};
	if (ready_workers(i) == NULL) {
		refuse(x, 503, ERR_TEMPORARILY_UNAVAILABLE, "No worker is ready.");
		return;
	}
	http_exchange_reply_static(x, &reply, SLICE("\n"));
	http_exchange_release(x);
}

static void answer_version(struct invocations *i, struct http_exchange *x)
{
	struct http_reply reply = {.status = 200, .content_type = JSON_TYPE};
	const struct workers *ws =
		i->reload_or_null != NULL ? reload_active(i->reload_or_null) : NULL;
	struct buffer body;
	struct json_writer w;
	if (ws == NULL) {
		refuse(x, 503, ERR_TEMPORARILY_UNAVAILABLE, "No version is ready yet.");
		return;
	}
	const struct served_model *model = workers_model(ws);
	buffer_init(&body, TEXT_BYTES_MAX);
	json_writer_init(&w, &body);
	json_object_begin(&w);
	json_put_cstr(&w, "model", model->model);
	json_put_cstr(&w, "version", model->version);
	json_put_cstr(&w, "alias", model->alias);
	json_put_cstr(&w, "run_id", model->run_id);
	json_put_int(&w, "since_ms", workers_since_ms(ws));
	json_object_end(&w);
	reply_with(x, &reply, &body);
}

static void answer_metrics(struct invocations *i, struct http_exchange *x)
{
	struct http_reply reply = {.status = 200,
				   .content_type = "text/plain; version=0.0.4; charset=utf-8"};
	const struct workers *ws =
		i->reload_or_null != NULL ? reload_active(i->reload_or_null) : NULL;
	struct serve_gauges gauges = {
		.queued = i->queue.count,
		.queue_max = i->queue.count_max,
		.workers_wanted = i->worker_count,
		.connections_open = http_server_counts(i->http_or_null).connections_open,
	};
	struct buffer body;
	if (i->reload_or_null != NULL)
		gauges.is_server_reachable = reload_is_server_reachable(i->reload_or_null);
	if (ws != NULL) {
		gauges.workers_ready = workers_ready_count(ws);
		gauges.since_ms = workers_since_ms(ws);
		gauges.model_or_null = workers_model(ws);
	}
	buffer_init(&body, TEXT_BYTES_MAX);
	serve_metrics_write(i->metrics, &gauges, &body);
	reply_with(x, &reply, &body);
}

/* ---- predictions: asking --------------------------------------------------------------------- */

/* Of a body. */
static const struct form {
	struct slice type;
	bool (*read)(struct slice body, uint64_t id, struct buffer *out, struct error *err);
} forms[] = {
	{{JSON_TYPE, sizeof(JSON_TYPE) - 1}, inputs_from_json},
	{{"text/csv", 8}, inputs_from_csv},
};

/* NULL if the content type is another. */
static const struct form *find_form(const struct http_exchange *x)
{
	struct slice rest = http_request_header(http_exchange_request(x), "Content-Type"), type;
	if (!slice_next(&rest, ';', &type))
		return NULL;
	for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
		if (slice_eq_ignoring_case(slice_trim(type), forms[i].type))
			return &forms[i];
	}
	return NULL;
}

static bool refuse_if_full(const struct invocations *i, struct http_exchange *x)
{
	if (!requests_are_full(&i->queue))
		return false;
	refuse(x, 503, ERR_TEMPORARILY_UNAVAILABLE,
	       "Too many requests wait for the model. Try again later.");
	return true;
}

static void answer_invocation(struct invocations *i, struct http_exchange *x)
{
	if (find_form(x) == NULL) {
		refuse(x, 415, ERR_BAD_REQUEST,
		       "The content type must be application/json or text/csv.");
		return;
	}
	if (i->reload_or_null == NULL || reload_active(i->reload_or_null) == NULL) {
		refuse(x, 503, ERR_TEMPORARILY_UNAVAILABLE, "No version is ready yet.");
		return;
	}
	if (refuse_if_full(i, x))
		return;
	http_exchange_context_set(x, i);
	http_exchange_on_abandoned(x, on_abandoned);
	http_exchange_collect(x, i->body_bytes_max, on_body);
}

/* The peer went away before there was a request of ours. */
static void on_abandoned(struct http_exchange *x)
{
	http_exchange_release(x);
}

/* The peer went away: what waits is forgotten; what a worker has is answered to nobody. */
static void on_request_abandoned(struct http_exchange *x)
{
	struct request *r = http_exchange_context(x);
	r->exchange_or_null = NULL;
	http_exchange_release(x);
	if (!r->is_waiting)
		return;
	requests_remove(r->queue, r);
	request_free(r);
}

static void on_body(struct http_exchange *x, struct slice body)
{
	struct invocations *i = http_exchange_context(x);
	struct error err;
	if (refuse_if_full(i, x))
		return;
	struct request *r = calloc(1, sizeof(*r));
	if (r == NULL) {
		refuse(x, 503, ERR_TEMPORARILY_UNAVAILABLE, "Out of memory.");
		return;
	}
	r->id = ++i->last_id;
	r->exchange_or_null = x;
	r->since_ms = (int64_t)uv_now(i->patience.loop);
	buffer_init(&r->line, i->line_bytes_max);
	if (!find_form(x)->read(body, r->id, &r->line, &err)) {
		request_free(r);
		refuse(x, error_http_status(err.code), err.code, err.message);
		return;
	}
	http_exchange_context_set(x, r);
	http_exchange_on_abandoned(x, on_request_abandoned);
	requests_append(&i->queue, r);
	ask_workers(i);
	if (i->queue.count > 0 && !uv_is_active((uv_handle_t *)&i->patience))
		(void)uv_timer_start(&i->patience, on_patience, PATIENCE_MS, PATIENCE_MS);
}

static void ask_workers(struct invocations *i)
{
	struct workers *ws = i->reload_or_null != NULL ? reload_active(i->reload_or_null) : NULL;
	struct request *r;
	while (ws != NULL && (r = i->queue.first_or_null) != NULL && workers_have_idle(ws)) {
		requests_remove(&i->queue, r);
		workers_ask(ws, r);
	}
}

static void on_patience(uv_timer_t *timer)
{
	struct invocations *i = timer->data;
	struct request *r;
	int64_t now_ms = (int64_t)uv_now(timer->loop);
	while ((r = i->queue.first_or_null) != NULL && now_ms - r->since_ms >= i->timeout_ms) {
		requests_remove(&i->queue, r);
		refuse(r->exchange_or_null, 503, ERR_TEMPORARILY_UNAVAILABLE,
		       "No worker had time for the request. Try again later.");
		request_free(r);
	}
	if (i->queue.count == 0)
		(void)uv_timer_stop(timer); /* always succeeds */
}

/* ---- predictions: answering ------------------------------------------------------------------ */

void invocations_pump(struct workers *ws, void *ctx)
{
	(void)ws;
	ask_workers(ctx);
}

static void name_version(struct http_reply *reply, const struct workers *ws)
{
	const struct served_model *model = workers_model(ws);
	if (model->version[0] != '\0')
		http_reply_header(reply, SLICE("X-Model-Version"), slice_from_cstr(model->version));
}

void invocations_answered(struct workers *ws, struct request *r, const struct answer *answer,
			  void *ctx)
{
	struct http_reply reply = {.status = 200, .content_type = JSON_TYPE};
	struct http_exchange *x = r->exchange_or_null;
	struct buffer body;
	(void)ctx;
	request_free(r);
	if (x == NULL)
		return;
	name_version(&reply, ws);
	if (slice_is_present(answer->error)) {
		reply.status = 400;
		refuse_json(x, &reply, ERR_BAD_REQUEST, answer->error);
		return;
	}
	buffer_init(&body, REPLY_BYTES_MAX);
	buffer_append(&body, SLICE("{\"predictions\":"));
	if (answer->has_nonfinite)
		plain_json_append(answer->predictions, &body);
	else
		buffer_append(&body, answer->predictions);
	buffer_append_byte(&body, '}');
	reply_with(x, &reply, &body);
}

void invocations_lost(struct workers *ws, struct request *r, const struct error *why, void *ctx)
{
	struct http_exchange *x = r->exchange_or_null;
	bool is_late = why->code == ERR_REQUEST_TIMEOUT;
	struct error err;
	(void)ws;
	(void)ctx;
	request_free(r);
	if (x == NULL)
		return;
	(void)error_set(&err, is_late ? ERR_REQUEST_TIMEOUT : ERR_INTERNAL_ERROR,
			"The model's worker was lost with the request: %s", why->message);
	refuse(x, is_late ? 504 : 502, err.code, err.message);
}
