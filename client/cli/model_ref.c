/* Owns the reading of model versions and of the names people give them. */
#include "cli/model_ref.h"

bool model_ref_split(struct slice text, char separator, struct slice *left, struct slice *right)
{
	size_t at = text.len;
	while (at > 0 && text.ptr[at - 1] != separator)
		at--;
	if (at < 2 || at == text.len)
		return false;
	*left = slice_first(text, at - 1);
	*right = slice_from(text, at);
	return true;
}

bool model_ref_resolve(struct cli *cli, const char *text, const struct json_value **version_out,
		       struct error *err)
{
	struct json_value *reply;
	struct slice name, rest;
	bool ok;
	if (model_ref_split(slice_from_cstr(text), '@', &name, &rest))
		ok = cli_get(cli, &reply, err,
			     "/api/2.0/mlflow/registered-models/alias?name=%s&alias=%s",
			     cli_encode(cli, name), cli_encode(cli, rest));
	else if (model_ref_split(slice_from_cstr(text), '/', &name, &rest))
		ok = cli_get(cli, &reply, err,
			     "/api/2.0/mlflow/model-versions/get?name=%s&version=%s",
			     cli_encode(cli, name), cli_encode(cli, rest));
	else
		return cli_fail_usage(cli, err,
				      "\"%s\" names no version: write NAME@ALIAS or NAME/VERSION",
				      text);
	/* MLflow calls an alias that is not there an invalid parameter. */
	if (!ok && err->code == ERR_INVALID_PARAMETER_VALUE)
		err->code = ERR_RESOURCE_DOES_NOT_EXIST;
	if (ok)
		*version_out = json_tree_get(reply, "model_version");
	return ok;
}

bool model_ref_split_alias(struct cli *cli, const char *text, struct slice *name_out,
			   struct slice *alias_out, struct error *err)
{
	return model_ref_split(slice_from_cstr(text), '@', name_out, alias_out) ||
	       cli_fail_usage(cli, err, "\"%s\" names no alias: write NAME@ALIAS", text);
}

void model_version_json(struct json_writer *w, const struct json_value *version)
{
	static const char *const texts[] = {"name",	   "version",	    "run_id", "source",
					    "description", "current_stage", "status"};
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		json_put_string(w, texts[i], json_text(version, texts[i]));
	json_put_int(w, "creation_timestamp",
		     json_tree_i64(json_tree_get(version, "creation_timestamp"), 0));
	json_key(w, "aliases");
	json_array_begin(w);
	const struct json_value *alias = json_items(json_tree_get(version, "aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null)
		json_string(w, json_tree_string(alias, SLICE("")));
	json_array_end(w);
	json_key(w, "tags");
	json_object_begin(w);
	const struct json_value *tag = json_items(json_tree_get(version, "tags"));
	for (; tag != NULL; tag = tag->next_sibling_or_null) {
		json_key_slice(w, json_text(tag, "key"));
		json_string(w, json_text(tag, "value"));
	}
	json_object_end(w);
	json_object_end(w);
}
