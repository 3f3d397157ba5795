/* Uploads: a file by PUT, a directory as one tarball that the server stores in one transaction.
 * The server verifies the SHA-256 of what it gets, and its answer is compared with ours. */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "cli/cli.h"
#include "src/sha256.h"

struct upload_result {
	struct slice path; /* within the run's artifacts; "" for the top */
	int64_t files, bytes;
	bool is_directory;
	char sha256[SHA256_HEX_LEN + 1]; /* of the file, or of the tree */
};

/* `target_or_null`: where to, within the run's artifacts; else the local name. A target with "/"
 * at its end is a folder for a file's own name. */
MUST_CHECK bool upload(struct cli *cli, struct slice run_id, const char *local,
		       const char *target_or_null, struct upload_result *out, struct error *err);
/* The same, and prints what was stored. */
MUST_CHECK bool upload_and_print(struct cli *cli, const char *run, const char *local,
				 const char *target_or_null, struct error *err);

#endif
