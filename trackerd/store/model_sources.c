/* Owns the rules for where the files of a model version may be. */
#include "store/model_sources.h"

#include <string.h>

#include "store/artifact_uri.h"
#include "store/logged_models_load.h"
#include "store/model_versions.h"
#include "store/models.h"

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

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "file" of "file:/a"; empty for a path. */
static struct slice scheme_of(struct slice uri)
{
	size_t colon = slice_find_byte(uri, ':', 0);
	if (colon == uri.len || colon == 0 || !is_letter(uri.ptr[0]))
		return SLICE("");
	for (size_t i = 1; i < colon; i++) {
		char c = uri.ptr[i];
		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
			return SLICE("");
	}
	return slice_first(uri, colon);
}

static bool has_scheme(struct slice uri, const char *scheme)
{
	return slice_eq_ignoring_case(scheme_of(uri), slice_from_cstr(scheme));
}

static bool is_local(struct slice uri)
{
	return scheme_of(uri).len == 0 || has_scheme(uri, "file");
}

/* Takes a URI behind its scheme apart: "//host/path" or "/path". */
static struct slice split_host(struct slice rest, struct slice *host_out)
{
	size_t slash = slice_starts_with(rest, SLICE("//")) ? slice_find_byte(rest, '/', 2) : 0;
	*host_out = slash > 2 ? slice_make(rest.ptr + 2, slash - 2) : SLICE("");
	return slice_from(rest, slash);
}

static struct slice without_scheme(struct slice uri)
{
	size_t scheme_len = scheme_of(uri).len;
	return scheme_len == 0 ? uri : slice_from(uri, scheme_len + 1);
}

/* The path of a URI, without its query and fragment. */
static struct slice path_of(struct slice uri)
{
	struct slice host;
	struct slice path = split_host(without_scheme(uri), &host);
	path = slice_first(path, slice_find_byte(path, '#', 0));
	return slice_first(path, slice_find_byte(path, '?', 0));
}

/* Without empty and "." segments, and with ".." gone up: "/a//b/../c/" is "/a/c". False for a path that is not
 * absolute. */
static bool normalize(struct slice path, struct arena *arena, struct slice *out)
{
	char *text = ARENA_NEW(arena, char, path.len + 1);
	struct slice part, rest = path;
	size_t len = 0;
	if (!slice_starts_with(path, SLICE("/")))
		return false;
	while (slice_next(&rest, '/', &part)) {
		if (part.len == 0 || slice_eq(part, SLICE(".")))
			continue;
		if (slice_eq(part, SLICE(".."))) {
			while (len > 0 && text[--len] != '/')
				;
			continue;
		}
		text[len++] = '/';
		memcpy(text + len, part.ptr, part.len);
		len += part.len;
	}
	*out = slice_make(text, len);
	return true;
}

/* A source of any scheme but file: absolute, and the same however it is read. */
static bool is_safe(struct slice uri, struct arena *arena)
{
	struct slice decoded, normal, part;
	if (!decode_until_stable(uri, arena, &decoded) || has_parent_reference(decoded) ||
	    slice_find_byte(decoded, '\0', 0) < decoded.len ||
	    slice_find_byte(decoded, '\\', 0) < decoded.len)
		return false;
	struct slice path = path_of(decoded), rest = path;
	if (!normalize(path, arena, &normal) || normal.len == 0)
		return false;
	while (slice_next(&rest, '/', &part)) {
		if (slice_eq(part, SLICE(".")))
			return false;
	}
	return true;
}

/* Is the path the folder, or below it? Both are normal. */
static bool is_inside(struct slice path, struct slice folder)
{
	return folder.len > 0 && slice_starts_with(path, folder) &&
	       (path.len == folder.len || path.ptr[folder.len] == '/');
}

/* ---- errors ------------------------------------------------------------------------------------- */

/* What the request calls the thing that must contain the source. */
static const char *container_parameter(const struct model_source *source)
{
	return source->model_id.len > 0 ? "model_id" : "run_id";
}

static bool error_local(struct error *err, const struct model_source *source)
{
	const char *parameter = container_parameter(source);
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model version source: '%s'. To use a local path as a model "
			 "version source, the %s request parameter has to be specified and the "
			 "local path has to be contained within the artifact directory of the run "
			 "specified by the %s.",
			 error_quote(source->uri, quoted, sizeof(quoted)), parameter, parameter);
}

