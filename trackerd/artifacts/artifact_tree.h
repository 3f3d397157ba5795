/* The tree of artifacts in tracker.db: which paths exist, and which bytes of which blob each
 * file is.
 *
 * A directory exists as long as there is a file below it: storing a file makes its directories,
 * removing the last file removes them. A path is a file or a directory, never both. Paths are
 * those of artifact_path.h, already parsed.
 *
 * Functions with _in_txn run on the committer, inside its transaction, and may be run again. The
 * others take any connection. Results live in the arena. */
#ifndef ARTIFACTS_ARTIFACT_TREE_H
#define ARTIFACTS_ARTIFACT_TREE_H

#include <stdint.h>

#include "digest/digest.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

struct artifact_file {
	struct slice path; /* relative to what the function at hand says */
	int64_t blob_pk;
	int64_t blob_offset;
	int64_t size;
	int64_t modified_ms;
	unsigned char sha256[SHA256_BYTES];
};

struct artifact_file_list {
	struct artifact_file *items;
	size_t count;
};

/* Blobs that lost a reference, for the sweep; may repeat. */
struct blob_pk_list {
	int64_t *items;
	size_t count;
	size_t capacity;
};

/* The list grows in the arena. */
void blob_pk_list_add(struct blob_pk_list *list, int64_t blob_pk, struct arena *arena);

enum artifact_kind { ARTIFACT_NONE, ARTIFACT_FILE, ARTIFACT_DIRECTORY };

/* What is at `path`; *file_out is filled for a file, its path being `path`. The root is a
 * directory. */
MUST_CHECK bool artifact_tree_find(struct db *tracker, struct slice path,
				   enum artifact_kind *kind_out, struct artifact_file *file_out,
				   struct error *err);

struct artifact_entry {
	struct slice name;
	bool is_directory;
	int64_t size; /* of a file */
};
struct artifact_entry_list {
	struct artifact_entry *items;
	size_t count;
};
/* The direct children of a directory, sorted by name; none for anything else. */
MUST_CHECK bool artifact_tree_list(struct db *tracker, struct slice path, struct arena *arena,
				   struct artifact_entry_list *out, struct error *err);

/* All files at or below `path` with paths relative to it (a file itself: its name), sorted by
 * their bytes. None when nothing is there. Not the root. */
MUST_CHECK bool artifact_tree_load(struct db *tracker, struct slice path, struct arena *arena,
				   struct artifact_file_list *out, struct error *err);

/* How many files there are at or below `path`, and the sum of their sizes: in a tenth of the time that loading and
 * sorting them takes. Not the root. */
struct artifact_sums {
	int64_t file_count;
	int64_t byte_count;
};
MUST_CHECK bool artifact_tree_sum(struct db *tracker, struct slice path, struct arena *arena,
				  struct artifact_sums *out, struct error *err);

/* Stores files at their paths relative to `base`, each replacing the file that was there. Blobs
 * that were replaced are added to `released`. Fails with RESOURCE_CONFLICT when a path is a
 * directory, or lies below a file. */
MUST_CHECK bool artifact_tree_put_in_txn(struct db *tracker, struct slice base,
					 const struct artifact_file_list *files,
					 struct arena *arena, struct blob_pk_list *released,
					 struct error *err);
/* Removes the file or the directory with everything below; nothing there is fine. Not the root. */
MUST_CHECK bool artifact_tree_remove_in_txn(struct db *tracker, struct slice path,
					    struct arena *arena, struct blob_pk_list *released,
					    struct error *err);

/* The same for a directory in pieces, of a tree that nobody looks at any more: removes up to files_max
 * files, or as many directories once there are no files. *is_gone_out when all is. */
MUST_CHECK bool artifact_tree_remove_piece_in_txn(struct db *tracker, struct slice path, int64_t files_max,
						  struct arena *arena, struct blob_pk_list *released,
						  bool *is_gone_out, struct error *err);

/* Does any file refer to this blob? */
MUST_CHECK bool artifact_tree_refers_to(struct db *tracker, int64_t blob_pk, bool *refers_out,
					struct error *err);

/* SHA-256 over the lines "<sha256 hex>  <path>\n" of `files` in their order, and the sum of their
 * sizes. */
MUST_CHECK bool artifact_tree_digest(const struct artifact_file_list *files,
				     unsigned char digest[SHA256_BYTES], int64_t *byte_count_out,
				     struct error *err);
/* Sorts by path bytes. */
void artifact_tree_sort(struct artifact_file_list *files);

#endif
