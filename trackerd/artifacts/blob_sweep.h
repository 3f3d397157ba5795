/* Deletes blobs that no artifact refers to: what a crash or an abandoned upload left, and what a
 * deletion or a replacement set free.
 *
 * The hard part is a blob that an upload finds by its digest at the very moment it is swept. The
 * order of steps rules that out; each step sees the commits of the one before:
 *
 *   find    worker     candidates: blobs without a row: in artifact_files, among the parts of an
 *                      upload (multipart.h), or among the parts of another blob
 *   unname  LANE_BLOB  leaves out pinned ones (blob_pins.h); takes the others' names away. From here
 *                      on no upload finds them. One that found a blob before pinned it in that same
 *                      thread, so either the pin is still there, or its row is committed,
 *   check   worker     … and seen here: a blob that has a row by now gets its name back
 *   delete  LANE_BLOB  the others are deleted, some chunks at a time, unless a download has pinned
 *                      them meanwhile
 *
 * Parts of a blob that was deleted are candidates of a later batch.
 *
 * A crash in between leaves a blob without a name: if it has rows it is only never shared again;
 * if not, the scan at the next start finds it. Pinned ones are put off until blob_sweep_retry.
 *
 * One batch at a time. The owner (one thread, here called the loop) calls the functions in the
 * order above; the sweep travels with the job. */
#ifndef ARTIFACTS_BLOB_SWEEP_H
#define ARTIFACTS_BLOB_SWEEP_H

#include "artifacts/artifact_tree.h"
#include "artifacts/blob_pins.h"
#include "artifacts/blobs.h"

enum {
	BLOB_SWEEP_BATCH_MAX = 64,
	BLOB_SWEEP_CHUNKS_MAX = 16, /* deleted in one transaction: 16 MiB */
};

enum blob_sweep_fate {
	BLOB_SWEEP_CANDIDATE, /* no row when found */
	BLOB_SWEEP_KEEP,      /* has a row */
	BLOB_SWEEP_PUT_OFF,   /* pinned */
	BLOB_SWEEP_DELETE,
};

struct blob_sweep_item {
	int64_t blob_pk;
	enum blob_sweep_fate fate;
	bool had_name;
	unsigned char name[SHA256_BYTES];
};

struct blob_sweep {
	struct blob_pins *pins;
	struct blob_pk_list waiting; /* heap; candidates of later batches */
	struct blob_pk_list put_off; /* heap */
	struct blob_pk_list freed;   /* heap; of the step under way: parts of blobs it deletes */
	bool is_scanning;
	int64_t scan_after_pk;
	struct blob_sweep_item batch[BLOB_SWEEP_BATCH_MAX];
	size_t batch_count;
	size_t deleted_count;	   /* of the batch: items that need no more steps */
	size_t step_deleted_count; /* what deleted_count becomes when the step is committed */
	uint64_t blobs_deleted;	   /* since init */
};

/* Keeps `pins`. */
void blob_sweep_init(struct blob_sweep *sweep, struct blob_pins *pins);
void blob_sweep_deinit(struct blob_sweep *sweep);

/* On the loop. */

/* Asks for all blobs to be looked at, once. */
void blob_sweep_scan(struct blob_sweep *sweep);
/* Adds candidates; may be called while a batch is under way on another thread. Forgets them when
 * there is no memory: the next start finds them. */
void blob_sweep_add(struct blob_sweep *sweep, const int64_t *blob_pks, size_t count);
/* Pins were dropped: what was put off is a candidate again. */
void blob_sweep_retry(struct blob_sweep *sweep);
/* Prepares the next batch. False when there is nothing to do. */
bool blob_sweep_begin(struct blob_sweep *sweep);
/* After find: is there anything to delete? */
bool blob_sweep_has_candidates(const struct blob_sweep *sweep);
bool blob_sweep_has_put_off(const struct blob_sweep *sweep);
/* After a committed delete step: true when the batch needs another one. */
bool blob_sweep_goes_on(struct blob_sweep *sweep);

/* On the lanes. */

MUST_CHECK bool blob_sweep_find(struct blob_sweep *sweep, struct db *tracker, struct db *blobs,
				struct error *err);
MUST_CHECK bool blob_sweep_unname_in_txn(struct blob_sweep *sweep, struct db *blobs,
					 struct error *err);
MUST_CHECK bool blob_sweep_check(struct blob_sweep *sweep, struct db *tracker, struct db *blobs,
				 struct error *err);
MUST_CHECK bool blob_sweep_delete_in_txn(struct blob_sweep *sweep, struct db *blobs,
					 struct error *err);

#endif
