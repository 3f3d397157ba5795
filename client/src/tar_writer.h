/* Writes a tar file of regular files, the same bytes for the same content.
 *
 * The format is POSIX ustar, with a pax header before a member whose path is longer than 100 bytes
 * or whose size is beyond 8 GiB. Members have mode 0644, owner 0, time 0. The caller adds them in
 * the order of their paths' bytes. While it writes, it hashes each member and the tree:
 *     tree_sha256 = SHA-256 of the lines "<sha256 of the file>  <path>\n" in that order. */
#ifndef CLIENT_TAR_WRITER_H
#define CLIENT_TAR_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "src/sha256.h"

enum { TAR_PATH_BYTES_MAX = 1024 };

struct tar_writer {
	int fd; /* borrowed for its life */
	int64_t bytes;
	int64_t members_count;
	struct sha256 body;
	struct sha256 tree;
	struct sha256 member;
	char *block; /* copy buffer */
};

struct tar_result {
	int64_t bytes;
	char sha256[SHA256_HEX_LEN + 1]; /* of the tar file */
	char tree_sha256[SHA256_HEX_LEN + 1];
};

MUST_CHECK bool tar_writer_init(struct tar_writer *w, int fd, struct error *err);
/* Copies `bytes` bytes from `file_fd`. Fails when the file is shorter ("changed while it was
 * read"), cannot be read, or the tar cannot be written (STORAGE_FULL). `path` is the member's:
 * relative, '/'-separated. */
MUST_CHECK bool tar_writer_add(struct tar_writer *w, const char *path, int file_fd, int64_t bytes,
			       struct error *err);
/* Writes the end. */
MUST_CHECK bool tar_writer_finish(struct tar_writer *w, struct tar_result *out, struct error *err);
void tar_writer_deinit(struct tar_writer *w);

#endif
