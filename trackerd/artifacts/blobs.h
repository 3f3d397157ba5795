/* The blob store: runs of bytes in chunks of BLOB_CHUNK_BYTES, each stored once, named by
 * SHA-256 (artifacts.db).
 *
 * Writing. A blob_stage is a blob under way. Its bytes come in chunks, each appended in a
 * transaction of LANE_BLOB; finish names it, or finds an older blob with the same bytes and
 * takes that one. Until then the row has no name, so nobody finds it. A crash leaves rows that
 * no artifact refers to: blob_sweep.h deletes them.
 *
 * Functions with _in_txn may be run again after their transaction was rolled back (job.h): they
 * compute the same. The caller must append chunks in order 0, 1, 2 … in the order of the
 * thread's transactions.
 *
 * A blob may also consist of other blobs, its parts (blob_parts), so that a file that came in
 * parts needs no copying. Nobody who reads a blob sees a difference. Parts have chunks, never
 * parts of their own, and live as long as a blob that consists of them. Its name is the SHA-256
 * of all its bytes like any other's: blob_stage_hash_parts reads them once for that, since the
 * digests of parts do not add up to the digest of the whole.
 *
 * Reading takes any connection to artifacts.db and touches at most one chunk a call. */
#ifndef ARTIFACTS_BLOBS_H
#define ARTIFACTS_BLOBS_H

#include "artifacts/blob_pins.h"
#include "digest/digest.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

/* Fields are read by the owner when no job of the upload is in flight, else by LANE_BLOB only. */
struct blob_stage {
	struct blob_pins *pins;
	struct blob_pin pin; /* holds staged_pk and blob_pk */
	struct digest hash;
	int64_t hashed_bytes;
	int64_t size;			    /* after finish */
	unsigned char sha256[SHA256_BYTES]; /* after finish */
	int64_t staged_pk;		    /* the row our chunks are in; 0 before the first */
	int64_t blob_pk; /* after finish: staged_pk, or an older blob with the same bytes */
};

/* Keeps `pins`. */
MUST_CHECK bool blob_stage_init(struct blob_stage *stage, struct blob_pins *pins,
				struct error *err);
/* Drops the pin. The owner sees to it that a row nobody refers to is swept. Also for a zeroed
 * stage. */
void blob_stage_deinit(struct blob_stage *stage);
/* Appends chunk `seq`: exactly BLOB_CHUNK_BYTES, or fewer for the last one, which must not be
 * empty. */
MUST_CHECK bool blob_stage_append_in_txn(struct blob_stage *stage, struct db *blobs, int64_t seq,
					 struct slice bytes, struct error *err);
/* Appends the rest as chunk `seq` and names the blob; an empty rest is no chunk, and only an
 * empty blob has that as `seq` 0. With expected_or_null, fails with INVALID_PARAMETER_VALUE when
 * the bytes have another digest. Sets blob_pk, size and sha256. */
MUST_CHECK bool blob_stage_finish_in_txn(struct blob_stage *stage, struct db *blobs, int64_t seq,
					 struct slice rest, const unsigned char *expected_or_null,
					 struct error *err);
/* For bytes that need no name: sets size and sha256 from what was appended, and compares as
 * finish does. */
MUST_CHECK bool blob_stage_check(struct blob_stage *stage, const unsigned char *expected_or_null,
				 struct error *err);

/* A blob, and how many bytes it has. */
struct blob_part {
	int64_t blob_pk;
	int64_t size; /* > 0 */
};
struct blob_part_list {
	struct blob_part *items;
	size_t count;
};

/* Adds to the digest the next bytes of the parts in their order, bytes_max and up to a chunk more,
 * beginning where the last call ended. *is_done_out: there are no more. Instead of append, with
 * any connection. The caller keeps the parts pinned. */
MUST_CHECK bool blob_stage_hash_parts(struct blob_stage *stage, struct db *blobs,
				      const struct blob_part_list *parts, int64_t bytes_max,
				      bool *is_done_out, struct error *err);
/* After that, instead of finish: names the blob that consists of these parts. */
MUST_CHECK bool blob_stage_finish_parts_in_txn(struct blob_stage *stage, struct db *blobs,
					       const struct blob_part_list *parts,
					       struct error *err);

/* Appends to `out` the bytes from `offset` to the end of their chunk, but at most bytes_max (>
 * 0). Fails with DATA_LOSS when there are none. */
MUST_CHECK bool blobs_read(struct db *blobs, int64_t blob_pk, int64_t offset, size_t bytes_max,
			   struct buffer *out, struct error *err);

/* Keeps the chunk that was read last, for callers that read many small ranges in order. */
struct blob_reader {
	int64_t blob_pk; /* 0 = none */
	int64_t begin;	 /* of the chunk, in the blob */
	struct buffer chunk;
};
void blob_reader_init(struct blob_reader *reader);
void blob_reader_deinit(struct blob_reader *reader);
/* *out is what `blob_pk` holds from `offset` to the end of that chunk, valid until the next
 * call. Fails with DATA_LOSS when there is nothing. */
MUST_CHECK bool blob_reader_at(struct blob_reader *reader, struct db *blobs, int64_t blob_pk,
			       int64_t offset, struct slice *out, struct error *err);

/* For the sweep. The next blobs in order of their number. */
MUST_CHECK bool blobs_list(struct db *blobs, int64_t after_pk, int64_t *pks, size_t count_max,
			   size_t *count_out, struct error *err);
/* Takes the name away, so that no upload finds the blob any more; the name goes to `name` if
 * there was one. */
MUST_CHECK bool blobs_unname_in_txn(struct db *blobs, int64_t blob_pk, bool *had_name_out,
				    unsigned char name[SHA256_BYTES], struct error *err);
/* Gives it back, unless another blob has it by now. */
MUST_CHECK bool blobs_rename_in_txn(struct db *blobs, int64_t blob_pk,
				    const unsigned char name[SHA256_BYTES], struct error *err);
/* Does any blob consist of this one? */
MUST_CHECK bool blobs_is_part(struct db *blobs, int64_t blob_pk, bool *is_part_out,
			      struct error *err);
/* Takes the blob apart: calls part_cb with each of its parts, which nothing holds together any
 * more. For a blob of chunks it does nothing. */
MUST_CHECK bool blobs_release_parts_in_txn(struct db *blobs, int64_t blob_pk,
					   void (*part_cb)(int64_t part_pk, void *ctx), void *ctx,
					   struct error *err);
/* Deletes up to *chunk_budget chunks of the blob and counts them off; the blob itself with its
 * last chunk. Its parts are released before. */
MUST_CHECK bool blobs_delete_step_in_txn(struct db *blobs, int64_t blob_pk, int64_t *chunk_budget,
					 bool *is_gone_out, struct error *err);

#endif
