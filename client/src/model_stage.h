/* A model version on its way into a deployment's directory: .trk-deploy/staging-DIGEST is filled,
 * verified and synced, so that a rename can put it to versions/. */
#ifndef CLIENT_MODEL_STAGE_H
#define CLIENT_MODEL_STAGE_H

#include "src/deploy_directory.h"
#include "src/download.h"

enum { MODEL_STAGE_NAME_BYTES = 80 };

/* "staging-DIGEST". Returns `name`. */
const char *model_stage_name(const char *tree_sha256, char name[MODEL_STAGE_NAME_BYTES]);
/* Fills it with exactly the files of the manifest, complete, verified and durable. What an earlier
 * attempt left is gone on with; a failure leaves only that. `moved` as in download.h. Allocates
 * nothing from any arena. STORAGE_FULL when there is no room, before anything is fetched. */
MUST_CHECK bool model_stage_fill(const struct deploy_directory *d, const struct fetcher *f,
				 const struct manifest *manifest,
				 void (*moved)(void *context, int64_t done, int64_t skipped),
				 void *context, struct error *err);

#endif
