/* Model versions as comparisons and lineage write them. */
#ifndef API_VERSION_JSON_H
#define API_VERSION_JSON_H

#include "api/version_facts.h"
#include "base/json_writer.h"

/* One object: {"version", "run_id", "run_name", "source", "model_id", "stage", "description", "creation_time_ms",
 * "user_id", "aliases": […], "git_commit", "file_count", "byte_count", "tree_sha256", "no_files"?}; texts that are not
 * known are "". */
void version_json_summary(struct json_writer *w, const struct version_facts *facts);

/* What the run used the dataset for, such as "training"; "" when it did not say. */
struct slice version_json_context(const struct dataset_input *input);
/* The value of a tag of the run; "" without run or tag. */
struct slice version_json_run_tag(const struct run *run_or_null, struct slice key);

#endif
