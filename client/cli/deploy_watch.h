/* "trk deploy --watch": follows an alias and deploys what it names.
 *
 * The directory is held all the while. A move is heard of by a long question (src/alias_poll.h). While
 * the server is away, or has no such alias, what is there stays in use, and the next answer is caught
 * up with. A version that cannot be fetched is tried again after a second, doubling up to five
 * minutes; one whose hook or health check failed disturbs the service each time, so it is tried again
 * after retry_ms, doubling up to an hour. A move of the alias ends either wait.
 *
 * Each event is a line: on standard error, or with --json an object on standard output:
 * {"event", "time_ms", "model", "alias", "version", "reason"} and, of deployments, those of "trk deploy";
 * events are watching, active, unchanged, failed, missing, away, back, stopped. */
#ifndef CLI_DEPLOY_WATCH_H
#define CLI_DEPLOY_WATCH_H

#include "cli/deploy_switch.h"

struct deploy_watch_options {
	const char *path;
	struct deploy_settings settings; /* .alias: what to follow */
	int64_t keep, retry_ms;
};

/* Returns true after SIGTERM or SIGINT, between steps: a deployment under way is put back first. Fails
 * when the directory cannot be had. */
MUST_CHECK bool deploy_watch(struct deployment *d, const struct deploy_watch_options *options,
			     struct error *err);

#endif
