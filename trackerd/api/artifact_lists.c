/* Owns the endpoints that list artifacts: of the proxy by path, and of a run. */
#include "api/artifacts.h"

#include "artifacts/artifact_location.h"
#include "artifacts/artifact_path.h"
#include "artifacts/artifact_tree.h"

/* What both endpoints leave for encode. */
struct listing {
	struct slice root_uri;	/* absent for the proxy */
	struct slice directory; /* put before each name; empty for none */
	struct artifact_entry_list entries;
};

/* The children of a directory, or the file itself; nothing when there is nothing. */
static bool list_path(struct db *tracker, struct slice path, struct arena *arena,
		      struct listing *listing, bool *is_file_out, struct error *err)
{
	struct artifact_file file;
	enum artifact_kind kind;
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	*is_file_out = kind == ARTIFACT_FILE;
	if (kind == ARTIFACT_FILE) {
		listing->entries.items = ARENA_NEW(arena, struct artifact_entry, 1);
		listing->entries.items[0] = (struct artifact_entry){
			.name = artifact_path_name(path), .size = file.size};
		listing->entries.count = 1;
	}
	return kind != ARTIFACT_DIRECTORY ||
	       artifact_tree_list(tracker, path, arena, &listing->entries, err);
}

static void put_path(struct json_writer *w, struct slice directory, struct slice name,
		     struct arena *arena)
{
	if (directory.len > 0)
		name = arena_concat(arena, arena_concat(arena, directory, SLICE("/")), name);
	json_put_string(w, "path", name);
}

static void encode_listing(const struct call *call, struct json_writer *w)
{
	const struct listing *listing = call->result;
	json_object_begin(w);
	json_put_string(w, "root_uri", listing->root_uri);
	if (listing->entries.count > 0) {
		json_key(w, "files");
		json_array_begin(w);
		for (size_t i = 0; i < listing->entries.count; i++) {
			const struct artifact_entry *entry = &listing->entries.items[i];
			json_object_begin(w);
			put_path(w, listing->directory, entry->name, call->arena);
			json_put_bool(w, "is_dir", entry->is_directory);
			if (!entry->is_directory)
				json_put_int(w, "file_size", entry->size);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

/* ---- the proxy ---------------------------------------------------------------------------------- */

struct list_request {
	struct slice path;
};

static const struct field list_fields[] = {
	FIELD_TEXT(struct list_request, path, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool list_check(struct call *call, struct error *err)
{
	struct list_request *request = call->request;
	return artifact_path_parse(request->path, call->arena, &request->path, err);
}

static bool list_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_request *request = call->request;
	struct listing *listing = ARENA_NEW(call->arena, struct listing, 1);
	bool is_file;
	call->result = listing;
	return list_path(tracker, request->path, call->arena, listing, &is_file, err);
}

/* ---- a run -------------------------------------------------------------------------------------- */

struct list_run_request {
	struct slice run_id;
	struct slice path;
};

static const struct field list_run_fields[] = {
	FIELD_TEXT(struct list_run_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct list_run_request, path, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool list_run_check(struct call *call, struct error *err)
{
	struct list_run_request *request = call->request;
	return artifact_path_parse(request->path, call->arena, &request->path, err);
}

static bool list_run_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_run_request *request = call->request;
	struct listing *listing = ARENA_NEW(call->arena, struct listing, 1);
	struct slice root, path;
	bool is_file;
	if (!artifact_location_of_run(tracker, request->run_id, call->arena, &listing->root_uri,
				      &root, err) ||
	    !artifact_path_join(root, request->path, call->arena, &path, err) ||
	    !list_path(tracker, path, call->arena, listing, &is_file, err))
		return false;
	listing->directory = is_file ? artifact_path_directory(request->path) : request->path;
	call->result = listing;
	return true;
}

const struct endpoint artifacts_list = {
	.kind = ENDPOINT_READ,
	.fields_or_null = list_fields,
	.request_bytes = sizeof(struct list_request),
	.check = list_check,
	.execute = list_execute,
	.encode = encode_listing,
	.summary = "List a directory of artifacts",
};
const struct endpoint artifacts_list_run = {
	.kind = ENDPOINT_READ,
	.fields_or_null = list_run_fields,
	.request_bytes = sizeof(struct list_run_request),
	.check = list_run_check,
	.execute = list_run_execute,
	.encode = encode_listing,
	.summary = "List a directory of a run's artifacts",
};
