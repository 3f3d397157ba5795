/* The daemon's API as a whole: what server.c opens, and what take-over endpoints may use. Loop thread. */
#ifndef API_API_H
#define API_API_H

#include <regex.h>

#include "api/counters.h"
#include "api/endpoint.h"
#include "api/revision.h"
#include "api/router.h"
#include "api/webhook_url.h"
#include "http/http_server.h"
#include "jobs/jobs.h"

struct artifact_service;
struct deployment_service;
struct live;
struct mlflow_ui;
struct webhook_service;

struct api {
	struct jobs *jobs;
	struct router *router;
	struct counters *counters;
	struct artifact_service *artifacts; /* artifact_service.h */
	struct webhook_service *webhooks;   /* webhook_service.h */
	struct webhook_rules webhook_rules;
	struct live *live;                  /* live.h */
	struct deployment_service *deployments; /* deployment_service.h */
	const struct http_server *http_or_null; /* for its counts; set once it listens */
	struct mlflow_ui *mlflow_ui_or_null; /* when --mlflow-ui is given */
	struct slice artifact_root;   /* default root of new experiments, "mlflow-artifacts:/" */
	struct slice allowed_origins; /* comma-separated list, "*" or empty: who besides our own page may call us */
	struct slice allowed_hosts;   /* comma-separated names that the Host header may carry besides addresses and
	                                 localhost; "*" switches the check off */
	struct slice public_url;      /* where clients reach us, without a slash at the end; empty: as Host says */
	const regex_t *model_source_regex_or_null; /* what sources of model versions must match; see regexec */
	int64_t upload_expiry_ms;     /* uploads in parts that nobody touched for so long are given up */
	const char *version;          /* of trackerd */
	const char *mlflow_version;   /* what /version says to MLflow clients */
	const char *data_directory;
	struct revision revision;     /* of tracker.db */
	int64_t started_ms;
};

/* A request's head came: checks host and origin, routes, and starts the endpoint. */
void api_handle_on_loop(struct http_exchange *x, struct api *api);

/* Replies with MLflow's error body and releases the exchange. Adds CORS headers, and Retry-After to a 503. */
void api_reply_error(struct api *api, struct http_exchange *x, const struct error *err);
/* Adds the headers every reply of ours carries (CORS when the Origin is allowed, nosniff) to `reply`. */
void api_reply_headers(const struct api *api, const struct http_exchange *x, struct http_reply *reply);

#endif
