/* Owns what a program that follows a model tells of itself. */
#include "src/model_report.h"

#include "base/clock.h"
#include "src/facts.h"

enum { HEARTBEAT_MS = 30 * 1000 };

static bool is_reporting(const struct trk_model_watch *w)
{
	return w->target[0] != '\0';
}

static void say(void *context, bool is_trouble, const char *sentence)
{
	model_watch_note(context, is_trouble ? TRK_LOG_WARN : TRK_LOG_INFO, "%s", sentence);
}

bool model_report_open(struct trk_model_watch *w, const struct trk_model_watch_options *o,
		       const char *url, struct error *err)
{
	char user[REPORTER_USER_BYTES];
	if (!is_reporting(w))
		return true;
	facts_find_user(user, sizeof user);
	const struct reporter_options options = {
		.url = url,
		.user = user,
		.heartbeat_ms = o->heartbeat_ms > 0 ? o->heartbeat_ms : HEARTBEAT_MS,
		.say = say,
		.context = w,
	};
	return reporter_open(&w->reporter, &options, err) &&
	       deploy_directory_id(&w->directory, w->deployment_id, err);
}

void model_report_close(struct trk_model_watch *w)
{
	reporter_close(&w->reporter);
}

/* The thread alone makes another copy current, so it looks without the mutex. */
static struct report describe(const struct trk_model_watch *w)
{
	const struct model_copy *current = w->current_or_null;
	return (struct report){
		.model = w->model,
		.alias = w->alias,
		.version = current != NULL ? current->version : "",
		.previous_version = w->version_before,
		.environment = w->environment,
		.target = w->target,
		.path = w->directory.path,
		.reason = "",
	};
}

void model_report(struct trk_model_watch *w, const char *state, const char *reason)
{
	struct report report = describe(w);
	report.state = state;
	report.reason = reason;
	if (is_reporting(w))
		reporter_tell(&w->reporter, w->deployment_id, &report);
}

void model_report_begun(struct trk_model_watch *w, const char *version)
{
	struct report report = describe(w);
	report.state = "deploying";
	report.previous_version = report.version;
	report.version = version;
	if (is_reporting(w))
		reporter_tell(&w->reporter, w->deployment_id, &report);
}

void model_report_end(struct trk_model_watch *w)
{
	struct report report = describe(w);
	report.state = "stale";
	report.reason = "the program ended its watch of the model";
	if (is_reporting(w))
		reporter_end(&w->reporter, w->deployment_id, &report);
}

void model_report_tick(struct trk_model_watch *w)
{
	if (is_reporting(w))
		reporter_tick(&w->reporter);
}

int64_t model_report_idle_ms(const struct trk_model_watch *w)
{
	int64_t now_ms = clock_monotonic_ms(clock_system());
	if (!is_reporting(w) || w->reporter.due_ms == INT64_MAX)
		return INT64_MAX;
	return w->reporter.due_ms > now_ms ? w->reporter.due_ms - now_ms : 0;
}
