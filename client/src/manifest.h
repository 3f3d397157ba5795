/* The files of an artifact tree as the server lists them, checked as if the server were hostile. */
#ifndef CLIENT_MANIFEST_H
#define CLIENT_MANIFEST_H

#include "src/fetcher.h"
#include "src/sha256.h"

struct manifest_file {
	/* Relative and safe: no "..", not absolute, no control characters, no empty segments. */
	const char *path;
	int64_t bytes;
	char sha256[SHA256_HEX_LEN + 1];
	int64_t modified_ms;
};

struct manifest {
	struct manifest_file *files; /* ascending by the bytes of their paths, none twice */
	size_t count;
	int64_t bytes;
	char tree_sha256[SHA256_HEX_LEN +
			 1]; /* computed here from the files, equal to what the server says */
	/* What the files' paths are relative to, behind the artifact proxy. For a tree it is the
	 * path that was asked for; for a single file it is the folder that holds it. */
	struct slice base;
	bool is_file;
};

/* Of what is stored at `path` behind the artifact proxy. RESOURCE_DOES_NOT_EXIST when there is
 * nothing, DATA_LOSS when the server's list cannot be trusted: nothing is to be written then. */
MUST_CHECK bool manifest_load(const struct fetcher *f, struct arena *arena, struct slice path,
			      struct manifest *out, struct error *err);

#endif
