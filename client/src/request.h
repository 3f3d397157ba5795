/* JSON bodies of the requests that the library sends. Each appends to a buffer; check it
 * afterwards. */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "src/record.h"

void request_create_experiment(struct buffer *out, struct slice name);
/* With the client's run id: the same request again answers the same run. */
void request_create_run(struct buffer *out, const char *run_id, const char *experiment_id,
			const struct record_start *start);
/* end_time_ms < 0: none. */
void request_update_run(struct buffer *out, const char *run_id, struct slice status,
			int64_t end_time_ms);
/* METRIC, METRIC_NAMED, PARAM and TAG records, in order. */
void request_log_batch(struct buffer *out, const char *run_id, const struct record *records,
		       size_t count);
/* Takes up to count_max pairs off *tags. */
void request_log_tags(struct buffer *out, const char *run_id, struct slice *tags,
		      uint32_t count_max);
void request_log_dataset(struct buffer *out, const char *run_id,
			 const struct record_dataset *dataset);

#endif
