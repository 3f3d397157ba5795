/* Owns the following of an alias. */
#include "cli/deploy_watch.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/notify.h"
#include "cli/deploy_run.h"
#include "cli/deploy_tell.h"
#include "src/alias_poll.h"
#include "src/retry.h"
#include "src/sender.h"

enum { NAP_MS = 100 };

struct watch {
	struct cli *cli;
	struct deployment *d;
	const struct deploy_watch_options *options;
	struct alias_poll poll;
	unsigned silences; /* questions without an answer, one after the other */
	bool is_missing;   /* there was no such alias, and that was told */
	bool is_due;	   /* what the alias names is to be deployed, from retry_at_ms on */
	unsigned failures; /* of that version */
	int64_t retry_at_ms;
	bool is_ready;
	int64_t watchdog_ms, watchdog_at_ms;
};

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

/* ---- telling --------------------------------------------------------------------------------- */

static void put_event(const struct watch *w, const char *event, const char *reason,
		      const struct deploy_report *report_or_null)
{
	struct json_writer *out = cli_begin_json(w->cli);
	json_object_begin(out);
	json_put_cstr(out, "event", event);
	json_put_int(out, "time_ms", clock_wall_ms(clock_system()));
	json_put_cstr(out, "alias", w->options->settings.alias);
	json_put_cstr(out, "reason", reason);
	if (report_or_null != NULL) {
		deploy_report_put(out, w->d, report_or_null);
	} else {
		json_put_cstr(out, "model", w->options->settings.model);
		json_put_cstr(out, "version", w->poll.version);
	}
	json_object_end(out);
}

static void say_event(const struct watch *w, const char *event, const char *reason,
		      const struct deploy_report *report_or_null)
{
	const struct deploy_settings *s = &w->options->settings;
	struct error ignored;
	if (!w->cli->json) {
		cli_say(w->cli, "%s@%s%s%s: %s%s%s", s->model, s->alias,
			w->poll.version[0] != '\0' ? " version " : "", w->poll.version, event,
			reason[0] != '\0' ? ": " : "", reason);
		return;
	}
	put_event(w, event, reason, report_or_null);
	if (cli_print_json(w->cli, &ignored)) /* a line that is too long is left out */
		(void)fflush(stdout);	      /* main checks the stream at the end */
}

/* Tells a service manager that a whole model is there for whoever needs one. */
static void become_ready(struct watch *w)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%.100s@%.50s version %s",
		       w->options->settings.model, w->options->settings.alias, w->poll.version);
	(void)notify_send(w->is_ready ? text + strlen("READY=1\n") : text);
	w->is_ready = true;
}

/* Between steps, wherever they are: nobody is to think that we hang. */
static void tick(void *context)
{
	struct watch *w = context;
	deploy_tell_tick(w->d);
	if (w->watchdog_ms > 0 && now_ms() >= w->watchdog_at_ms) {
		(void)notify_send("WATCHDOG=1"); /* nobody there needs it */
		w->watchdog_at_ms = now_ms() + w->watchdog_ms / 2;
	}
}

