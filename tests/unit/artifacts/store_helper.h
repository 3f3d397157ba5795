/* A fresh pair of databases in a folder of its own, and the steps of an upload and a download run in one thread. */
#ifndef UNIT_ARTIFACTS_STORE_HELPER_H
#define UNIT_ARTIFACTS_STORE_HELPER_H

#include "artifacts/artifact_tree.h"
#include "artifacts/blob_pins.h"
#include "artifacts/blobs.h"
#include "artifacts/download.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "db/db.h"

struct store {
	char directory[64];
	struct db *tracker;
	struct db *blobs;
	struct arena arena;
	struct blob_pins pins;
	struct blob_pk_list released;
};

void store_open(struct store *store);
void store_close(struct store *store);
void store_begin(struct db *db);
void store_commit(struct db *db);
void store_rollback(struct db *db);
/* The one number that `sql` selects. */
int64_t store_number(struct db *db, struct sql sql);

/* Stores the bytes chunk by chunk, each in its own transaction; gives the blob's number. The pin is dropped. */
int64_t store_blob(struct store *store, struct slice bytes);
/* Stores a file at the path. */
bool store_put(struct store *store, const char *path, struct slice bytes, struct error *err);
bool store_remove(struct store *store, const char *path, struct error *err);
/* Uploads an archive below `path`, as the daemon does. steps_out_or_null: how many index steps it took. */
bool store_put_archive(struct store *store, const char *path, struct slice archive, unsigned *steps_out_or_null,
		       struct error *err);
/* Appends the archive of the tree at `path` to `out`. */
void store_get_archive(struct store *store, const char *path, enum tar_output_format format, struct buffer *out);
/* The file's bytes, in `out`; asserts that it is there. */
void store_get(struct store *store, const char *path, struct buffer *out);
struct artifact_file_list store_load(struct store *store, const char *path);

#endif
