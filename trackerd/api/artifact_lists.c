/* Owns the endpoints that list artifacts: of the proxy by path, of a run, and of a logged model.
 *
 * Only directories have a listing. That of a file, like that of nothing, is empty: by this the 2.x
 * clients tell what a path is before they download it. */
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
	call->result = listing;
	return artifact_tree_list(tracker, request->path, call->arena, &listing->entries, err);
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

/* Lists `path` below the folder `root`; names are given as they are below it. */
static bool list_below(struct call *call, struct db *tracker, struct slice root, struct slice path,
		       struct listing *listing, struct error *err)
{
	struct slice whole_path;
	listing->directory = path;
	call->result = listing;
	return artifact_path_join(root, path, call->arena, &whole_path, err) &&
	       artifact_tree_list(tracker, whole_path, call->arena, &listing->entries, err);
}

static bool list_run_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_run_request *request = call->request;
	struct listing *listing = ARENA_NEW(call->arena, struct listing, 1);
	struct slice root;
	return artifact_location_of_run(tracker, request->run_id, call->arena, &listing->root_uri,
					&root, err) &&
	       list_below(call, tracker, root, request->path, listing, err);
}

/* ---- a logged model ------------------------------------------------------------------------------ */

struct list_model_request {
	struct slice artifact_directory_path;
};

static const struct field list_model_fields[] = {
	FIELD_TEXT(struct list_model_request, artifact_directory_path, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool list_model_check(struct call *call, struct error *err)
{
	struct list_model_request *request = call->request;
	return artifact_path_parse(request->artifact_directory_path, call->arena,
				   &request->artifact_directory_path, err);
}

static bool list_model_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct list_model_request *request = call->request;
	struct listing *listing = ARENA_NEW(call->arena, struct listing, 1);
	struct slice root;
	return artifact_location_of_logged_model(tracker, call->path_arguments[0], call->arena,
						 &listing->root_uri, &root, err) &&
	       list_below(call, tracker, root, request->artifact_directory_path, listing, err);
}

const struct endpoint artifacts_list = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = list_fields,
	.request_bytes = sizeof(struct list_request),
	.check = list_check,
	.execute = list_execute,
	.encode = encode_listing,
	.summary = "List a directory of artifacts",
};
const struct endpoint artifacts_list_run = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = list_run_fields,
	.request_bytes = sizeof(struct list_run_request),
	.check = list_run_check,
	.execute = list_run_execute,
	.encode = encode_listing,
	.summary = "List a directory of a run's artifacts",
};
const struct endpoint artifacts_list_logged_model = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = list_model_fields,
	.request_bytes = sizeof(struct list_model_request),
	.check = list_model_check,
	.execute = list_model_execute,
	.encode = encode_listing,
	.summary = "List a directory of a logged model's artifacts",
};
