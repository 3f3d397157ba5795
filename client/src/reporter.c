/* Owns the reports of a target to the daemon. */
#include "src/reporter.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "src/fetcher.h"
#include "src/sender.h"

enum { TIMEOUT_MS = 5000, REPORT_BYTES_MAX = 64 * 1024 };

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

bool reporter_open(struct reporter *r, const struct reporter_options *options, struct error *err)
{
	const struct transport_options connection = {
		.url = options->url,
		.connect_timeout_ms = TIMEOUT_MS,
		.request_timeout_ms = TIMEOUT_MS,
	};
	*r = (struct reporter){.options = *options, .due_ms = INT64_MAX};
	r->options.url = r->options.user = NULL; /* borrowed */
	buffer_init(&r->report, REPORT_BYTES_MAX);
	transport_header_text(slice_from_cstr(options->user), r->user, sizeof(r->user));
	return transport_open(&connection, &r->transport, err);
}

void reporter_close(struct reporter *r)
{
	transport_close(r->transport);
	buffer_deinit(&r->report);
	*r = (struct reporter){0};
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool send_request(struct reporter *r, const char *method, const char *suffix,
			 struct slice body, struct error *err)
{
	struct transport_reply reply;
	char path[sizeof(r->path) + 16];
	(void)snprintf(path, sizeof(path), "%s%s", r->path, suffix);
	const struct transport_call call = {
		.method = method,
		.path = path,
		.content_type = "application/json",
		.body = body,
		.user_or_null = r->user,
	};
	if (!transport_perform(r->transport, &call, &reply, err))
		return false;
	bool ok = reply.status / 100 == 2 ||
		  fetcher_fail(err, "the server", reply.status, buffer_slice(&reply.body));
	buffer_deinit(&reply.body);
	return ok;
}

static void say(const struct reporter *r, bool is_trouble, const char *sentence)
{
	r->options.say(r->options.context, is_trouble, sentence);
}

static void heard(struct reporter *r)
{
	if (r->failures > 0)
		say(r, false, "The server was told of this deployment.");
	r->failures = 0;
	r->was_heard = true;
	r->is_untold = false;
	r->due_ms = r->options.heartbeat_ms > 0 && !r->is_ended ? now_ms() + r->options.heartbeat_ms
								: INT64_MAX;
}

static void not_heard(struct reporter *r, const struct error *err)
{
	char sentence[ERROR_MESSAGE_BYTES_MAX];
	r->is_unwanted = !r->was_heard &&
			 (err->code == ERR_NOT_FOUND || err->code == ERR_ENDPOINT_NOT_FOUND ||
			  err->code == ERR_METHOD_NOT_ALLOWED);
	if (r->is_unwanted)
		(void)snprintf(sentence, sizeof(sentence),
			       "The server keeps no deployments, so it was not told of this one.");
	else
		(void)snprintf(sentence, sizeof(sentence),
			       "The server was not told of this deployment: %.900s", err->message);
	if (r->is_unwanted || r->failures == 0)
		say(r, true, sentence);
	r->due_ms = r->is_unwanted ? INT64_MAX : now_ms() + sender_pause_ms(r->failures);
	r->failures++;
}

static void send_report(struct reporter *r)
{
	struct error err;
	if (buffer_check(&r->report, "the report", &err) &&
	    send_request(r, "PUT", "", buffer_slice(&r->report), &err))
		heard(r);
	else
		not_heard(r, &err);
}

static void beat(struct reporter *r)
{
	struct error err;
	if (send_request(r, "POST", "/heartbeat", SLICE("{}"), &err)) {
		heard(r);
		return;
	}
	r->is_untold = true; /* where it was away, it may have lost what it knew */
	if (err.code == ERR_RESOURCE_DOES_NOT_EXIST)
		send_report(r); /* it was forgotten */
	else
		not_heard(r, &err);
}

void reporter_tick(struct reporter *r)
{
	if (r->path[0] == '\0' || r->is_unwanted || r->is_ended || now_ms() < r->due_ms)
		return;
	if (r->is_untold)
		send_report(r);
	else
		beat(r);
}

/* ---- the report ------------------------------------------------------------------------------ */

/* "why; what is added" */
static void put_reason(struct json_writer *w, const struct reporter *r, const struct report *report)
{
	char reason[2 * ERROR_MESSAGE_BYTES_MAX + 2];
	bool is_added = report->state == NULL && r->reason[0] != '\0';
	(void)snprintf(reason, sizeof(reason), "%s%s%s", is_added ? r->reason : "",
		       is_added ? "; " : "", report->reason);
	json_put_cstr(w, "reason", reason);
}

static void write_report(struct reporter *r, const struct report *report)
{
	struct json_writer w;
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1); /* "" does as well */
	buffer_reset(&r->report);
	json_writer_init(&w, &r->report);
	json_object_begin(&w);
	json_put_cstr(&w, "model", report->model);
	json_put_cstr(&w, "version", report->version);
	json_put_cstr(&w, "previous_version", report->previous_version);
	json_put_cstr(&w, "alias", report->alias);
	json_put_cstr(&w, "environment", report->environment);
	json_put_cstr(&w, "target", report->target);
	json_put_cstr(&w, "host", host);
	json_put_cstr(&w, "path", report->path);
	json_put_cstr(&w, "state", report->state != NULL ? report->state : r->state);
	put_reason(&w, r, report);
	json_put_int(&w, "heartbeat_ms", r->is_ended ? 0 : r->options.heartbeat_ms);
	json_object_end(&w);
}

void reporter_tell(struct reporter *r, const char *deployment_id, const struct report *report)
{
	if (r->is_unwanted || (report->state == NULL && r->state[0] == '\0'))
		return;
	(void)snprintf(r->path, sizeof(r->path), "/api/trackerd/v1/deployments/%.*s",
		       REPORTER_ID_LEN, deployment_id);
	write_report(r, report);
	if (report->state != NULL) {
		(void)snprintf(r->state, sizeof(r->state), "%s", report->state);
		(void)snprintf(r->reason, sizeof(r->reason), "%s", report->reason);
	}
	r->is_untold = true;
	send_report(r);
}

void reporter_end(struct reporter *r, const char *deployment_id, const struct report *report)
{
	if (r->path[0] == '\0' || r->is_untold)
		return;
	r->is_ended = true;
	reporter_tell(r, deployment_id, report);
}
