/* Names of model versions: NAME@ALIAS, NAME/VERSION. */
#ifndef CLI_MODEL_REF_H
#define CLI_MODEL_REF_H

#include "cli/cli.h"
#include "src/model_source.h"

/* Splits at the last separator; false if a side is empty. */
bool model_ref_split(struct slice text, char separator, struct slice *left, struct slice *right);
/* The version in MLflow's shape; the text is split at its last '@', else at its last '/'. */
MUST_CHECK bool model_ref_resolve(struct cli *cli, const char *text,
				  const struct json_value **version_out, struct error *err);
/* Splits NAME@ALIAS at its last '@'; a mistake in the command line where there is none. */
MUST_CHECK bool model_ref_split_alias(struct cli *cli, const char *text, struct slice *name_out,
				      struct slice *alias_out, struct error *err);
/* A version as trk prints it: {"name", "version", "run_id", "source", "description",
 * "creation_timestamp", "aliases": […], "tags": {…}}. */
void model_version_json(struct json_writer *w, const struct json_value *version);

#endif
