/* What the server refused, set aside where a person can look: SPOOL/rejected/<run id>.jsonl, one
 * JSON object a line with the record, the server's reason and the time; refused files lie beside it
 * as <run id>-file-N. */
#ifndef CLIENT_REJECTS_H
#define CLIENT_REJECTS_H

#include <stdbool.h>

#include "base/error.h"
#include "src/record.h"

/* More lines than that say nothing new; they are counted only. */
enum { REJECTS_BYTES_MAX = 16 * 1024 * 1024 };

/* `record_or_null` is NULL for an unreadable record. Survives the process at once. */
MUST_CHECK bool rejects_append(int run_directory_fd, const char *run_id, uint64_t sequence,
			       const struct record *record_or_null, const char *reason,
			       struct error *err);
/* "metric loss", "param alpha", "file model.bin": for sentences. */
void rejects_describe(const struct record *record_or_null, char *text, size_t text_bytes);

#endif
