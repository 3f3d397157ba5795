/* Adds up which bytes of artifacts.db become free when trees of artifacts go, before they do.
 *
 * A blob goes with the last file that refers to it: whoever holds that one gets its bytes. Files of one archive share
 * a blob, and equal files of different runs do. A blob that consists of parts gives its parts' bytes, each when nothing
 * else is made of it. So the freed bytes of all trees that are added, in their order, are what a sweep then deletes.
 *
 * Needs a view of both databases that does not change meanwhile, or is off by what changed. Memory is the arena's: some
 * 30 bytes a blob and directory. One thread. */
#ifndef ARTIFACTS_BLOB_ACCOUNT_H
#define ARTIFACTS_BLOB_ACCOUNT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"

struct blob_account_slot {
	int64_t key;        /* 0: free */
	int64_t left;       /* references that nobody added */
};
struct blob_account_table {
	struct blob_account_slot *slots;
	size_t count, capacity; /* a power of two */
};
struct blob_account {
	struct db *tracker, *blobs; /* kept */
	struct arena *arena;        /* kept */
	struct blob_account_table known_blobs;
	struct blob_account_table known_directories; /* those that were added */
};

struct blob_account_figures {
	int64_t file_count;
	int64_t file_bytes;   /* as their readers see them */
	int64_t freed_bytes;  /* of blobs whose last reference is here: may be more than the files have */
	int64_t shared_bytes; /* of files whose blob others still refer to */
};

void blob_account_init(struct blob_account *account, struct db *tracker, struct db *blobs, struct arena *arena);
/* Adds the directory at `path` with everything below. What was added before, as a part of it, is not added again. */
MUST_CHECK bool blob_account_add(struct blob_account *account, struct slice path,
				 struct blob_account_figures *out, struct error *err);

#endif
