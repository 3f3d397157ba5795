/* What the service manager (systemd, Type=notify) is told of the daemon: ready, alive, stopping.
 *
 * It is alive when its loop and both its committers are: twice a period of the watchdog a job that does nothing goes
 * through all three, and only when it is back "WATCHDOG=1" is said. A committer that hangs so has the daemon restarted,
 * though its loop would go on. Errors of the databases are no reason: the daemon answers, and says what is wrong.
 *
 * Without a manager nothing is sent and no job is made. Loop thread. Life: new after jobs_open; ready once it listens;
 * stop when the daemon begins to stop; free after jobs_close_on_loop's closed_cb. */
#ifndef SUPERVISION_H
#define SUPERVISION_H

#include "base/error.h"
#include "jobs/jobs.h"

struct supervision;

/* Keeps `jobs`. Gives *out. */
MUST_CHECK bool supervision_new(struct jobs *jobs, struct uv_loop_s *loop, struct supervision **out,
				struct error *err);
/* `status` is a line for people, as in "systemctl status". */
void supervision_ready_on_loop(struct supervision *supervision, const char *status);
/* NULL is allowed, here and below. */
void supervision_stop_on_loop(struct supervision *supervision_or_null);
void supervision_free(struct supervision *supervision_or_null);

#endif