static bool error_unsafe(struct error *err, struct slice source)
{
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model version source: '%s'. If supplying a source as an http, "
			 "https, local file path, ftp, objectstore, or mlflow-artifacts uri, an "
			 "absolute path must be provided without relative path references present. "
			 "Please provide an absolute path.",
			 error_quote(source, quoted, sizeof(quoted)));
}

static bool error_elsewhere(struct error *err, const struct model_source *source,
			    const char *parameter)
{
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid model version source: '%s'. The %s request parameter must "
			 "identify the resource that contains the source.",
			 error_quote(source->uri, quoted, sizeof(quoted)), parameter);
}

static bool error_invalid(struct error *err, struct slice source, const char *why)
{
	char quoted[300];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid model version source: '%s'. %s",
			 error_quote(source, quoted, sizeof(quoted)), why);
}

/* ---- forms -------------------------------------------------------------------------------------- */

static bool read_uri(struct db *db, struct sql sql, struct slice id, struct arena *arena,
		     struct slice *out, bool *found, struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, id);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found)
		*out = db_column_copy(st, 0, arena);
	db_reset(st);
	return true;
}

static bool run_artifact_uri(struct db *db, struct slice run_id, struct arena *arena,
			     struct slice *out, bool *found, struct error *err)
{
	return read_uri(db, SQL("SELECT artifact_uri FROM runs WHERE run_id = $1"), run_id, arena,
			out, found, err);
}

/* The artifact URI of the model or run that is named; *found false when it is none of ours. */
static bool container_uri(struct db *db, const struct model_source *source, struct arena *arena,
			  struct slice *out, bool *found, struct error *err)
{
	*found = false;
	if (source->model_id.len > 0)
		return read_uri(db,
				SQL("SELECT artifact_uri FROM logged_models"
				    " WHERE model_id = $1 AND is_deleted = 0"),
				source->model_id, arena, out, found, err);
	return source->run_id.len == 0 ||
	       run_artifact_uri(db, source->run_id, arena, out, found, err);
}

/* What is not named is the other version's; what is named must be. */
static bool agree(struct slice *named, struct slice actual)
{
	if (named->len == 0)
		*named = actual;
	return slice_eq(*named, actual);
}

static bool resolve_logged_model(struct db *db, struct model_source *source, struct slice model_id,
				 struct arena *arena, struct slice *out, struct error *err)
{
	struct logged_model model;
	if (source->model_id.len > 0 && !slice_eq(source->model_id, model_id))
		return error_elsewhere(err, source, "model_id");
	if (!logged_model_load(db, model_id, false, arena, &model, err))
		return false;
	source->model_id = model_id;
	*out = model.artifact_uri;
	return true;
}

static bool resolve_model(struct db *db, struct model_source *source, struct arena *arena,
			  struct slice *out, struct error *err)
{
	struct slice rest = slice_from(source->uri, strlen("models:/")), name;
	struct model_version version;
	int64_t number = 0;
	bool is_prompt = false;
	(void)slice_next(&rest, '/', &name);
	bool is_model_id = name.len > 0 && !slice_is_present(rest) &&
			   slice_find_byte(name, '@', 0) == name.len;
	if (is_model_id)
		return resolve_logged_model(db, source, name, arena, out, err);
	if (!slice_parse_i64(rest, &number))
		return error_invalid(err, source->uri, "Expected models:/NAME/VERSION.");
	if (!model_version_load(db, name, number, arena, &version, err) ||
	    !model_is_prompt(db, name, &is_prompt, err))
		return false;
	if (is_prompt)
		return error_invalid(err, source->uri,
				     "Prompt versions cannot be used as model version sources.");
	if (!agree(&source->run_id, version.run_id) || !agree(&source->model_id, version.model_id))
		return error_invalid(err, source->uri,
				     "The run_id and model_id request parameters must match the "
				     "referenced model version.");
	*out = version.storage_location;
	return true;
}

