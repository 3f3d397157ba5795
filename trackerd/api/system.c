/* Owns the endpoints about the daemon itself: health, versions, counters, and the figures trk doctor shows. */
#include "api/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/live.h"
#include "api/deployment_service.h"
#include "base/clock.h"

enum { TEXT_BYTES_MAX = 64 * 1024 };

static void reply_text(struct api *api, struct http_exchange *x, int status,
		       const char *content_type, struct buffer *body)
{
	struct http_reply reply = {.status = status, .content_type = content_type};
	api_reply_headers(api, x, &reply);
	http_exchange_reply(x, &reply, body);
	http_exchange_release(x);
	buffer_deinit(body);
}

static void health_take_over_on_loop(struct api *api, struct http_exchange *x,
				     const struct route_match *match)
{
	struct buffer body;
	bool is_read_only = jobs_is_read_only(api->jobs);
	(void)match;
	buffer_init(&body, TEXT_BYTES_MAX);
	buffer_append_cstr(&body,
			   is_read_only
				   ? "READ-ONLY: a write to the disk failed; check it, then restart"
				   : "OK");
	reply_text(api, x, is_read_only ? 503 : 200, "text/plain; charset=utf-8", &body);
}

static void version_take_over_on_loop(struct api *api, struct http_exchange *x,
				      const struct route_match *match)
{
	struct buffer body;
	(void)match;
	buffer_init(&body, TEXT_BYTES_MAX);
	buffer_append_cstr(&body, api->mlflow_version);
	reply_text(api, x, 200, "text/plain; charset=utf-8", &body);
}

/* Second number of /proc/self/statm, in pages; 0 where there is no procfs. */
static int64_t resident_bytes(void)
{
	long long pages_total = 0, pages_resident = 0;
	FILE *statm = fopen("/proc/self/statm", "re");
	if (statm == NULL)
		return 0;
	if (fscanf(statm, "%lld %lld", &pages_total, &pages_resident) != 2)
		pages_resident = 0;
	(void)fclose(statm); /* opened for reading */
	return (int64_t)pages_resident * sysconf(_SC_PAGESIZE);
}

static void metrics_take_over_on_loop(struct api *api, struct http_exchange *x,
				      const struct route_match *match)
{
	struct counters_gauges gauges = {
		.jobs_in_flight = jobs_in_flight(api->jobs),
		.queued_worker = jobs_queue_depth(api->jobs, LANE_WORKER),
		.queued_committer = jobs_queue_depth(api->jobs, LANE_COMMITTER),
		.queued_blob = jobs_queue_depth(api->jobs, LANE_BLOB),
		.uptime_ms = clock_wall_ms(clock_system()) - api->started_ms,
		.resident_bytes = resident_bytes(),
		.is_read_only = jobs_is_read_only(api->jobs),
		.deployments = deployment_service_counts_on_loop(api->deployments),
	};
	struct buffer body;
	(void)match;
	live_counts(api->live, &gauges.live_streams, &gauges.live_waiters);
	if (api->http_or_null != NULL) {
		struct http_server_counts counts = http_server_counts(api->http_or_null);
		gauges.connections_open = counts.connections_open;
		gauges.connections_accepted = counts.connections_accepted;
		gauges.parse_errors = counts.parse_errors;
	}
	buffer_init(&body, TEXT_BYTES_MAX);
	counters_write(api->counters, &gauges, api->version, &body);
	reply_text(api, x, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}

const struct endpoint system_health = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = health_take_over_on_loop,
	.summary = "Is the daemon up and able to write?",
};
const struct endpoint system_version = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = version_take_over_on_loop,
	.summary = "The MLflow version whose API is spoken",
};
const struct endpoint system_metrics = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = metrics_take_over_on_loop,
	.summary = "Counters in Prometheus' text format",
};

static void server_info_encode(const struct call *call, struct json_writer *w)
{
	(void)call;
	json_object_begin(w);
	json_put_cstr(w, "store_type",
		      "SqlStore"); /* what clients know a server with a database by */
	json_put_bool(w, "workspaces_enabled", false);
	json_object_end(w);
}

const struct endpoint system_server_info = {
	.kind = ENDPOINT_READ,
	.encode = server_info_encode,
	.summary = "What MLflow clients probe for once",
};
