/* What a run was when it came over, as one text: two runs with the same digest are the same to an import. */
#ifndef CLI_IMPORT_DIGEST_H
#define CLI_IMPORT_DIGEST_H

#include "cli/import_source.h"
#include "src/sha256.h"

/* SHA-256 over every field of the run, its points_digest, and whether its artifacts come over; tags, parameters
 * and datasets count in the order in which they stand. "" when the run has no points_digest: such a run is never
 * the same. Fails only without memory. */
MUST_CHECK bool import_digest(const struct import_run *run, bool has_artifacts, char hex[SHA256_HEX_LEN + 1],
			      struct error *err);

#endif