static bool resolve_run(struct db *db, const struct model_source *source, struct arena *arena,
			struct slice *out, struct error *err)
{
	struct slice rest = slice_from(source->uri, strlen("runs:/")), run_id, uri;
	bool found = false;
	char quoted[300];
	(void)slice_next(&rest, '/', &run_id); /* an empty id is one that is not found */
	if (source->model_id.len > 0)
		return error_elsewhere(err, source, "model_id");
	if (source->run_id.len > 0 && !slice_eq(source->run_id, run_id))
		return error_elsewhere(err, source, "run_id");
	if (!run_artifact_uri(db, run_id, arena, &uri, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found",
				 error_quote(run_id, quoted, sizeof(quoted)));
	*out = rest.len > 0 ? artifact_uri_join(uri, rest, arena) : uri;
	return true;
}

/* The one normal path of a local URI, whose escapes file: decodes once. */
static bool local_path(struct slice uri, struct arena *arena, struct slice *out)
{
	if (has_scheme(uri, "file"))
		uri = decode_once(path_of(uri), arena);
	return normalize(uri, arena, out);
}

static bool is_this_host(struct slice host)
{
	return host.len == 0 || slice_eq(host, SLICE(".")) ||
	       slice_starts_with(host, SLICE("localhost")) ||
	       slice_starts_with(host, SLICE("127.0.0.1"));
}

static bool resolve_local(struct db *db, const struct model_source *source, struct arena *arena,
			  struct slice *out, struct error *err)
{
	struct slice uri, host, path, folder;
	bool found = false;
	char quoted[300];
	(void)split_host(without_scheme(source->uri), &host);
	if (has_scheme(source->uri, "file") && !is_this_host(host))
		return error_set(
			err, ERR_INTERNAL_ERROR,
			"%s is not a valid remote uri. For remote access on windows, please "
			"consider using a different scheme such as SMB (e.g. "
			"smb://<hostname>/<path>).",
			error_quote(source->uri, quoted, sizeof(quoted)));
	if (!container_uri(db, source, arena, &uri, &found, err))
		return false;
	if (!found || !is_local(uri) || !local_path(uri, arena, &folder) ||
	    !local_path(source->uri, arena, &path) || !is_inside(path, folder))
		return error_local(err, source);
	*out = source->uri;
	return true;
}

/* A client of MLflow 2 may name no run. */
static bool resolve_proxied(struct db *db, const struct model_source *source, struct arena *arena,
			    struct slice *out, struct error *err)
{
	struct slice uri, decoded, path, folder;
	bool found = false;
	*out = source->uri;
	if (source->run_id.len == 0 && source->model_id.len == 0)
		return true;
	if (!container_uri(db, source, arena, &uri, &found, err))
		return false;
	if (!found || !has_scheme(uri, "mlflow-artifacts") ||
	    !decode_until_stable(source->uri, arena, &decoded) ||
	    !normalize(path_of(decoded), arena, &path) ||
	    !normalize(path_of(uri), arena, &folder) || !is_inside(path, folder))
		return error_elsewhere(err, source, container_parameter(source));
	return true;
}

/* Without a run the version comes from the one that made its model. */
static bool complete_run(struct db *db, struct model_source *source, struct arena *arena,
			 struct error *err)
{
	struct logged_model model;
	if (source->run_id.len > 0 || source->model_id.len == 0)
		return true;
	if (!logged_model_load(db, source->model_id, false, arena, &model, err))
		return false;
	source->run_id = model.source_run_id;
	return true;
}

static bool resolve(struct db *db, struct model_source *source, struct arena *arena,
		    struct slice *location_out, struct error *err)
{
	if (is_local(source->uri))
		return resolve_local(db, source, arena, location_out, err);
	if (!is_safe(source->uri, arena))
		return error_unsafe(err, source->uri);
	if (slice_starts_with(source->uri, SLICE("models:/")))
		return resolve_model(db, source, arena, location_out, err);
	if (slice_starts_with(source->uri, SLICE("runs:/")))
		return resolve_run(db, source, arena, location_out, err);
	if (has_scheme(source->uri, "mlflow-artifacts"))
		return resolve_proxied(db, source, arena, location_out, err);
	*location_out = source->uri;
	return true;
}

bool model_source_resolve(struct db *db, struct model_source *source, struct arena *arena,
			  struct slice *location_out, struct error *err)
{
	return resolve(db, source, arena, location_out, err) &&
	       complete_run(db, source, arena, err);
}

bool model_source_check_prompt(struct slice uri, struct error *err)
{
	char quoted[300];
	return slice_eq(uri, SLICE("dummy-source")) || slice_eq(uri, SLICE("prompt-template")) ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid prompt source: '%s'. Prompt sources must use an MLflow "
			 "placeholder.",
			 error_quote(uri, quoted, sizeof(quoted)));
}
