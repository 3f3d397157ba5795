/* A model version as the server has it: what it is, which files it consists of, and the name of a
 * directory that holds it. */
#ifndef CLIENT_MODEL_SOURCE_H
#define CLIENT_MODEL_SOURCE_H

#include "src/fetcher.h"
#include "src/manifest.h"

#define MODEL_TREE_TAG "trackerd.tree_sha256"

enum { MODEL_NAME_VERSION_BYTES = 20 };

/* All of it in the arena. */
struct model_source {
	struct manifest manifest; /* of at least one file */
	const char *model, *version;
	/* Model, version and digest in characters that no shell and no file system minds:
	 * "taxi-v4-0123456789abcdef". At most 160 bytes. */
	const char *name;
};

/* Asks for a version by its number. */
MUST_CHECK bool model_source_get(const struct fetcher *f, struct arena *arena, struct slice model,
				 struct slice version, struct model_source *out, struct error *err);
/* What is behind a version that the server described in MLflow's shape. The files must be those that
 * were registered, where their digest was: else DATA_LOSS. RESOURCE_DOES_NOT_EXIST when there are
 * none. */
MUST_CHECK bool model_source_find(const struct fetcher *f, struct arena *arena,
				  const struct json_value *version, struct model_source *out,
				  struct error *err);
/* Only the files, which may be none. */
MUST_CHECK bool model_source_manifest(const struct fetcher *f, struct arena *arena,
				      const struct json_value *version, struct manifest *out,
				      struct error *err);
/* Is `name` what a directory of the model with this digest ("" for one that cannot be read) is called?
 * Of which version it is says `version`. */
bool model_source_is_named(struct arena *arena, const char *name, struct slice model,
			   const char *tree_sha256, char version[MODEL_NAME_VERSION_BYTES + 1]);
/* The value of a tag of a version or model; absent if it has none of that name. */
struct slice model_tag(const struct json_value *entity, const char *key);

#endif
