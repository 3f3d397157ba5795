/* Owns the counters and histograms and their Prometheus text. */
#include "api/counters.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "store/deployment_state.h"

enum { STATUS_CLASSES = 6, METHODS = HTTP_OTHER + 1, BUCKETS = 12 };

struct histogram {
	_Atomic uint64_t buckets[BUCKETS + 1]; /* the last: +Inf */
	_Atomic uint64_t sum;
};

struct counters {
	_Atomic uint64_t requests[METHODS][STATUS_CLASSES];
	_Atomic uint64_t received_bytes, sent_bytes;
	struct histogram request_us;
	struct histogram commit_us;
	_Atomic uint64_t groups, group_jobs;
};

static const char *const class_names[STATUS_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
/* Upper bounds: from a cached read to a gigabyte upload. */
static const int64_t bounds_us[BUCKETS] = {50,	 100,	250,	500,	1000,	 2500,
					   5000, 25000, 100000, 500000, 2500000, 10000000};

static struct counters the_counters;

struct counters *counters_open(void)
{
	return &the_counters;
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void observe(struct histogram *h, int64_t value_us)
{
	unsigned bucket = 0;
	while (bucket < BUCKETS && value_us > bounds_us[bucket])
		bucket++;
	add(&h->buckets[bucket], 1);
	add(&h->sum, value_us > 0 ? (uint64_t)value_us : 0);
}

void counters_request(struct counters *counters, enum http_method method, int status,
		      int64_t received_bytes, int64_t sent_bytes, int64_t duration_us)
{
	unsigned status_class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
	add(&counters->requests[method][status_class], 1);
	add(&counters->received_bytes, (uint64_t)received_bytes);
	add(&counters->sent_bytes, (uint64_t)sent_bytes);
	observe(&counters->request_us, duration_us);
}

void counters_group(struct counters *counters, unsigned job_count, int64_t commit_us)
{
	add(&counters->groups, 1);
	add(&counters->group_jobs, job_count);
	observe(&counters->commit_us, commit_us);
}

static void write_head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(struct buffer *out, const char *name, const char *type, const char *help,
		      uint64_t value)
{
	write_head(out, name, type, help);
	buffer_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void write_histogram(struct buffer *out, const char *name, const char *help,
			    const struct histogram *h)
{
	uint64_t total = 0;
	write_head(out, name, "histogram", help);
	for (unsigned i = 0; i < BUCKETS; i++) {
		total += get(&h->buckets[i]);
		buffer_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			      (double)bounds_us[i] / 1e6, total);
	}
	total += get(&h->buckets[BUCKETS]);
	buffer_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, total);
	buffer_printf(out, "%s_sum %.6f\n%s_count %" PRIu64 "\n", name, (double)get(&h->sum) / 1e6,
		      name, total);
}

static void write_requests(const struct counters *counters, struct buffer *out)
{
	write_head(out, "trackerd_http_requests_total", "counter",
		   "Requests by method and class of status.");
	for (unsigned m = 0; m < METHODS; m++) {
		for (unsigned c = 0; c < STATUS_CLASSES; c++) {
			uint64_t value = get(&counters->requests[m][c]);
			if (value > 0)
				buffer_printf(out,
					      "trackerd_http_requests_total{method=\"%s\",status="
					      "\"%s\"} %" PRIu64 "\n",
					      http_method_name((enum http_method)m), class_names[c],
					      value);
		}
	}
}

static void write_deployments(const int64_t *counts, struct buffer *out)
{
	write_head(out, "trackerd_deployments", "gauge", "Deployments by state.");
	for (unsigned state = DEPLOYMENT_DEPLOYING; state <= DEPLOYMENT_STALE; state++)
		buffer_printf(out, "trackerd_deployments{state=\"%s\"} %" PRId64 "\n",
			      deployment_state_name((enum deployment_state)state), counts[state]);
}

static void write_gauges(const struct counters_gauges *g, struct buffer *out)
{
	write_one(out, "trackerd_connections_open", "gauge", "Connections that are open.",
		  g->connections_open);
	write_one(out, "trackerd_live_streams", "gauge", "Streams of live events.",
		  g->live_streams);
	write_one(out, "trackerd_live_waiters", "gauge", "Requests that wait for an alias.",
		  g->live_waiters);
	write_one(out, "trackerd_connections_total", "counter", "Connections accepted.",
		  g->connections_accepted);
	write_one(out, "trackerd_http_parse_errors_total", "counter",
		  "Requests refused by the HTTP parser.", g->parse_errors);
	write_one(out, "trackerd_jobs_in_flight", "gauge", "Requests being worked on.",
		  g->jobs_in_flight);
	write_head(out, "trackerd_queue_depth", "gauge", "Jobs that wait, by lane.");
	buffer_printf(out,
		      "trackerd_queue_depth{lane=\"worker\"} "
		      "%u\ntrackerd_queue_depth{lane=\"committer\"} %u\n"
		      "trackerd_queue_depth{lane=\"blob\"} %u\n",
		      g->queued_worker, g->queued_committer, g->queued_blob);
	write_deployments(g->deployments, out);
	write_one(out, "trackerd_read_only", "gauge", "1 after a failed write to disk.",
		  g->is_read_only);
	write_head(out, "trackerd_uptime_seconds", "gauge", "Seconds since start.");
	buffer_printf(out, "trackerd_uptime_seconds %.3f\n", (double)g->uptime_ms / 1000.0);
	write_one(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
		  (uint64_t)g->resident_bytes);
}

void counters_write(const struct counters *counters, const struct counters_gauges *gauges,
		    const char *version, struct buffer *out)
{
	write_head(out, "trackerd_build_info", "gauge", "Version of the daemon.");
	buffer_printf(out, "trackerd_build_info{version=\"%s\"} 1\n", version);
	write_requests(counters, out);
	write_one(out, "trackerd_http_received_bytes_total", "counter", "Bytes of request bodies.",
		  get(&counters->received_bytes));
	write_one(out, "trackerd_http_sent_bytes_total", "counter", "Bytes of reply bodies.",
		  get(&counters->sent_bytes));
	write_histogram(out, "trackerd_http_request_seconds", "Time from head to end of reply.",
			&counters->request_us);
	write_histogram(out, "trackerd_commit_seconds", "Time of COMMIT, with its fsync.",
			&counters->commit_us);
	write_one(out, "trackerd_commit_groups_total", "counter", "Groups written to disk.",
		  get(&counters->groups));
	write_one(out, "trackerd_commit_jobs_total", "counter", "Write requests in those groups.",
		  get(&counters->group_jobs));
	write_gauges(gauges, out);
}
