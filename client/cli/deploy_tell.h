/* What the daemon is told of a deployment (src/reporter.h). Nothing of this fails, and all of it does
 * nothing for a deployment that is not reported. */
#ifndef CLI_DEPLOY_TELL_H
#define CLI_DEPLOY_TELL_H

#include "cli/deploy_switch.h"
#include "src/reporter.h"

/* A reporter to the CLI's server, which talks to standard error. Closed by reporter_close, also after
 * a failure. */
MUST_CHECK bool deploy_tell_open(struct reporter *r, struct cli *cli, int64_t heartbeat_ms,
				 struct error *err);
/* What is in use now, as `state` of struct report; NULL: as before, with something to add to the
 * reason. */
void deploy_tell(struct deployment *d, const char *state, const char *reason);
/* A version is on its way; until it is there the one called `previous` in versions/ is in use. */
void deploy_tell_begun(struct deployment *d, const struct deploy_version *version,
		       const char *previous);
/* What is in use now, for the last time. */
void deploy_tell_end(struct deployment *d, const char *state_or_null, const char *reason);
/* Sends what is due. */
void deploy_tell_tick(struct deployment *d);

#endif
