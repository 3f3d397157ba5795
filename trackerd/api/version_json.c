/* Owns the JSON shape of a version with what is known of it. */
#include "api/version_json.h"

#include "api/entity_json.h"
#include "store/key_values.h"

static struct slice tag_or_empty(struct key_value_list tags, struct slice key)
{
	const struct key_value *tag = key_values_find(tags, key);
	return tag != NULL ? tag->value : SLICE("");
}

struct slice version_json_context(const struct dataset_input *input)
{
	return tag_or_empty(input->tags, SLICE("mlflow.data.context"));
}

struct slice version_json_run_tag(const struct run *run, struct slice key)
{
	return run != NULL ? tag_or_empty(run->tags, key) : SLICE("");
}

void version_json_summary(struct json_writer *w, const struct version_facts *facts)
{
	const struct model_version *v = &facts->version;
	const struct run *run = facts->run_or_null;
	json_object_begin(w);
	entity_json_put_id(w, "version", v->version);
	json_put_string(w, "run_id", v->run_id);
	json_put_string(w, "run_name", run != NULL ? run->name : SLICE(""));
	json_put_string(w, "source", v->source);
	json_put_string(w, "model_id", v->model_id);
	json_put_string(w, "stage", v->stage);
	json_put_string(w, "description", v->description);
	json_put_int(w, "creation_time_ms", v->creation_time_ms);
	json_put_string(w, "user_id", v->user_id);
	json_key(w, "aliases");
	json_array_begin(w);
	for (size_t i = 0; i < v->aliases.count; i++)
		json_string(w, v->aliases.items[i].alias);
	json_array_end(w);
	json_put_string(w, "git_commit",
			version_json_run_tag(run, SLICE("mlflow.source.git.commit")));
	json_put_int(w, "file_count", facts->sums.file_count);
	json_put_int(w, "byte_count", facts->sums.byte_count);
	json_put_string(w, "tree_sha256", facts->tree_sha256);
	json_put_string(w, "no_files", facts->no_files_or_absent);
	json_object_end(w);
}
