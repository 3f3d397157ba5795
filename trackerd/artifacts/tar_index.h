/* Reads an uploaded archive (tar, tar.gz, tar.zst) that lies in a blob, and finds its files.
 *
 * Of a plain tar each file becomes a range of the archive's own blob. The files of a compressed
 * one are not seekable: their bytes are packed one behind the other, and each file is a range of
 * that pack, which the caller stores as a blob of its own (the compressed one is not needed any
 * more).
 *
 * Works in steps of bounded size, so that a worker is free again soon; each step may run on
 * another thread with another connection, one at a time. libarchive does the parsing, with tar,
 * gzip and zstd only.
 *
 * What is refused, with INVALID_PARAMETER_VALUE naming the member: anything but regular files
 * and directories, sparse files, paths that artifact_path.h refuses, the same path twice, more
 * than ARCHIVE_MEMBERS_MAX members, more than ARCHIVE_BYTES_MAX bytes or an expansion beyond
 * ARCHIVE_EXPANSION_RATIO_MAX, a damaged archive, one that is cut off (also just before its
 * end-of-archive mark). Directories are checked and forgotten: artifact_tree.h. */
#ifndef ARTIFACTS_TAR_INDEX_H
#define ARTIFACTS_TAR_INDEX_H

#include <stdatomic.h>

#include "artifacts/artifact_tree.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "db/db.h"

enum {
	TAR_INDEX_STEP_BYTES =
		8 * 1024 * 1024, /* of file content read in one step of a plain tar */
	TAR_INDEX_PACK_BYTES =
		4 * 1024 * 1024,	/* of file content packed in one step of a compressed one */
	TAR_INDEX_STEP_MEMBERS = 10000, /* and headers in one step */
	TAR_INDEX_FREE_EXPANSION_BYTES = 64 * 1024 * 1024, /* may be reached at any ratio */
};

struct tar_index;

/* Begins to read the first `size` bytes of blob `blob_pk`. The list of files grows in `arena`,
 * which is kept. The read gives up soon after *cancelled_or_null is true. Gives *out. */
MUST_CHECK bool tar_index_new(int64_t blob_pk, int64_t size, struct arena *arena,
			      const atomic_bool *cancelled_or_null, struct tar_index **out,
			      struct error *err);
/* Also in the middle. NULL is allowed. */
void tar_index_free(struct tar_index *index_or_null);

/* One step. For a compressed archive appends up to TAR_INDEX_PACK_BYTES of the pack to `pack`,
 * whose bytes_max must leave room for that. Sets *is_end_out when everything was read. After a
 * failure only free may follow. */
MUST_CHECK bool tar_index_step(struct tar_index *index, struct db *blobs, struct buffer *pack,
			       bool *is_end_out, struct error *err);
/* Known after the first step. */
bool tar_index_is_compressed(const struct tar_index *index);
/* After the end: the files, sorted, paths relative to the archive, offsets in the archive's blob
 * or in the pack. blob_pk and modified_ms are the caller's to fill. */
struct artifact_file_list tar_index_files(const struct tar_index *index);

#endif
