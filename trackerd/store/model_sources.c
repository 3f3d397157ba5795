/* Owns the rules for where the files of a model version may be. */
#include "store/model_sources.h"

#include <string.h>

#include "store/artifact_uri.h"
#include "store/model_versions.h"

enum { DECODE_ROUNDS_MAX = 10 };

/* ---- text rules --------------------------------------------------------------------------------- */

/* One round of percent-decoding; broken escapes stay as they are. */
static struct slice decode_once(struct slice text, struct arena *arena)
{
	char *out = ARENA_NEW(arena, char, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool is_escape = text.ptr[i] == '%' && i + 2 < text.len &&
				 slice_hex_digit(text.ptr[i + 1]) >= 0 &&
				 slice_hex_digit(text.ptr[i + 2]) >= 0;
		if (is_escape) {
			out[len++] = (char)(slice_hex_digit(text.ptr[i + 1]) * 16 +
					    slice_hex_digit(text.ptr[i + 2]));
			i += 2;
		} else {
			out[len++] = text.ptr[i];
		}
	}
	return slice_make(out, len);
}

/* Attackers encode twice and thrice; what does not settle soon is refused. */
static bool decode_until_stable(struct slice text, struct arena *arena, struct slice *out)
{
	for (int round = 0; round < DECODE_ROUNDS_MAX; round++) {
		struct slice decoded = decode_once(text, arena);
		if (slice_eq(decoded, text)) {
			*out = decoded;
			return true;
		}
		text = decoded;
	}
	return false;
}

static bool has_parent_reference(struct slice path)
{
	struct slice part, rest = path;
	while (slice_next(&rest, '/', &part)) {
		if (slice_eq(part, SLICE("..")))
			return true;
	}
	return false;
}

static bool is_safe(struct slice source, struct arena *arena)
{
	struct slice decoded;
	return decode_until_stable(source, arena, &decoded) &&
	       slice_find_byte(decoded, '\0', 0) == decoded.len &&
	       slice_find_byte(decoded, '\\', 0) == decoded.len && !has_parent_reference(decoded);
}

static bool is_local(struct slice source)
{
	size_t colon = slice_find_byte(source, ':', 0);
	return colon == source.len || slice_starts_with(source, SLICE("file:")) ||
	       slice_find_byte(source, '/', 0) < colon;
}

/* "file:///a/b" and "/a/b" → "/a/b". */
static struct slice local_path(struct slice source)
{
	if (slice_starts_with(source, SLICE("file://")))
		return slice_from(source, 7);
	return slice_starts_with(source, SLICE("file:")) ? slice_from(source, 5) : source;
}

/* ---- errors ------------------------------------------------------------------------------------- */

static bool error_local(struct error *err, struct slice source)
{
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model version source: '%s'. To use a local path as a model "
			 "version source, the run_id "
			 "request parameter has to be specified and the local path has to be "
			 "contained within the "
			 "artifact directory of the run specified by the run_id.",
			 error_quote(source, quoted, sizeof(quoted)));
}

static bool error_unsafe(struct error *err, struct slice source)
{
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model version source: '%s'. If supplying a source as an http, "
			 "https, local file path, "
			 "ftp, objectstore, or mlflow-artifacts uri, an absolute path must be "
			 "provided without relative "
			 "path references present. Please provide an absolute path.",
			 error_quote(source, quoted, sizeof(quoted)));
}

/* ---- forms -------------------------------------------------------------------------------------- */

static bool run_artifact_uri(struct db *db, struct slice run_id, struct arena *arena,
			     struct slice *out, bool *found, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT artifact_uri FROM runs WHERE run_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, run_id);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found)
		*out = db_column_copy(st, 0, arena);
	db_reset(st);
	return true;
}

static bool resolve_model(struct db *db, struct slice source, struct arena *arena,
			  struct slice *out, struct error *err)
{
	struct slice rest = slice_from(source, strlen("models:/")), name;
	struct model_version version;
	int64_t number = 0;
	char quoted[300];
	if (!slice_next(&rest, '/', &name) || !slice_parse_i64(rest, &number))
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"Invalid model version source: '%s'. Expected models:/NAME/VERSION.",
			error_quote(source, quoted, sizeof(quoted)));
	if (!model_version_load(db, name, number, arena, &version, err))
		return false;
	*out = version.storage_location;
	return true;
}

static bool resolve_run(struct db *db, struct slice source, struct arena *arena, struct slice *out,
			struct error *err)
{
	struct slice rest = slice_from(source, strlen("runs:/")), run_id, uri;
	bool found = false;
	char quoted[300];
	(void)slice_next(&rest, '/', &run_id); /* an empty id is one that is not found */
	if (!run_artifact_uri(db, run_id, arena, &uri, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found",
				 error_quote(run_id, quoted, sizeof(quoted)));
	*out = rest.len > 0 ? artifact_uri_join(uri, rest, arena) : uri;
	return true;
}

static bool resolve_local(struct db *db, struct slice source, struct slice run_id,
			  struct arena *arena, struct slice *out, struct error *err)
{
	struct slice uri;
	bool found = false;
	if (run_id.len > 0 && !run_artifact_uri(db, run_id, arena, &uri, &found, err))
		return false;
	if (!found || !is_local(uri))
		return error_local(err, source);
	struct slice folder = local_path(uri), path = local_path(source);
	bool is_inside = slice_starts_with(path, folder) &&
			 (path.len == folder.len || path.ptr[folder.len] == '/');
	if (!is_inside)
		return error_local(err, source);
	*out = source;
	return true;
}

bool model_source_resolve(struct db *db, struct slice source, struct slice run_id, bool is_prompt,
			  struct arena *arena, struct slice *location_out, struct error *err)
{
	if (!is_safe(source, arena))
		return error_unsafe(err, source);
	if (slice_starts_with(source, SLICE("models:/")))
		return resolve_model(db, source, arena, location_out, err);
	if (slice_starts_with(source, SLICE("runs:/")))
		return resolve_run(db, source, arena, location_out, err);
	if (is_local(source) && !is_prompt)
		return resolve_local(db, source, run_id, arena, location_out, err);
	*location_out = source;
	return true;
}
