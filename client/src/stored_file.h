/* Copies of what the caller logs, put into the spool's folder so that the originals may change or
 * go.
 *
 * A copy is "file-N"; it is written completely before its record is appended, so a record never
 * names half a file. A crash in between leaves a file that nothing names; it goes with the
 * folder. */
#ifndef CLIENT_STORED_FILE_H
#define CLIENT_STORED_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "src/sha256.h"

struct stored_file {
	char name[32]; /* in the spool's folder */
	int64_t bytes;
	char sha256[SHA256_HEX_LEN + 1];
	char tree_sha256[SHA256_HEX_LEN + 1]; /* of a directory; else "" */
};

/* Both take the number of the new file. Fail with NOT_FOUND about what is read, STORAGE_FULL about
 * the spool; then no file is left. */
MUST_CHECK bool stored_file_copy(int spool_fd, uint64_t number, const char *path,
				 struct stored_file *out, struct error *err);
/* A tarball of the tree below `path`. */
MUST_CHECK bool stored_file_pack(int spool_fd, uint64_t number, const char *path,
				 struct stored_file *out, struct error *err);

#endif
