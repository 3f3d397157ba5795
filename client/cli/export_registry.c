/* Owns the export of registered models and prompts, their versions and aliases. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/export.h"

enum { PAGE_MODELS = 100, PAGE_VERSIONS = 200 };
#define PROMPT_TAG "mlflow.prompt.is_prompt"

/* A registered model on its way. */
struct registry_model {
	const struct json_value *model;
	struct slice name;
	bool is_prompt;
	struct sha256 hash; /* of the first pass over its versions */
	int folder_fd;	    /* of the second */
};

/* ---- versions -------------------------------------------------------------------------------- */

static bool hash_version(struct export *x, void *context, const struct json_value *version,
			 struct error *err)
{
	struct registry_model *m = context;
	x->report.counts.versions++;
	return sha256_update(&m->hash, version->text, err);
}

/* Where the version's files are, which may not be what it was made of: "models:/m-…". */
static bool download_uri(struct export *x, const struct json_value *version, struct slice *out,
			 struct error *err)
{
	struct json_value *reply;
	if (!cli_get(x->cli, &reply, err,
		     "/api/2.0/mlflow/model-versions/get-download-uri?name=%s&version=%s",
		     cli_encode(x->cli, json_text(version, "name")),
		     cli_encode(x->cli, json_text(version, "version"))))
		return false;
	*out = export_text(reply, "artifact_uri");
	return true;
}

static bool write_version_meta(struct export *x, const struct json_value *version, int64_t number,
			       int fd, struct error *err)
{
	struct yaml_writer *y = x->yaml;
	struct slice run_id = json_text(version, "run_id"), source, location;
	if (!download_uri(x, version, &location, err) ||
	    !export_uri_of_version(x, location, run_id, &location, err) ||
	    !export_uri_of_version(x, export_text(version, "source"), run_id, &source, err))
		return false;
	yaml_writer_begin(y);
	yaml_put_int(y, "creation_timestamp",
		     json_tree_i64(json_tree_get(version, "creation_timestamp"), 0));
	yaml_put_string(y, "current_stage",
			json_tree_string(json_tree_get(version, "current_stage"), SLICE("None")));
	yaml_put_string(y, "description", export_text(version, "description"));
	yaml_put_int(y, "last_updated_timestamp",
		     json_tree_i64(json_tree_get(version, "last_updated_timestamp"), 0));
	if (json_text(version, "model_id").len > 0)
		yaml_put_string(y, "model_id", json_text(version, "model_id"));
	yaml_put_string(y, "name", json_text(version, "name"));
	yaml_put_string(y, "run_id", run_id.len > 0 ? run_id : (struct slice){0});
	yaml_put_string(y, "run_link", export_text(version, "run_link"));
	yaml_put_string(y, "source", source);
	yaml_put_string(y, "status",
			json_tree_string(json_tree_get(version, "status"), SLICE("READY")));
	yaml_put_string(y, "status_message", export_text(version, "status_message"));
	yaml_put_string(y, "storage_location", location);
	yaml_put_string(y, "user_id", export_text(version, "user_id"));
	yaml_put_int(y, "version", number);
	return export_meta(x, fd, err);
}

static bool write_version(struct export *x, void *context, const struct json_value *version,
			  struct error *err)
{
	const struct registry_model *m = context;
	int64_t number = json_tree_i64(json_tree_get(version, "version"), 0);
	char name[40];
	(void)snprintf(name, sizeof(name), "version-%" PRId64, number);
	int fd = export_folder_make(m->folder_fd, name, err);
	bool ok = fd >= 0 && write_version_meta(x, version, number, fd, err);
	ok = ok && export_pairs(x, EXPORT_TAGS(json_tree_get(version, "tags")), fd, "tags",
				"tag of a version", m->name, err);
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return ok;
}

static bool each_version(struct export *x, struct registry_model *m,
			 bool (*item)(struct export *, void *, const struct json_value *,
				      struct error *),
			 struct error *err)
{
	/* Names have no way to hold both kinds of quotes. */
	bool has_quote = slice_find_byte(m->name, '\'', 0) < m->name.len;
	struct slice filter = arena_printf(
		x->cli->arena, "name = %s%.*s%s%s", has_quote ? "\"" : "'", SLICE_FMT(m->name),
		has_quote ? "\"" : "'", m->is_prompt ? " AND tags.`" PROMPT_TAG "` = 'true'" : "");
	const struct export_search search = {
		.path = "/api/2.0/mlflow/model-versions/search",
		.query_or_null =
			arena_cstr(x->cli->arena, arena_printf(x->cli->arena, "filter=%s",
							       cli_encode(x->cli, filter))),
		.items = "model_versions",
		.page_items = PAGE_VERSIONS,
		.item = item,
		.context = m,
	};
	return export_search(x, &search, err);
}

