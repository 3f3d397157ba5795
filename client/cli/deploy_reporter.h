/* What the daemon is told of a deployment, so that it knows what runs where.
 *
 * A server that is away never fails a deployment, nor holds it up for more than seconds: what could
 * not be told is told later by a watch, or else just noted on standard error. Each report holds all
 * of the state, so the newest is enough. A server that keeps no deployments is left in peace.
 *
 * It has a connection of its own, so that it can report while a download or a hook goes on, and is
 * not cut short by Ctrl-C. One thread. */
#ifndef CLI_DEPLOY_REPORTER_H
#define CLI_DEPLOY_REPORTER_H

#include "cli/deploy_switch.h"

struct deploy_reporter {
	struct cli *cli;
	struct api *api_or_null;
	struct arena arena;   /* of one request */
	char path[96];	      /* of the deployment's resource; "" before the first report */
	struct buffer report; /* the newest */
	int64_t heartbeat_ms; /* 0: sends none */
	int64_t due_ms;	      /* by the monotonic clock: when deploy_reporter_tick has work */
	unsigned failures;    /* since it was last heard */
	bool is_untold;	      /* the newest report has not been heard */
	bool is_unwanted;     /* the server keeps no deployments */
};

struct deploy_telling {
	const char *state;			   /* "deploying", "active", "rolled_back", "failed" */
	const struct deploy_version *version_or_null; /* in use, or on its way there */
	const struct deploy_version *previous_or_null;
	const char *reason; /* why it failed, or "" */
};

MUST_CHECK bool deploy_reporter_open(struct deploy_reporter *r, struct cli *cli,
				     int64_t heartbeat_ms, struct error *err);
void deploy_reporter_close(struct deploy_reporter *r);
/* Tells it now; what fails is tried again by deploy_reporter_tick. NULL for a deployment that is not
 * reported. */
void deploy_reporter_tell(struct deploy_reporter *r_or_null, const struct deployment *d,
			  const struct deploy_telling *telling);
/* Sends what is due: a report again, or a heartbeat. Cheap when nothing is. */
void deploy_reporter_tick(struct deploy_reporter *r);

#endif
