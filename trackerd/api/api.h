/* The daemon's API as a whole: what server.c opens, and what take-over endpoints may use. Loop thread. */
#ifndef API_API_H
#define API_API_H

#include "api/endpoint.h"
#include "api/router.h"
#include "jobs/jobs.h"

struct config;
struct counters;

struct api {
	struct jobs *jobs;
	struct router *router;
	struct counters *counters;
	struct slice artifact_root;   /* default root of new experiments, "mlflow-artifacts:/" */
	struct slice allowed_origins; /* comma-separated list, "*" or empty */
	struct slice mlflow_version;  /* what /version says */
	int64_t started_ms;
	const char *data_directory;
};

/* head_cb of the HTTP server: routes, checks origin, and starts the endpoint. */
void api_handle_on_loop(struct http_exchange *x, void *api);

/* Replies with MLflow's error body and releases the exchange. Adds CORS headers, and Retry-After to a 503. */
void api_reply_error(struct api *api, struct http_exchange *x, const struct error *err);
/* Adds the headers every reply of ours carries (CORS when the Origin is allowed, nosniff) to `reply`. */
void api_reply_headers(const struct api *api, const struct http_exchange *x, struct http_reply *reply);

#endif
