/* Downloads into a directory: each file goes to ".trk-<digest>.part" beside its place, is verified
 * by size and SHA-256 while it is written, made durable, and only then renamed. A part that is
 * left over from a broken transfer is gone on with. Symbolic links below the directory are not
 * followed. */
#ifndef CLIENT_DOWNLOAD_H
#define CLIENT_DOWNLOAD_H

#include "src/manifest.h"

struct download {
	const struct fetcher *fetcher;
	int root_fd;	     /* the directory to write into */
	const char *root;    /* its path, for sentences */
	struct slice source; /* behind the artifact proxy: what manifest paths are relative to */
	/* Told of `done` and `skipped` bytes while they move; may be NULL. */
	void (*moved)(void *context, int64_t done, int64_t skipped);
	void *context;
	int64_t done, skipped; /* bytes; those that were there before are in both */
	size_t skipped_count;  /* files that were there already, with the right content */
	int64_t resumed_bytes; /* that parts already held */
};

/* Makes folders as needed. Fails with DATA_LOSS when the bytes are not those that the manifest
 * promises, and then leaves nothing of them; keeps the part when the connection broke. */
MUST_CHECK bool download_file(struct download *d, const struct manifest_file *file,
			      struct error *err);
/* All files of the manifest, in order. */
MUST_CHECK bool download_tree(struct download *d, const struct manifest *manifest,
			      struct error *err);
/* Opens the folder of a relative path below a root, making what is missing; *name_out is the last
 * segment. -1 on failure. */
int download_open_folder(int root_fd, const char *path, const char **name_out, struct error *err);

#endif
