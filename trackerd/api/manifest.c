/* Owns the manifest of a tree of artifacts. */
#include "api/manifest.h"

#include "artifacts/artifact_path.h"

static void put_digest(struct json_writer *w, const char *key,
		       const unsigned char digest[SHA256_BYTES])
{
	char hex[SHA256_HEX_LEN + 1];
	digest_hex(digest, hex);
	json_put_cstr(w, key, hex);
}

void manifest_write(struct json_writer *w, const struct manifest *manifest)
{
	json_object_begin(w);
	json_put_string(w, "path", manifest->path);
	json_put_int(w, "file_count", (int64_t)manifest->files.count);
	json_put_int(w, "byte_count", manifest->byte_count);
	if (manifest->body_sha256_or_null != NULL)
		put_digest(w, "sha256", manifest->body_sha256_or_null);
	put_digest(w, "tree_sha256", manifest->tree_sha256);
	if (manifest->files.count > 0) {
		json_key(w, "files");
		json_array_begin(w);
		for (size_t i = 0; i < manifest->files.count; i++) {
			const struct artifact_file *file = &manifest->files.items[i];
			json_object_begin(w);
			json_put_string(w, "path", file->path);
			json_put_int(w, "file_size", file->size);
			put_digest(w, "sha256", file->sha256);
			if (manifest->has_times)
				json_put_int(w, "modified_ms", file->modified_ms);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

static bool manifest_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct manifest *manifest = ARENA_NEW(call->arena, struct manifest, 1);
	char quoted[256];
	manifest->has_times = true;
	if (!artifact_path_parse_below_root(call->path_arguments[0], call->arena, &manifest->path,
					    err) ||
	    !artifact_tree_load(tracker, manifest->path, call->arena, &manifest->files, err))
		return false;
	if (manifest->files.count == 0)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "No such artifact: '%s'",
				 error_quote(manifest->path, quoted, sizeof(quoted)));
	call->result = manifest;
	return artifact_tree_digest(&manifest->files, manifest->tree_sha256, &manifest->byte_count,
				    err);
}

static void manifest_encode(const struct call *call, struct json_writer *w)
{
	manifest_write(w, call->result);
}

const struct endpoint manifest_get = {
	.kind = ENDPOINT_READ,
	.execute = manifest_execute,
	.encode = manifest_encode,
	.summary = "List a tree of artifacts with sizes and digests",
};
