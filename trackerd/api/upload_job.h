/* Streams the body of a request into a staged blob (blobs.h), in chunks of BLOB_CHUNK_BYTES.
 *
 *     socket ─▶ gather (one chunk) ─▶ piece ─▶ LANE_BLOB: hash, append ─▶ …
 *                                       └ at most UPLOAD_PIECES_MAX of one upload and UPLOAD_ALL_PIECES_MAX of all are
 *                                         on their way; then the socket is paused
 *
 * The last, shorter chunk stays in `gather`: whoever owns the upload stores it in its own job,
 * together with what makes the upload whole (upload_finish_in_txn), so that a small file costs
 * one job. Nothing is visible before that. An upload that ends in any other way leaves rows that
 * the sweep removes.
 *
 * Loop thread, but for the functions that say otherwise. */
#ifndef API_UPLOAD_JOB_H
#define API_UPLOAD_JOB_H

#include "api/take_over.h"
#include "artifacts/blobs.h"

enum {
	UPLOAD_PIECES_MAX = 2,	    /* one is written while the next one waits */
	UPLOAD_ALL_PIECES_MAX = 24, /* MiB in the queue of LANE_BLOB */
	UPLOADS_MAX = 256, /* at once, each with up to 1 MiB gathered; more are told to try again */
};

struct upload_piece;

struct upload {
	struct take_over flow;
	struct blob_stage stage;
	struct buffer gather; /* the bytes of chunk next_seq */
	int64_t next_seq;
	struct upload_piece *first_waiting_or_null; /* full chunks that are not on their way yet */
	struct upload_piece *last_waiting_or_null;
	unsigned pieces_in_flight;
	bool is_body_complete;
	bool is_paused;
	bool is_in_line;	  /* for a slot of all uploads */
	bool is_stored;		  /* set by the owner: a row refers to stage.blob_pk */
	bool has_expected_sha256; /* the request says what it sends */
	unsigned char expected_sha256[SHA256_BYTES];
	int64_t bytes_max; /* set by the owner before it begins; 0 = ARTIFACT_BYTES_MAX */
	struct upload *next_in_line_or_null;
	void (*whole_cb)(struct upload *u);
	void (*closed_cb)(struct upload *u);
};

/* Shared by all uploads; zeroed at birth. */
struct upload_slots {
	unsigned upload_count;
	unsigned piece_count;
	struct upload *first_in_line_or_null;
	struct upload *last_in_line_or_null;
};

/* Takes the exchange and streams its body. `u` is zeroed but for bytes_max. whole_cb follows when the body is
 * complete and all chunks but the last are stored; closed_cb frees what `u` is embedded in, in
 * any case. False when there are too many uploads or the digest headers cannot be read: the
 * error is then replied, and the caller frees. May end the upload before it returns true. */
MUST_CHECK bool upload_begin(struct upload *u, struct api *api, struct http_exchange *x,
			     void (*whole_cb)(struct upload *u),
			     void (*closed_cb)(struct upload *u));

/* On LANE_BLOB, after whole_cb: appends the last chunk, checks the digest, names the blob. */
MUST_CHECK bool upload_finish_in_txn(struct upload *u, struct db *blobs, struct error *err);
/* The same in two parts, for a body that has to be looked at first, or that is only raw
 * material: append and check; name. The digest is in stage.sha256 after the first. */
MUST_CHECK bool upload_append_last_in_txn(struct upload *u, struct db *blobs, struct error *err);
MUST_CHECK bool upload_name_in_txn(struct upload *u, struct db *blobs, struct error *err);

#endif
