/* Owns the versions that are served, that come, and that go. */
#include "serve/reload.h"

#include <stdlib.h>

#include "base/log.h"

enum { DRAINING_MAX = 16 };

struct reload {
	struct uv_loop_s *loop;
	struct reload_options options;
	struct follower *follower_or_null;
	struct workers *active_or_null, *candidate_or_null;
	struct workers *draining[DRAINING_MAX]; /* oldest first */
	size_t draining_count;
	bool is_reachable;
	bool is_closing;
	unsigned holds; /* while functions run that may close workers */
};

static bool begin(struct reload *r, const struct served_model *model, struct error *err);
static void settle_candidate(struct reload *r, bool is_accepted, const struct error *why);
static void drain(struct reload *r, struct workers *ws);
static void on_ready(struct workers *ws, void *ctx);
static void on_failed(struct workers *ws, const struct error *why, void *ctx);
static void on_idle(struct workers *ws, void *ctx);
static void on_answered(struct workers *ws, struct request *request, const struct answer *answer,
			void *ctx);
static void on_lost(struct workers *ws, struct request *request, const struct error *why,
		    void *ctx);
static void on_restart(struct workers *ws, const struct error *why, void *ctx);
static void on_closed(struct workers *ws, void *ctx);
static void on_message(const struct follow_message *m, void *ctx);
static const char *active_name(void *ctx);
static void free_if_unused(struct reload *r);

bool reload_open(struct uv_loop_s *loop, const struct reload_options *options, struct reload **out,
		 struct error *err)
{
	struct reload *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "out of memory");
	r->loop = loop;
	r->options = *options;
	const struct follower_options follow = {
		.run = options->follow,
		.run_ctx = options->follow_ctx,
		.address = options->address,
		.active_name = active_name,
		.message_cb = on_message,
		.ctx = r,
	};
	bool ok = options->fixed_or_null != NULL
			  ? begin(r, options->fixed_or_null, err)
			  : follower_start(loop, &follow, &r->follower_or_null, err);
	if (ok)
		*out = r;
	else
		free(r);
	return ok;
}

struct workers *reload_active(const struct reload *r)
{
	return r->active_or_null;
}

bool reload_is_server_reachable(const struct reload *r)
{
	return r->is_reachable;
}

void reload_close(struct reload *r)
{
	r->is_closing = true;
	r->holds++;
	if (r->follower_or_null != NULL)
		follower_stop(r->follower_or_null);
	r->follower_or_null = NULL;
	if (r->candidate_or_null != NULL)
		workers_kill(r->candidate_or_null);
	if (r->active_or_null != NULL)
		workers_kill(r->active_or_null);
	for (size_t i = r->draining_count; i > 0; i--)
		workers_kill(r->draining[i - 1]);
	r->holds--;
	free_if_unused(r);
}

/* ---- versions -------------------------------------------------------------------------------- */

static bool begin(struct reload *r, const struct served_model *model, struct error *err)
{
	struct workers_options options = r->options.workers;
	options.ready_cb = on_ready;
	options.failed_cb = on_failed;
	options.idle_cb = on_idle;
	options.answered_cb = on_answered;
	options.lost_cb = on_lost;
	options.restart_cb = on_restart;
	options.closed_cb = on_closed;
	options.ctx = r;
	ASSERT(r->candidate_or_null == NULL);
	return workers_open(r->loop, &options, model, &r->candidate_or_null, err);
}

static void log_version(enum log_level level, const char *event, const struct served_model *model,
			const struct error *why_or_null)
{
	char name[256], version[64], reason[768];
	struct slice text = slice_from_cstr(why_or_null != NULL ? why_or_null->message : "");
	log_event(level, event, "model=%s version=%s%s%s",
		  log_quote(slice_from_cstr(model->model), name, sizeof(name)),
		  log_quote(slice_from_cstr(model->version), version, sizeof(version)),
		  text.len > 0 ? " reason=" : "",
		  text.len > 0 ? log_quote(text, reason, sizeof(reason)) : "");
}

/* What is to be said of it, while it is being offered. */
static void settle_candidate(struct reload *r, bool is_accepted, const struct error *why)
{
	if (r->follower_or_null != NULL)
		follower_tell(r->follower_or_null, is_accepted, is_accepted ? "" : why->message);
	else if (!is_accepted)
		r->options.gave_up_cb(why, r->options.ctx);
}

