/* What is counted about serving, and its Prometheus text. Loop thread. */
#ifndef SERVE_SERVE_METRICS_H
#define SERVE_SERVE_METRICS_H

#include <stdint.h>

#include "base/buffer.h"
#include "serve/served_model.h"

enum { SERVE_METRICS_BUCKETS = 14 };

/* Zeroed at first. */
struct serve_metrics {
	uint64_t requests[600];				 /* of /invocations, by status; [0]: the client had gone */
	uint64_t buckets[SERVE_METRICS_BUCKETS + 1]; /* of their durations; the last: longer */
	uint64_t duration_us;				 /* of all together */
	uint64_t restarts;				 /* workers that were replaced */
	uint64_t reloads, failed_reloads;		 /* versions that came, and that were refused */
};

/* As things stand when they are asked for. */
struct serve_gauges {
	size_t queued, queue_max;
	size_t workers_ready, workers_wanted;
	size_t connections_open;
	bool is_server_reachable;
	int64_t since_ms;
	const struct served_model *model_or_null;
};

void serve_metrics_request(struct serve_metrics *m, int status, int64_t duration_us);
void serve_metrics_write(const struct serve_metrics *m, const struct serve_gauges *g, struct buffer *out);

#endif
