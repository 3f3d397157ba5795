/* Owns the reports of a deployment to the daemon. */
#include "cli/deploy_reporter.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "src/sender.h"

enum {
	TIMEOUT_MS = 5000,
	REPORT_BYTES_MAX = 64 * 1024,
	REPLY_BYTES_MAX = 16 * 1024 * 1024,
};

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

bool deploy_reporter_open(struct deploy_reporter *r, struct cli *cli, int64_t heartbeat_ms,
			  struct error *err)
{
	*r = (struct deploy_reporter){
		.cli = cli, .heartbeat_ms = heartbeat_ms, .due_ms = INT64_MAX};
	buffer_init(&r->report, REPORT_BYTES_MAX);
	arena_init(&r->arena, REPLY_BYTES_MAX);
	if (!api_open(cli->url, &r->api_or_null, err)) {
		cli->exit = CLI_USAGE;
		return false;
	}
	api_make_brief(r->api_or_null, TIMEOUT_MS);
	return true;
}

void deploy_reporter_close(struct deploy_reporter *r)
{
	api_close(r->api_or_null);
	arena_deinit(&r->arena);
	buffer_deinit(&r->report);
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool send_request(struct deploy_reporter *r, const char *method, const char *suffix,
			 struct slice body, struct error *err)
{
	struct json_value *reply;
	/* Nothing else is held here: out of memory ends the command as everywhere in it. */
	r->arena.guard_or_null = r->cli->arena->guard_or_null;
	bool ok = api_call(r->api_or_null, method, arena_printf(&r->arena, "%s%s", r->path, suffix),
			   body, &r->arena, &reply, err);
	arena_reset(&r->arena);
	return ok;
}

static void heard(struct deploy_reporter *r)
{
	if (r->failures > 0)
		cli_say(r->cli, "The server was told of this deployment.");
	r->failures = 0;
	r->is_untold = false;
	r->due_ms = r->heartbeat_ms > 0 ? now_ms() + r->heartbeat_ms : INT64_MAX;
}

static void not_heard(struct deploy_reporter *r, const struct error *err)
{
	r->is_unwanted = err->code == ERR_NOT_FOUND || err->code == ERR_ENDPOINT_NOT_FOUND ||
			 err->code == ERR_METHOD_NOT_ALLOWED;
	if (r->is_unwanted)
		cli_say(r->cli, "The server keeps no deployments, so it was not told of this one.");
	else if (r->failures == 0)
		cli_say(r->cli, "The server was not told of this deployment: %s", err->message);
	r->due_ms = r->is_unwanted ? INT64_MAX : now_ms() + sender_pause_ms(r->failures);
	r->failures++;
}

static void report(struct deploy_reporter *r)
{
	struct error err;
	if (send_request(r, "PUT", "", buffer_slice(&r->report), &err))
		heard(r);
	else
		not_heard(r, &err);
}

static void beat(struct deploy_reporter *r)
{
	struct error err;
	bool ok = send_request(r, "POST", "/heartbeat", SLICE("{}"), &err);
	if (ok) {
		heard(r);
	} else if (err.code == ERR_RESOURCE_DOES_NOT_EXIST) {
		report(r); /* it was forgotten */
	} else {
		r->is_untold = true; /* where it was away, it may have lost what it knew */
		not_heard(r, &err);
	}
}

void deploy_reporter_tick(struct deploy_reporter *r)
{
	if (r->path[0] == '\0' || r->is_unwanted || now_ms() < r->due_ms)
		return;
	if (r->is_untold)
		report(r);
	else
		beat(r);
}

/* ---- the report ------------------------------------------------------------------------------ */

static const char *version_of(const struct deploy_version *version_or_null)
{
	return version_or_null != NULL ? version_or_null->version : "";
}

static void write_report(struct deploy_reporter *r, const struct deployment *d,
			 const struct deploy_telling *t)
{
	const struct deploy_settings *s = &d->told;
	const char *model = t->version_or_null != NULL ? t->version_or_null->model : s->model;
	struct json_writer w;
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1); /* "" does as well */
	buffer_reset(&r->report);
	json_writer_init(&w, &r->report);
	json_object_begin(&w);
	json_put_cstr(&w, "model", model);
	json_put_cstr(&w, "version", version_of(t->version_or_null));
	json_put_cstr(&w, "previous_version", version_of(t->previous_or_null));
	json_put_cstr(&w, "alias", s->alias);
	json_put_cstr(&w, "environment", s->environment);
	json_put_cstr(&w, "target", s->target);
	json_put_cstr(&w, "host", host);
	json_put_cstr(&w, "path",
		      d->address_or_null != NULL ? d->address_or_null : d->directory.path);
	json_put_cstr(&w, "state", t->state);
	json_put_cstr(&w, "reason", t->reason);
	json_put_int(&w, "heartbeat_ms", r->heartbeat_ms);
	json_object_end(&w);
}

void deploy_reporter_tell(struct deploy_reporter *r, const struct deployment *d,
			  const struct deploy_telling *telling)
{
	if (r == NULL || r->is_unwanted)
		return;
	(void)snprintf(r->path, sizeof(r->path), "/api/trackerd/v1/deployments/%s",
		       d->state.deployment_id);
	write_report(r, d, telling);
	r->is_untold = true;
	report(r);
}