/* ---- the model ------------------------------------------------------------------------------- */

static bool write_model_meta(struct export *x, const struct json_value *model, int fd,
			     struct error *err)
{
	struct yaml_writer *y = x->yaml;
	yaml_writer_begin(y);
	export_put_map(x, "aliases", EXPORT_ALIASES(json_tree_get(model, "aliases")));
	yaml_put_int(y, "creation_timestamp",
		     json_tree_i64(json_tree_get(model, "creation_timestamp"), 0));
	yaml_put_string(y, "description", export_text(model, "description"));
	yaml_put_int(y, "last_updated_timestamp",
		     json_tree_i64(json_tree_get(model, "last_updated_timestamp"), 0));
	yaml_put_string(y, "name", json_text(model, "name"));
	return export_meta(x, fd, err);
}

static bool fill(struct export *x, struct registry_model *m, struct error *err)
{
	const struct export_list tags = EXPORT_TAGS(json_tree_get(m->model, "tags")),
				 aliases = EXPORT_ALIASES(json_tree_get(m->model, "aliases"));
	return write_model_meta(x, m->model, m->folder_fd, err) &&
	       export_pairs(x, tags, m->folder_fd, "tags", "tag", m->name, err) &&
	       export_pairs(x, aliases, m->folder_fd, "aliases", "alias", m->name, err) &&
	       each_version(x, m, write_version, err);
}

static bool compute_digest(struct export *x, struct registry_model *m,
			   char digest[SHA256_HEX_LEN + 1], struct error *err)
{
	bool ok = export_digest_begin(x, NULL, &m->hash, err) &&
		  sha256_update(&m->hash, m->model->text, err) &&
		  each_version(x, m, hash_version, err) && sha256_finish(&m->hash, digest, err);
	sha256_deinit(&m->hash);
	return ok;
}

static bool write_model(struct export *x, struct registry_model *m, struct error *err)
{
	struct export_put put = {.kind = "registered model", .name = m->name};
	put.target = arena_cstr(x->cli->arena,
				arena_printf(x->cli->arena, "models/%.*s", SLICE_FMT(m->name)));
	if (!compute_digest(x, m, put.digest, err) || !export_put_begin(x, &put, err))
		return error_prefix(err, "registered model %.*s", SLICE_FMT(m->name));
	m->folder_fd = put.fd;
	return export_put_end(x, &put, !put.is_due || fill(x, m, err), err);
}

static bool is_prompt(const struct json_value *model)
{
	const struct json_value *tag = json_items(json_tree_get(model, "tags"));
	while (tag != NULL && !slice_eq_cstr(json_text(tag, "key"), PROMPT_TAG))
		tag = tag->next_sibling_or_null;
	return tag != NULL && slice_eq_cstr(json_text(tag, "value"), "true");
}

static bool take_model(struct export *x, void *context, const struct json_value *model,
		       struct error *err)
{
	const bool *wants_prompts = context;
	struct registry_model m = {
		.model = model, .name = json_text(model, "name"), .is_prompt = is_prompt(model)};
	const char *fault = export_name_fault(m.name);
	if (m.is_prompt != *wants_prompts)
		return true;
	x->report.counts.models++;
	if (fault == NULL)
		return write_model(x, &m, err);
	import_report_add(&x->report, IMPORT_UNSUPPORTED, "registered model", m.name, "its name %s",
			  fault);
	return true;
}

bool export_registry(struct export *x, struct error *err)
{
	static const char prompts[] = "tags.`" PROMPT_TAG "` = 'true'";
	bool wants_prompts = false;
	struct export_search search = {
		.path = "/api/2.0/mlflow/registered-models/search",
		.query_or_null = "filter=",
		.items = "registered_models",
		.page_items = PAGE_MODELS,
		.item = take_model,
		.context = &wants_prompts,
	};
	if ((!x->is_dry && !export_tree_folder(&x->tree, "models", err)) ||
	    !export_search(x, &search, err))
		return false;
	wants_prompts = true;
	search.query_or_null = arena_cstr(
		x->cli->arena, arena_printf(x->cli->arena, "filter=%s",
					    cli_encode(x->cli, slice_from_cstr(prompts))));
	return export_search(x, &search, err);
}
