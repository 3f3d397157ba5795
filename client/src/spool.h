/* The spool of one run: a durable queue on disk between the threads that log and the one that
 * delivers.
 *
 * Appending writes a record into a memory-mapped segment under a mutex and returns; the record is
 * then in the kernel's page cache and survives the process. The deliverer reads records with a
 * spool_reader, sends them, and confirms sequences in order; segments that are confirmed to the
 * last record are removed (all but the first, which holds the start record), and so is the whole
 * folder when a run that was ended or closed is confirmed completely.
 *
 * Life: open (locks the folder; reads what an earlier process left, cuts a torn tail) → append,
 * confirm, wait → close. Records of an earlier process are never appended to: the first append
 * begins a new segment. Threads: append, sync_to_disk, wait_confirmed and counts from any thread;
 * confirm, wait_for_records and pause from the one that delivers. Nothing here prints or aborts on
 * disk trouble. */
#ifndef CLIENT_SPOOL_H
#define CLIENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "src/record.h"

enum {
	SPOOL_SEGMENT_BYTES_FIRST = 256 * 1024, /* doubles up to the maximum: short runs are small */
	SPOOL_SEGMENT_BYTES_MAX = 8 * 1024 * 1024,
	SPOOL_BATCH_RECORDS = 1000, /* wait_for_records returns at once when so many wait */
};

struct spool;

struct spool_options {
	const char *directory; /* of the run: SPOOL/<run id> */
	bool must_exist;
	uint64_t bytes_max; /* of all segments together */
};

/* What an earlier process left. */
struct spool_found {
	bool is_new;	      /* nothing: no record was ever written */
	bool is_open;	      /* its last life-cycle record is a start: the program died */
	int64_t last_time_ms; /* of the newest record that has a time; 0 if none has */
	uint64_t lost_count;  /* records missing between whole ones (a power cut): never silently */
	bool was_torn;	      /* a half-written record was cut off */
};

struct spool_counts {
	uint64_t accepted; /* appended through this handle */
	uint64_t waiting;  /* not yet confirmed */
	uint64_t rejected; /* confirmed as refused through this handle */
	uint64_t last_sequence;
	bool is_away; /* see spool_set_state */
};

/* Up to where whole records go. */
struct spool_end {
	uint32_t segment;
	size_t offset;
};

enum spool_state {
	SPOOL_FLOWING,
	SPOOL_AWAY,    /* the server cannot be reached */
	SPOOL_REFUSED, /* the server refuses the run: waiters need not wait */
};

enum spool_wait { SPOOL_CONFIRMED, SPOOL_TIMED_OUT, SPOOL_WAIT_REFUSED };

/* Fails with the codes of spool_directory_open, DATA_LOSS for an unknown format, STORAGE_FULL. */
MUST_CHECK bool spool_open(const struct spool_options *options, struct spool **out,
			   struct error *err);
const struct spool_found *spool_found(const struct spool *s);
/* Where the run's latest start record says to send; "" when there is none. Valid while the spool is
 * open. */
const char *spool_url(const struct spool *s);
/* Absolute path and descriptor of the folder. */
const char *spool_path(const struct spool *s);
int spool_directory_fd(const struct spool *s);
/* Releases everything; removes the folder if all is confirmed and the run is not open. No thread
 * may be inside. */
void spool_close(struct spool *s);
/* In a forked child: frees the copy, and leaves folder, lock and waiters to the parent. */
void spool_abandon(struct spool *s);

/* Any record but metrics. Fails: STORAGE_FULL (disk), REQUEST_LIMIT_EXCEEDED (bytes_max),
 * REQUEST_TOO_LARGE (memory or a payload beyond SEGMENT_PAYLOAD_BYTES_MAX). */
MUST_CHECK bool spool_append(struct spool *s, const struct record *record, struct error *err);
/* One point. Its name is checked (record_check_name) and given a number on first use in a
 * segment. */
MUST_CHECK bool spool_append_metric(struct spool *s, const struct record_metric *metric,
				    struct error *err);
/* A new number N for a file "file-N" in the folder; spool_file_end once it is written and its
 * record appended, or after failure. */
uint64_t spool_file_begin(struct spool *s);
void spool_file_end(struct spool *s);
/* Everything appended before the call survives a power cut once this returns true. */
MUST_CHECK bool spool_sync_to_disk(struct spool *s, struct error *err);
/* Waits until `sequence` is confirmed; timeout_ms < 0: for ever. Meanwhile the deliverer
 * hurries. */
enum spool_wait spool_wait_confirmed(struct spool *s, uint64_t sequence, int64_t timeout_ms);
void spool_counts(struct spool *s, struct spool_counts *out);

/* Deliverer: waits for a record after `sequence`, then up to linger_ms more for a batch to fill.
 * False when stopped. */
MUST_CHECK bool spool_wait_for_records(struct spool *s, uint64_t sequence, int64_t linger_ms);
/* Deliverer: sleeps before the next attempt; less while someone waits for a confirmation, if it may
 * hurry. False when stopped. */
MUST_CHECK bool spool_pause(struct spool *s, int64_t pause_ms, bool may_hurry);
/* Wakes the deliverer for good. */
void spool_stop(struct spool *s);
/* Everything up to `sequence` is delivered, or set aside (`rejected` of them). Written to the
 * cursor first. */
MUST_CHECK bool spool_confirm(struct spool *s, uint64_t sequence, uint64_t rejected,
			      struct error *err);
uint64_t spool_confirmed(struct spool *s);
void spool_set_state(struct spool *s, enum spool_state state);
struct spool_end spool_end(struct spool *s);

#endif
