/* The list of all files of a tree of artifacts with sizes and digests, as an endpoint and as JSON. */
#ifndef API_MANIFEST_H
#define API_MANIFEST_H

#include "api/endpoint.h"
#include "artifacts/artifact_tree.h"

extern const struct endpoint manifest_get; /* GET /api/trackerd/v1/manifest/{path...} */

struct manifest {
	struct slice path;
	struct artifact_file_list files; /* sorted, paths relative to `path` */
	int64_t byte_count;
	unsigned char tree_sha256[SHA256_BYTES];
	const unsigned char *body_sha256_or_null; /* of an uploaded archive as it was sent */
	bool has_times;				  /* write modified_ms */
};

/* Writes {"path","file_count","byte_count","sha256"?,"tree_sha256","files":[…]}. */
void manifest_write(struct json_writer *w, const struct manifest *manifest);

#endif
