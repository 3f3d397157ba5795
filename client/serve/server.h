/* The server of predictions: HTTP in front, workers behind, versions that come and go. One thread.
 *
 *     POST /invocations   MLflow's shapes in JSON (inputs.h), or CSV (inputs_csv.h);
 *                         {"predictions": …}, with X-Model-Version
 *     GET /ping, /health  200 when a worker is ready, else 503
 *     GET /version        what is served, and since when
 *     GET /metrics        Prometheus
 *
 * A request waits in a queue for a worker. The queue is bounded: beyond it, 503 with Retry-After. A worker that is
 * lost costs its request 502, one that takes too long 504. A client that goes away is forgotten. */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "base/error.h"
#include "serve/served_model.h"

#include <stddef.h>
#include <stdint.h>

struct server_options {
	const char *host; /* numeric, or "localhost" */
	unsigned port;	  /* 0 = the kernel chooses */
	const char *allowed_hosts; /* names that the Host header may carry, comma-separated; "*" for any */
	const char *command;
	size_t worker_count; /* 1 to WORKERS_MAX */
	size_t queue_max;
	size_t body_bytes_max;
	int64_t timeout_ms;	  /* for an answer, and for waiting in the queue */
	int64_t start_timeout_ms; /* for the answer to the probe */
	/* The one version that is served, or else who looks for it (follower.h). */
	const struct served_model *fixed_or_null;
	int (*follow)(void *ctx, int input_fd, int output_fd, const char *active_name, const char *address);
	void *follow_ctx;
};

/* Serves until SIGTERM, SIGINT or SIGHUP; then it takes no more connections, answers what it has, and ends its
 * workers. A second signal cuts that short. Fails when it cannot listen, or when there is nothing to serve. The
 * process must have one thread. Borrows options for the call. */
MUST_CHECK bool server_run(const struct server_options *options, struct error *err);

#endif
