/* Counts of what the daemon did, for Prometheus (GET /metrics, text format 0.0.4). All functions are thread-safe. */
#ifndef API_COUNTERS_H
#define API_COUNTERS_H

#include <stdint.h>

#include "base/buffer.h"
#include "http/http_message.h"

struct counters;

/* Never fails: counters live in static storage of the one daemon that a process holds. */
struct counters *counters_open(void);

/* A request was answered; status 0: the peer went away before. */
void counters_request(struct counters *counters, enum http_method method, int status, int64_t received_bytes,
		      int64_t sent_bytes, int64_t duration_us);
/* The committer wrote a group to disk. */
void counters_group(struct counters *counters, unsigned job_count, int64_t commit_us);

/* Figures that are read, not counted; filled by the caller. */
struct counters_gauges {
	unsigned connections_open;
	unsigned live_streams, live_waiters; /* of live events and of aliases */
	uint64_t connections_accepted;
	uint64_t parse_errors;
	unsigned jobs_in_flight;
	unsigned queued_worker, queued_committer, queued_blob;
	int64_t uptime_ms;
	int64_t resident_bytes;
	bool is_read_only;
	const int64_t *deployments; /* by enum deployment_state; borrowed */
};

/* Appends the exposition text. */
void counters_write(const struct counters *counters, const struct counters_gauges *gauges, const char *version,
		    struct buffer *out);

#endif
