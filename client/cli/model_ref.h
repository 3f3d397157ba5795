/* Names of model versions: NAME@ALIAS, NAME/VERSION. */
#ifndef CLI_MODEL_REF_H
#define CLI_MODEL_REF_H

#include "cli/cli.h"

/* The version in MLflow's shape; the text is split at its last '@', else at its last '/'. */
MUST_CHECK bool model_ref_resolve(struct cli *cli, const char *text,
				  const struct json_value **version_out, struct error *err);
/* Where its files are behind the artifact proxy. */
MUST_CHECK bool model_ref_path(struct cli *cli, const struct json_value *version,
			       struct slice *path_out, struct error *err);
/* The digest that was registered, if there is one, must be the one that the server would deliver
 * now; else DATA_LOSS. */
MUST_CHECK bool model_ref_check_digest(const struct json_value *version, const char *tree_sha256,
				       struct error *err);
/* The value of a tag of a version or model; absent if it has none of that name. */
struct slice model_tag(const struct json_value *entity, const char *key);
/* A version as trk prints it: {"name", "version", "run_id", "source", "description",
 * "creation_timestamp", "aliases": […], "tags": {…}}. */
void model_version_json(struct json_writer *w, const struct json_value *version);

#define MODEL_TREE_TAG "trackerd.tree_sha256"

#endif
