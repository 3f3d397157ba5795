/* Owns the running daemon: opens its parts in order, and closes them in reverse order on a signal. */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "api/api.h"
#include "api/artifact_service.h"
#include "api/deployment_service.h"
#include "api/live.h"
#include "api/mlflow_ui.h"
#include "api/webhook_service.h"
#include "base/clock.h"
#include "base/log.h"
#include "data_directory.h"
#include "http/access_log.h"
#include "http/http_server.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/metrics.h"
#include "supervision.h"

enum { EXPIRY_PERIOD_MS_MAX = 10 * 60 * 1000 };

struct server {
	const struct config *config;
	uv_loop_t loop;
	struct data_directory directory;
	struct api api;
	struct http_server *http;
	uv_signal_t signals[2];
	uv_timer_t expiry_timer; /* for uploads in parts */
	struct supervision *supervision;
	bool is_stopping;
	bool has_source_regex;
	regex_t source_regex;
};

/* ---- callbacks ---------------------------------------------------------------------------------- */

static void request_done_on_loop(const struct http_request *request, int status,
				 int64_t received_bytes, int64_t sent_bytes, int64_t duration_us,
				 void *ctx)
{
	struct server *server = ctx;
	counters_request(server->api.counters, request->method, status, received_bytes, sent_bytes,
			 duration_us);
	access_log(request, status, received_bytes, sent_bytes, duration_us);
}

static void request_came_on_loop(struct http_exchange *x, void *ctx)
{
	struct server *server = ctx;
	api_handle_on_loop(x, &server->api);
}

static void group_committed_on_committer(void *ctx, unsigned job_count, int64_t commit_us)
{
	struct server *server = ctx;
	counters_group(server->api.counters, job_count, commit_us);
	revision_advance(&server->api.revision);
}

static bool housekeeping_on_committer(void *ctx, struct db *tracker, bool is_idle)
{
	struct server *server = ctx;
	int64_t changes_before = db_changes_total(tracker);
	bool more = false;
	struct error err;
	char quoted[256];
	bool ok = metrics_housekeeping(tracker, is_idle, &more, &err);
	if (db_changes_total(tracker) != changes_before)
		revision_advance(&server->api.revision);
	if (ok)
		return more;
	log_event(LOG_WARN, "housekeeping_failed", "message=%s",
		  log_quote(slice_from_cstr(err.message), quoted, sizeof(quoted)));
	return false;
}

static void expiry_due_on_loop(uv_timer_t *timer)
{
	struct server *server = timer->data;
	artifact_service_expire_on_loop(server->api.artifacts);
}

/* ---- stop --------------------------------------------------------------------------------------- */

static void stop_services(struct server *server)
{
	supervision_stop_on_loop(server->supervision);
	webhook_service_stop_on_loop(server->api.webhooks);
	live_stop_on_loop(server->api.live);
	deployment_service_stop_on_loop(server->api.deployments);
}

/* Nothing of theirs is in flight any more. */
static void free_services(struct server *server)
{
	live_free(server->api.live);
	supervision_free(server->supervision);
	webhook_service_free(server->api.webhooks);
	deployment_service_free(server->api.deployments);
	artifact_service_free(server->api.artifacts);
}

static void jobs_closed_on_loop(void *ctx)
{
	struct server *server = ctx;
	free_services(server);
	for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++)
		uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static void http_closed_on_loop(void *ctx)
{
	struct server *server = ctx;
	server->http = NULL;
	server->api.http_or_null = NULL;
	jobs_close_on_loop(server->api.jobs, jobs_closed_on_loop, server);
}

static void signal_on_loop(uv_signal_t *handle, int signal_number)
{
	struct server *server = handle->data;
	log_event(LOG_INFO, "signal_received", "signal=%s", strsignal(signal_number));
	if (server->is_stopping)
		return;
	server->is_stopping = true;
	stop_services(server);
	uv_close((uv_handle_t *)&server->expiry_timer, NULL);
	http_server_close_on_loop(server->http, server->config->drain_timeout_ms,
				  http_closed_on_loop, server);
}

/* ---- start -------------------------------------------------------------------------------------- */

static bool open_jobs(struct server *server, struct error *err)
{
	const struct jobs_options options = {
		.tracker_path = server->directory.tracker_path,
		.blobs_path = server->directory.artifacts_path,
		.worker_count = (unsigned)server->config->workers,
		.query_timeout_ms = server->config->query_timeout_ms,
		.user_agent = "trackerd/" TRACKERD_VERSION,
		.group_committed_cb = group_committed_on_committer,
		.housekeeping_cb = housekeeping_on_committer,
		.ctx = server,
	};
	return jobs_open(&server->loop, &options, &server->api.jobs, err);
}

static bool open_http(struct server *server, struct error *err)
{
	const struct config *config = server->config;
	const struct http_server_options options = {
		.host = config->host,
		.port = config->port,
		.connections_max = (unsigned)config->connections_max,
		.head_timeout_ms = config->head_timeout_ms,
		.body_timeout_ms = config->body_timeout_ms,
		.idle_timeout_ms = config->idle_timeout_ms,
		.head_cb = request_came_on_loop,
		.done_cb = request_done_on_loop,
		.ctx = server,
	};
	return http_server_open(&server->loop, &options, &server->http, err);
}

static void watch_signals(struct server *server)
{
	const int numbers[] = {SIGTERM, SIGINT};
	for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++) {
		int failed = uv_signal_init(&server->loop, &server->signals[i]);
		ASSERT(failed == 0); /* only fails for a loop that is broken */
		server->signals[i].data = server;
		failed = uv_signal_start(&server->signals[i], signal_on_loop, numbers[i]);
		ASSERT(failed == 0);
	}
}

