/* Uploads that come in parts (tracker.db): which there are, and which blob each part is.
 *
 *     create ─▶ put a part, in any order, several at once, again ─▶ complete: the file is there
 *                                                              └─▶ abort, or nobody came for long: nothing is
 *
 * A part is durable once its row is committed, so an upload goes on after a crash of either side.
 * While it is listed here its blob is kept. An upload that is complete stays known, without parts,
 * until it expires: completing it again is then no error.
 *
 * Functions with _in_txn run on the committer, inside its transaction, and may be run again; blobs
 * that lost a reference are added to `released`. The others take any connection. Results live in
 * the arena. An unknown upload is RESOURCE_DOES_NOT_EXIST where nothing else is said. */
#ifndef ARTIFACTS_MULTIPART_H
#define ARTIFACTS_MULTIPART_H

#include <stdint.h>

#include "artifacts/artifact_tree.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

enum { MULTIPART_EXPIRED_MAX = 4 }; /* uploads given up in one transaction */

struct multipart_upload {
	int64_t upload_pk;
	struct slice upload_id;
	struct slice path; /* of the file it becomes */
	int64_t part_count;
	bool is_complete;
	int64_t created_ms;
	int64_t touched_ms; /* when it was created, got its last part, or became complete */
};

struct multipart_part {
	int64_t number; /* 1 to part_count */
	int64_t blob_pk;
	int64_t size;
	unsigned char sha256[SHA256_BYTES];
};

struct multipart_part_list {
	struct multipart_part *items; /* in order of number */
	size_t count;
};

/* `upload` names id, path, part_count and created_ms. */
MUST_CHECK bool multipart_create_in_txn(struct db *tracker, const struct multipart_upload *upload,
					struct error *err);
MUST_CHECK bool multipart_find(struct db *tracker, struct slice upload_id, struct arena *arena,
			       struct multipart_upload *out, struct error *err);
/* The parts that are there. */
MUST_CHECK bool multipart_load_parts(struct db *tracker, const struct multipart_upload *upload,
				     struct arena *arena, struct multipart_part_list *out,
				     struct error *err);
/* Stores or replaces the part. Fails with INVALID_PARAMETER_VALUE for a number the upload has not,
 * with RESOURCE_CONFLICT when it is complete. */
MUST_CHECK bool multipart_put_part_in_txn(struct db *tracker, struct slice upload_id,
					  const struct multipart_part *part, int64_t now_ms,
					  struct arena *arena, struct blob_pk_list *released,
					  struct error *err);
/* Puts `file` at the upload's path and gives up the parts. Fails with RESOURCE_CONFLICT when the
 * parts are not `parts` any more. If it is complete meanwhile, does nothing but set
 * *was_complete_out. */
MUST_CHECK bool multipart_complete_in_txn(struct db *tracker, struct slice upload_id,
					  const struct multipart_part_list *parts,
					  struct artifact_file *file, struct arena *arena,
					  struct blob_pk_list *released, bool *was_complete_out,
					  struct error *err);
/* Forgets the upload and its parts; an unknown one is fine. */
MUST_CHECK bool multipart_abort_in_txn(struct db *tracker, struct slice upload_id,
				       struct arena *arena, struct blob_pk_list *released,
				       struct error *err);
/* Is there an upload that was not touched since `before_ms`? */
MUST_CHECK bool multipart_any_expired(struct db *tracker, int64_t before_ms, bool *any_out,
				      struct error *err);
/* Forgets up to MULTIPART_EXPIRED_MAX of them, those that were left alone longest first. */
MUST_CHECK bool multipart_expire_in_txn(struct db *tracker, int64_t before_ms, struct arena *arena,
					struct blob_pk_list *released, size_t *count_out,
					struct error *err);
/* Is this blob a part of any upload? */
MUST_CHECK bool multipart_refers_to(struct db *tracker, int64_t blob_pk, bool *refers_out,
				    struct error *err);

#endif