static void on_ready(struct workers *ws, void *ctx)
{
	struct reload *r = ctx;
	struct workers *old = r->active_or_null;
	ASSERT(ws == r->candidate_or_null);
	r->candidate_or_null = NULL;
	r->active_or_null = ws;
	r->options.metrics->reloads++;
	log_version(LOG_INFO, "version_active", workers_model(ws), NULL);
	if (old != NULL)
		drain(r, old);
	settle_candidate(r, true, NULL);
	r->options.active_cb(r->options.ctx);
}

static void on_failed(struct workers *ws, const struct error *why, void *ctx)
{
	struct reload *r = ctx;
	ASSERT(ws == r->candidate_or_null);
	r->candidate_or_null = NULL;
	r->options.metrics->failed_reloads++;
	log_version(LOG_WARN, "version_refused", workers_model(ws), why);
	drain(r, ws);
	settle_candidate(r, false, why);
}

static void drain(struct reload *r, struct workers *ws)
{
	if (r->draining_count == DRAINING_MAX)
		workers_abort(r->draining[0]); /* which takes it out */
	ASSERT(r->draining_count < DRAINING_MAX);
	r->draining[r->draining_count++] = ws;
	workers_close(ws);
}

static void on_closed(struct workers *ws, void *ctx)
{
	struct reload *r = ctx;
	if (ws == r->active_or_null)
		r->active_or_null = NULL;
	if (ws == r->candidate_or_null)
		r->candidate_or_null = NULL;
	for (size_t i = 0; i < r->draining_count; i++) {
		if (r->draining[i] != ws)
			continue;
		r->draining_count--;
		memmove(&r->draining[i], &r->draining[i + 1],
			(r->draining_count - i) * sizeof(struct workers *));
		break;
	}
	free_if_unused(r);
}

/* ---- requests: passed on --------------------------------------------------------------------- */

static void on_idle(struct workers *ws, void *ctx)
{
	struct reload *r = ctx;
	if (ws == r->active_or_null)
		r->options.workers.idle_cb(ws, r->options.ctx);
}

static void on_answered(struct workers *ws, struct request *request, const struct answer *answer,
			void *ctx)
{
	struct reload *r = ctx;
	r->options.workers.answered_cb(ws, request, answer, r->options.ctx);
}

static void on_lost(struct workers *ws, struct request *request, const struct error *why, void *ctx)
{
	struct reload *r = ctx;
	r->options.workers.lost_cb(ws, request, why, r->options.ctx);
}

static void on_restart(struct workers *ws, const struct error *why, void *ctx)
{
	struct reload *r = ctx;
	r->options.metrics->restarts++;
	log_version(LOG_WARN, "worker_lost", workers_model(ws), why);
}

/* ---- the follower ---------------------------------------------------------------------------- */

static const char *active_name(void *ctx)
{
	const struct reload *r = ctx;
	return r->active_or_null != NULL ? workers_model(r->active_or_null)->name : "";
}

static void take_offer(struct reload *r, const struct served_model *model)
{
	struct error err;
	if (r->candidate_or_null != NULL) { /* of a follower that died meanwhile */
		struct workers *old = r->candidate_or_null;
		r->candidate_or_null = NULL;
		drain(r, old);
	}
	if (strcmp(active_name(r), model->name) == 0) {
		settle_candidate(r, true, NULL);
		return;
	}
	log_version(LOG_INFO, "version_offered", model, NULL);
	if (begin(r, model, &err))
		return;
	r->options.metrics->failed_reloads++;
	log_version(LOG_WARN, "version_refused", model, &err);
	settle_candidate(r, false, &err);
}

static void on_message(const struct follow_message *m, void *ctx)
{
	struct reload *r = ctx;
	struct error why;
	char quoted[1024];
	switch (m->kind) {
	case FOLLOW_OFFER:
		take_offer(r, &m->model);
		break;
	case FOLLOW_NOTE:
		r->is_reachable = m->is_reachable;
		if (m->text[0] != '\0')
			log_event(m->is_reachable ? LOG_INFO : LOG_WARN, "registry", "text=%s",
				  log_quote(slice_from_cstr(m->text), quoted, sizeof(quoted)));
		break;
	case FOLLOW_GIVE_UP:
		(void)error_set(&why, m->code, "%s", m->text);
		if (r->active_or_null == NULL)
			r->options.gave_up_cb(&why, r->options.ctx);
		break;
	case FOLLOW_ACCEPTED:
	case FOLLOW_REFUSED:
		break; /* those are ours to say */
	}
}

static void free_if_unused(struct reload *r)
{
	if (r->is_closing && r->holds == 0 && r->draining_count == 0 && r->active_or_null == NULL &&
	    r->candidate_or_null == NULL)
		free(r);
}
