/* Owns the questions about a model version that come before its download. */
#include "src/model_source.h"

#include <stdio.h>

#include "src/artifact_uri.h"

enum { NAME_MODEL_BYTES = 80, NAME_DIGEST_BYTES = 16 };

/* ASCII letters, digits, '.', '_', '-'; the first is none of the last two, nor '.'. */
static struct slice safe_name(struct arena *arena, struct slice text, size_t bytes_max)
{
	struct slice cut = slice_first(text, bytes_max);
	char *out = ARENA_NEW(arena, char, cut.len + 1);
	for (size_t i = 0; i < cut.len; i++) {
		char c = cut.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || c == '_' ||
				(i > 0 && (c == '.' || c == '-'));
		out[i] = c;
		if (!is_plain)
			out[i] = '_';
	}
	return slice_make(out, cut.len);
}

/* The digest that was registered, if there is one, must be the one that the server would deliver. */
static bool check_digest(const struct json_value *version, const char *tree_sha256,
			 struct error *err)
{
	struct slice registered = model_tag(version, MODEL_TREE_TAG);
	if (!slice_is_present(registered) || slice_eq_cstr(registered, tree_sha256))
		return true;
	return error_set(err, ERR_DATA_LOSS,
			 "the files have changed since the version was registered: its tree had "
			 "SHA-256 %.*s, now it has %s; nothing was written",
			 SLICE_FMT(registered), tree_sha256);
}

bool model_source_get(const struct fetcher *f, struct arena *arena, struct slice model,
		      struct slice version, struct model_source *out, struct error *err)
{
	struct json_value *reply;
	return fetcher_get(f, arena, &reply, err,
			   "/api/2.0/mlflow/model-versions/get?name=%s&version=%s",
			   fetcher_encode_value(arena, model),
			   fetcher_encode_value(arena, version)) &&
	       model_source_find(f, arena, json_tree_get(reply, "model_version"), out, err);
}

bool model_source_find(const struct fetcher *f, struct arena *arena,
		       const struct json_value *version, struct model_source *out,
		       struct error *err)
{
	struct slice model = json_text(version, "name"), number = json_text(version, "version");
	struct manifest manifest;
	if (!model_source_manifest(f, arena, version, &manifest, err))
		return false;
	if (manifest.count == 0)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "version %.*s of %.*s holds no files", SLICE_FMT(number),
				 SLICE_FMT(model));
	struct slice name = arena_printf(
		arena, "%.*s-v%.*s-%.*s", SLICE_FMT(safe_name(arena, model, NAME_MODEL_BYTES)),
		SLICE_FMT(safe_name(arena, number, MODEL_NAME_VERSION_BYTES)), NAME_DIGEST_BYTES,
		manifest.tree_sha256);
	*out = (struct model_source){
		.manifest = manifest,
		.model = arena_cstr(arena, model),
		.version = arena_cstr(arena, number),
		.name = arena_cstr(arena, name),
	};
	return true;
}

bool model_source_manifest(const struct fetcher *f, struct arena *arena,
			   const struct json_value *version, struct manifest *out,
			   struct error *err)
{
	struct json_value *reply;
	struct slice path;
	return fetcher_get(f, arena, &reply, err,
			   "/api/2.0/mlflow/model-versions/get-download-uri?name=%s&version=%s",
			   fetcher_encode_value(arena, json_text(version, "name")),
			   fetcher_encode_value(arena, json_text(version, "version"))) &&
	       artifact_uri_path(json_text(reply, "artifact_uri"), &path, err) &&
	       manifest_load(f, arena, path, out, err) &&
	       check_digest(version, out->tree_sha256, err);
}

bool model_source_is_named(struct arena *arena, const char *name, struct slice model,
			   const char *tree_sha256, char version[MODEL_NAME_VERSION_BYTES + 1])
{
	struct slice text = slice_from_cstr(name);
	struct slice head =
		arena_printf(arena, "%.*s-v", SLICE_FMT(safe_name(arena, model, NAME_MODEL_BYTES)));
	struct slice tail = arena_printf(arena, "-%.*s", NAME_DIGEST_BYTES, tree_sha256);
	if (tree_sha256[0] == '\0' || !slice_starts_with(text, head) ||
	    !slice_ends_with(text, tail) || text.len <= head.len + tail.len ||
	    text.len - head.len - tail.len > MODEL_NAME_VERSION_BYTES)
		return false;
	(void)snprintf(version, MODEL_NAME_VERSION_BYTES + 1, "%.*s",
		       (int)(text.len - head.len - tail.len), name + head.len);
	return true;
}

struct slice model_tag(const struct json_value *entity, const char *key)
{
	const struct json_value *tag = json_items(json_tree_get(entity, "tags"));
	while (tag != NULL && !slice_eq_cstr(json_text(tag, "key"), key))
		tag = tag->next_sibling_or_null;
	return tag == NULL ? (struct slice){0} : json_text(tag, "value");
}
