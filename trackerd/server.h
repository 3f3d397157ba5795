/* The daemon from start to stop: data directory, databases, jobs, HTTP, signals. */
#ifndef SERVER_H
#define SERVER_H

#include "base/error.h"
#include "config.h"

/* Runs until SIGTERM or SIGINT, then drains: no new connections, open requests finish (at most
 * drain_timeout_ms), everything is committed and checkpointed. Fails with a sentence for the operator when it cannot
 * start. Main thread, once. */
MUST_CHECK bool server_run(const struct config *config, struct error *err);

#endif
