/* Owns what a report says of a deployment. */
#include "cli/deploy_tell.h"

static void say(void *context, bool is_trouble, const char *sentence)
{
	(void)is_trouble;
	cli_say(context, "%s", sentence);
}

bool deploy_tell_open(struct reporter *r, struct cli *cli, int64_t heartbeat_ms, struct error *err)
{
	const struct reporter_options options = {
		.url = cli->url,
		.user = cli_user(),
		.heartbeat_ms = heartbeat_ms,
		.say = say,
		.context = cli,
	};
	if (reporter_open(r, &options, err))
		return true;
	cli->exit = CLI_USAGE;
	return false;
}

/* Without state and reason. */
static struct report describe(const struct deployment *d,
			      const struct deploy_version *version_or_null,
			      const struct deploy_version *previous_or_null)
{
	const struct deploy_settings *s = &d->told;
	return (struct report){
		.model = version_or_null != NULL ? version_or_null->model : s->model,
		.alias = s->alias,
		.version = version_or_null != NULL ? version_or_null->version : "",
		.previous_version = previous_or_null != NULL ? previous_or_null->version : "",
		.environment = s->environment,
		.target = s->target,
		.path = d->address_or_null != NULL ? d->address_or_null : d->directory.path,
	};
}

/* What the links lead to. False for a directory that cannot be read, which is told of where it
 * matters. */
static bool describe_current(const struct deployment *d, struct report *out)
{
	struct error ignored;
	char current[DEPLOY_NAME_BYTES], previous[DEPLOY_NAME_BYTES];
	if (d->reporter_or_null == NULL ||
	    !deploy_directory_link(&d->directory, "current", current, &ignored) ||
	    !deploy_directory_link(&d->directory, "previous", previous, &ignored))
		return false;
	*out = describe(d, deploy_state_find(&d->state, current),
			deploy_state_find(&d->state, previous));
	return true;
}

void deploy_tell(struct deployment *d, const char *state, const char *reason)
{
	struct report report;
	if (!describe_current(d, &report))
		return;
	report.state = state;
	report.reason = reason;
	reporter_tell(d->reporter_or_null, d->state.deployment_id, &report);
}

void deploy_tell_begun(struct deployment *d, const struct deploy_version *version,
		       const char *previous)
{
	if (d->reporter_or_null == NULL)
		return;
	struct report report = describe(d, version, deploy_state_find(&d->state, previous));
	report.state = "deploying";
	report.reason = "";
	reporter_tell(d->reporter_or_null, d->state.deployment_id, &report);
}

void deploy_tell_end(struct deployment *d, const char *state_or_null, const char *reason)
{
	struct report report;
	if (!describe_current(d, &report))
		return;
	report.state = state_or_null;
	report.reason = reason;
	reporter_end(d->reporter_or_null, d->state.deployment_id, &report);
}

void deploy_tell_tick(struct deployment *d)
{
	if (d->reporter_or_null != NULL)
		reporter_tick(d->reporter_or_null);
}
