/* Where the bytes of a download come from, piece by piece: a range of one file, or an archive of
 * a tree.
 *
 * A source is made and closed on any thread and stepped on workers, each step with that worker's
 * connection. */
#ifndef ARTIFACTS_DOWNLOAD_H
#define ARTIFACTS_DOWNLOAD_H

#include "artifacts/artifact_tree.h"
#include "artifacts/tar_output.h"
#include "base/buffer.h"
#include "base/error.h"
#include "db/db.h"

enum {
	DOWNLOAD_PIECE_BYTES = 1024 * 1024, /* a step ends when it has as many, or a little more */
	DOWNLOAD_PIECE_BYTES_MAX =
		512 * 1024 * 1024, /* for the buffer: the directory of a zip comes in one piece */
	DOWNLOAD_WRITE_BYTES = 256 * 1024, /* content given to libarchive at once */
	DOWNLOAD_STEP_BYTES =
		4 * 1024 * 1024, /* content read in one step: a compressor may give little for it */
	DOWNLOAD_STEP_MEMBERS = 1000,
};

struct download;

/* `length` bytes of `file` from `offset`. Gives *out. */
MUST_CHECK bool download_file_new(const struct artifact_file *file, int64_t offset, int64_t length,
				  struct download **out, struct error *err);
/* An archive of sorted `files` (keeps them until closed), with their directories. Gives *out. */
MUST_CHECK bool download_archive_new(enum tar_output_format format,
				     const struct artifact_file_list *files, struct download **out,
				     struct error *err);
/* Appends the next bytes to `piece`, which may be none, though more follow. *is_end_out: nothing
 * follows. */
MUST_CHECK bool download_step(struct download *download, struct db *blobs, struct buffer *piece,
			      bool *is_end_out, struct error *err);
/* NULL is allowed. */
void download_free(struct download *download_or_null);

#endif