/* At once, for what expired while the daemon was down, and then often enough. */
static void start_expiry(struct server *server)
{
	int64_t period_ms = server->config->upload_expiry_ms / 4;
	if (period_ms > EXPIRY_PERIOD_MS_MAX)
		period_ms = EXPIRY_PERIOD_MS_MAX;
	int failed = uv_timer_init(&server->loop, &server->expiry_timer);
	ASSERT(failed == 0); /* cannot fail */
	server->expiry_timer.data = server;
	failed = uv_timer_start(&server->expiry_timer, expiry_due_on_loop, 0, (uint64_t)period_ms);
	ASSERT(failed == 0); /* has a callback */
}

static void fill_api(struct server *server)
{
	const struct config *config = server->config;
	server->api.router = router_new();
	revision_init(&server->api.revision);
	server->api.counters = counters_open();
	server->api.artifact_root = slice_from_cstr(config->artifact_root);
	server->api.allowed_origins = slice_from_cstr(config->allowed_origins);
	server->api.allowed_hosts = slice_from_cstr(config->allowed_hosts);
	server->api.webhook_rules = (struct webhook_rules){
		.allowed_schemes = config->webhook_allowed_schemes,
		.ca_file_or_null =
			config->webhook_ca_file[0] != '\0' ? config->webhook_ca_file : NULL,
		.allows_private_addresses = config->webhook_allow_private_addresses,
		.timeout_ms = config->webhook_timeout_ms,
	};
	server->api.public_url = slice_from_cstr(config->public_url);
	server->api.upload_expiry_ms = config->upload_expiry_ms;
	server->api.version = TRACKERD_VERSION;
	server->api.mlflow_version = config->mlflow_version;
	server->api.data_directory = config->data;
	server->api.started_ms = clock_wall_ms(clock_system());
}

static bool compile_source_regex(struct server *server, struct error *err)
{
	const char *text = server->config->model_source_regex;
	char why[128];
	if (*text == '\0')
		return true;
	int failed = regcomp(&server->source_regex, text, REG_EXTENDED | REG_NOSUB);
	if (failed != 0) {
		(void)regerror(failed, &server->source_regex, why, sizeof(why));
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "--model-source-regex: \"%s\" is not a POSIX extended regular "
				 "expression: %s",
				 text, why);
	}
	server->has_source_regex = true;
	server->api.model_source_regex_or_null = &server->source_regex;
	return true;
}

/* After a start that failed once the jobs were there. */
static void start_undone_on_loop(void *ctx)
{
	struct server *server = ctx;
	free_services(server);
}

static bool start(struct server *server, struct error *err)
{
	unsigned connections_max = (unsigned)server->config->connections_max;
	struct slice root = slice_from_cstr(server->config->artifact_root);
	if (!compile_source_regex(server, err))
		return false;
	if (!data_directory_open(server->config->data, root, &server->directory, err))
		return false;
	if (server->config->mlflow_ui[0] != '\0' &&
	    !mlflow_ui_open(server->config->mlflow_ui, &server->api.mlflow_ui_or_null, err))
		return false;
	if (!open_jobs(server, err))
		return false;
	if (!artifact_service_new(&server->api, &server->api.artifacts, err) ||
	    !webhook_service_new(&server->api, &server->loop, &server->api.webhooks, err) ||
	    !live_new(&server->api, &server->loop, clock_system(), connections_max, &server->api.live,
		      err) ||
	    !deployment_service_new(&server->api, &server->loop, &server->api.deployments, err) ||
	    !supervision_new(server->api.jobs, &server->loop, &server->supervision, err) ||
	    !open_http(server, err)) {
		stop_services(server);
		jobs_close_on_loop(server->api.jobs, start_undone_on_loop, server);
		return false;
	}
	server->api.http_or_null = server->http;
	artifact_service_start_on_loop(server->api.artifacts);
	webhook_service_start_on_loop(server->api.webhooks);
	deployment_service_start_on_loop(server->api.deployments);
	start_expiry(server);
	watch_signals(server);
	return true;
}

static void tell_that_it_listens(struct server *server)
{
	const struct config *config = server->config;
	unsigned port = http_server_port(server->http);
	char status[320];
	log_event(LOG_INFO, "listening", "host=%s port=%u data=%s version=%s pid=%ld", config->host,
		  port, config->data, TRACKERD_VERSION, (long)getpid());
	(void)snprintf(status, sizeof(status), "Listening on %s:%u", config->host, port);
	supervision_ready_on_loop(server->supervision, status);
}

bool server_run(const struct config *config, struct error *err)
{
	struct server *server = calloc(1, sizeof(*server));
	if (server == NULL || uv_loop_init(&server->loop) != 0) {
		free(server);
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	}
	/* Writes answer EPIPE and EFBIG instead; ignoring these signals cannot fail. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	json_reader_setup();
	server->config = config;
	server->directory.lock_fd = -1;
	fill_api(server);
	bool ok = start(server, err);
	if (ok)
		tell_that_it_listens(server);
	(void)uv_run(&server->loop, UV_RUN_DEFAULT); /* until all handles are closed */
	int busy = uv_loop_close(&server->loop);
	ASSERT(busy == 0);
	data_directory_close(&server->directory);
	router_free(server->api.router);
	if (server->has_source_regex)
		regfree(&server->source_regex);
	mlflow_ui_close(server->api.mlflow_ui_or_null);
	free(server);
	if (ok)
		log_event(LOG_INFO, "stopped", "pid=%ld", (long)getpid());
	return ok;
}