/* The state stays; `tell` adds to its reason. Between rounds the arena holds none: the file does. */
static void tell_more(struct watch *w,
		      void (*tell)(struct deployment *d, const char *state, const char *reason),
		      const char *reason)
{
	struct error ignored;
	struct arena_mark mark = arena_mark(w->cli->arena);
	if (deploy_state_load(&w->d->directory, w->cli->arena, &w->d->state, &ignored))
		tell(w->d, NULL, reason);
	arena_rewind(w->cli->arena, mark);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* How long nothing of ours is due. */
static int64_t idle_ms(const struct watch *w)
{
	const struct reporter *r = w->d->reporter_or_null;
	int64_t until = now_ms() + ALIAS_WAIT_MS;
	if (w->is_due && w->retry_at_ms < until)
		until = w->retry_at_ms;
	if (r != NULL && r->due_ms < until)
		until = r->due_ms;
	if (w->watchdog_ms > 0 && w->watchdog_at_ms < until)
		until = w->watchdog_at_ms;
	int64_t left = until - now_ms();
	return left > 0 ? left : 0;
}

static void rest(const struct watch *w, int64_t ms)
{
	int64_t until = now_ms() + ms;
	const struct timespec turn = {.tv_nsec = NAP_MS * 1000000L};
	while (!stop_is_asked(&w->cli->fetcher.stop) && now_ms() < until)
		(void)nanosleep(&turn, NULL); /* cut short is fine */
}

/* ---- deploying ------------------------------------------------------------------------------- */

static void plan_retry(struct watch *w, bool is_tried, const struct error *err)
{
	int64_t delay_ms;
	char reason[ERROR_MESSAGE_BYTES_MAX + 64];
	if (is_tried)
		delay_ms = retry_delay_ms(w->options->retry_ms, w->failures, RETRY_TRIED_MS_MAX);
	else if (retry_is_silence(err))
		delay_ms = sender_pause_ms(w->failures);
	else
		delay_ms = retry_delay_ms(RETRY_FETCH_MS_MIN, w->failures, RETRY_FETCH_MS_MAX);
	w->failures++;
	w->is_due = true;
	w->retry_at_ms = now_ms() + delay_ms;
	(void)snprintf(reason, sizeof(reason),
		       "%s; it is tried again in %.1f s, or when the alias "
		       "moves",
		       err->message, (double)delay_ms / 1000);
	say_event(w, "failed", reason, NULL);
}

static bool bring(struct watch *w, struct deploy_report *r, struct error *err)
{
	const struct deploy_settings *s = &w->options->settings;
	struct model_source source;
	/* What an earlier round put into the arena is gone: the file knows all of it. */
	if (!deploy_state_load(&w->d->directory, w->cli->arena, &w->d->state, err) ||
	    !model_source_get(&w->cli->fetcher, w->cli->arena, slice_from_cstr(s->model),
			      slice_from_cstr(w->poll.version), &source, err))
		return false;
	struct deploy_source *found = ARENA_NEW(w->cli->arena, struct deploy_source, 1);
	*found = deploy_source_of(w->cli->arena, &source); /* the report tells of it, too */
	return deploy_bring(w->d, found, s, w->options->keep, r, err);
}

static void deploy_due(struct watch *w)
{
	struct deploy_report r = {.result = "", .previous = ""};
	struct error err;
	struct arena_mark mark = arena_mark(w->cli->arena);
	bool ok = bring(w, &r, &err);
	w->cli->exit = CLI_OK; /* a failed health check is an event here */
	if (ok) {
		w->is_due = false;
		w->failures = 0;
		say_event(w, r.result, "", &r);
		become_ready(w);
	} else if (err.code != ERR_CANCELLED) {
		plan_retry(w, r.is_tried, &err);
	}
	arena_rewind(w->cli->arena, mark);
}

/* ---- listening ------------------------------------------------------------------------------- */

/* The server knows why. */
static void lose_alias(struct watch *w)
{
	char reason[ALIAS_MISSING_BYTES + 64];
	(void)snprintf(reason, sizeof(reason), "%s What is here stays in use.", w->poll.missing);
	say_event(w, "missing", reason, NULL);
	tell_more(w, deploy_tell, w->poll.missing);
}

static void take_answer(struct watch *w, const struct alias_reply *reply)
{
	if (w->silences > 0)
		say_event(w, "back", "", NULL);
	w->silences = 0;
	if (reply->answer == ALIAS_MISSING && !w->is_missing)
		lose_alias(w);
	if (reply->answer != ALIAS_SAME) {
		w->is_missing = reply->answer == ALIAS_MISSING;
		w->is_due = reply->answer == ALIAS_MOVED;
		w->failures = 0;
		w->retry_at_ms = 0;
	}
}

/* Is the version due that the alias names? */
static bool is_due_now(const struct watch *w)
{
	return w->is_due && now_ms() >= w->retry_at_ms;
}

/* False when the server did not answer. */
static bool listen_once(struct watch *w)
{
	struct alias_reply reply;
	struct error err;
	struct arena_mark mark = arena_mark(w->cli->arena);
	bool ok = alias_poll_ask(&w->poll, idle_ms(w), w->cli->arena, &reply, &err);
	arena_rewind(w->cli->arena, mark);
	if (ok) {
		take_answer(w, &reply);
		if (!reply.has_waited && !is_due_now(w))
			rest(w, ALIAS_PAUSE_MS);
	} else if (err.code != ERR_CANCELLED) {
		if (w->silences == 0)
			say_event(w, "away", err.message, NULL);
		rest(w, sender_pause_ms(w->silences++));
	}
	return ok;
}

/* It is watched again, whatever the alias says; a state that never was told is that it is there. */
static void tell_what_is_here(struct watch *w)
{
	struct deployment *d = w->d;
	const char *result = d->state.result;
	d->told = w->options->settings;
	if (strcmp(result, "rolled back") == 0)
		deploy_tell(d, "rolled_back", "");
	else if (strcmp(result, "failed") == 0)
		deploy_tell(d, "failed", d->state.reason);
	else
		deploy_tell(d, "active", "");
}

/* A machine that starts while the server is away has its model all the same. */
static void take_stock(struct watch *w)
{
	struct error ignored;
	const char *current;
	struct arena_mark mark = arena_mark(w->cli->arena);
	if (deploy_link(&w->d->directory, w->cli->arena, "current", &current, &ignored)) {
		const struct deploy_version *v = deploy_state_find(&w->d->state, current);
		if (v != NULL && deploy_directory_holds(&w->d->directory, current, v->tree_sha256,
							&w->cli->fetcher.stop)) {
			become_ready(w);
			tell_what_is_here(w);
		}
	}
	arena_rewind(w->cli->arena, mark);
}

bool deploy_watch(struct deployment *d, const struct deploy_watch_options *options,
		  struct error *err)
{
	struct deploy_report settled = {0};
	struct watch w = {
		.cli = d->cli, .d = d, .options = options, .watchdog_ms = notify_watchdog_ms()};
	alias_poll_init(&w.poll, &d->cli->fetcher, options->settings.model,
			options->settings.alias);
	d->cli->tick = tick;
	d->cli->tick_context = &w;
	d->cli->is_service = true;
	if (!deploy_enter(d, options->path, true, &settled, err))
		return cli_is_interrupted();
	take_stock(&w);
	say_event(&w, "watching", "", NULL);
	while (!cli_is_interrupted()) {
		if (listen_once(&w) && is_due_now(&w) && !cli_is_interrupted())
			deploy_due(&w);
		tick(&w);
	}
	(void)notify_send("STOPPING=1");
	tell_more(&w, deploy_tell_end, "not watched any more: the watch was stopped");
	say_event(&w, "stopped", "", NULL);
	d->cli->tick = NULL;
	return true;
}
