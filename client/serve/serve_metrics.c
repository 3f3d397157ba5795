/* Owns the counters of serving and their Prometheus text. */
#include "serve/serve_metrics.h"

#include <inttypes.h>

/* Upper bounds: from a model that is a table to one that is asked for a picture. */
static const int64_t bounds_us[SERVE_METRICS_BUCKETS] = {100,	 250,	  500,	   1000,    2500,
							 5000,	 10000,	  25000,   100000,  250000,
							 500000, 1000000, 5000000, 30000000};

void serve_metrics_request(struct serve_metrics *m, int status, int64_t duration_us)
{
	unsigned bucket = 0;
	while (bucket < SERVE_METRICS_BUCKETS && duration_us > bounds_us[bucket])
		bucket++;
	m->requests[status > 0 && status < 600 ? status : 0]++;
	m->buckets[bucket]++;
	m->duration_us += duration_us > 0 ? (uint64_t)duration_us : 0;
}

static void write_head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP trk_serve_%s %s\n# TYPE trk_serve_%s %s\n", name, help, name,
		      type);
}

static void write_requests(const struct serve_metrics *m, struct buffer *out)
{
	write_head(out, "requests_total", "counter",
		   "Requests for predictions by status; 0: the client had gone.");
	for (size_t status = 0; status < ARRAY_COUNT(m->requests); status++) {
		if (m->requests[status] > 0)
			buffer_printf(out, "trk_serve_requests_total{status=\"%zu\"} %" PRIu64 "\n",
				      status, m->requests[status]);
	}
}

static void write_durations(const struct serve_metrics *m, struct buffer *out)
{
	uint64_t total = 0;
	write_head(out, "request_seconds", "histogram",
		   "Time from the head of a request for predictions to the end of its reply.");
	for (unsigned i = 0; i < SERVE_METRICS_BUCKETS; i++) {
		total += m->buckets[i];
		buffer_printf(out, "trk_serve_request_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			      (double)bounds_us[i] / 1e6, total);
	}
	total += m->buckets[SERVE_METRICS_BUCKETS];
	buffer_printf(out,
		      "trk_serve_request_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
		      "trk_serve_request_seconds_sum %.6f\n"
		      "trk_serve_request_seconds_count %" PRIu64 "\n",
		      total, (double)m->duration_us / 1e6, total);
}

/* As the value of a label. */
static void write_label(struct buffer *out, const char *name, const char *value)
{
	buffer_printf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buffer_append(out, SLICE("\\n"));
		else if (*value == '"' || *value == '\\')
			buffer_printf(out, "\\%c", *value);
		else
			buffer_append_byte(out, *value);
	}
	buffer_append_byte(out, '"');
}

static void write_model(const struct served_model *model, struct buffer *out)
{
	const struct {
		const char *name, *value;
	} labels[] = {{"model", model->model},
		      {"version", model->version},
		      {"alias", model->alias},
		      {"run_id", model->run_id}};
	write_head(out, "model_info", "gauge", "The version that is served.");
	buffer_append_cstr(out, "trk_serve_model_info{");
	for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
		buffer_append_cstr(out, i > 0 ? "," : "");
		write_label(out, labels[i].name, labels[i].value);
	}
	buffer_append_cstr(out, "} 1\n");
}

void serve_metrics_write(const struct serve_metrics *m, const struct serve_gauges *g,
			 struct buffer *out)
{
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{"queue_length", "gauge", "Requests that wait for a worker.", g->queued},
		{"queue_length_max", "gauge", "More than these are refused.", g->queue_max},
		{"workers_ready", "gauge", "Workers that are ready or busy.", g->workers_ready},
		{"workers_wanted", "gauge", "Workers there should be.", g->workers_wanted},
		{"worker_restarts_total", "counter", "Workers that were lost.", m->restarts},
		{"reloads_total", "counter", "Versions that came into use.", m->reloads},
		{"reloads_failed_total", "counter", "Versions that were refused.",
		 m->failed_reloads},
		{"connections_open", "gauge", "Connections that are open.", g->connections_open},
		{"server_reachable", "gauge", "0 while the registry cannot be asked.",
		 g->is_server_reachable},
		{"version_since_seconds", "gauge", "When the version came into use (Unix time).",
		 (uint64_t)g->since_ms / 1000},
	};
	if (g->model_or_null != NULL)
		write_model(g->model_or_null, out);
	write_requests(m, out);
	write_durations(m, out);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		write_head(out, rows[i].name, rows[i].type, rows[i].help);
		buffer_printf(out, "trk_serve_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
	}
}
