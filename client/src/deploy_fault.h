/* Where a deployment can be killed by a test: builds with tests die, as by kill -9, at the point that
 * $TRK_DEPLOY_FAULT names; all others have no such points. */
#ifndef CLIENT_DEPLOY_FAULT_H
#define CLIENT_DEPLOY_FAULT_H

#ifdef TRACKERD_TESTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline void deploy_fault_point(const char *name)
{
	const char *wanted =
		getenv("TRK_DEPLOY_FAULT"); // NOLINT(concurrency-mt-unsafe): one thread
	if (wanted != NULL && strcmp(wanted, name) == 0)
		(void)raise(SIGKILL);
}

#define DEPLOY_FAULT(name) deploy_fault_point(name)

#else

#define DEPLOY_FAULT(name) ((void)0)

#endif

#endif
