/* Owns the rules for what may be removed for good. */
#include "api/gc_verdict.h"

#include <inttypes.h>

#include "api/deletion_guard.h"
#include "artifacts/artifact_path.h"
#include "store/traces.h"

enum { MODEL_BYTES_SHOWN = 100 };
#define OLDER_THAN_MS_DEFAULT (INT64_C(30) * 24 * 3600 * 1000)

struct slice gc_reason_name(enum gc_reason reason)
{
	static const char *const names[GC_REASONS] = {
		[GC_GOES] = "goes",	    [GC_RESTORE_WINDOW] = "restore_window",
		[GC_NEEDED] = "needed",	    [GC_UPLOAD] = "upload",
		[GC_CONTENTS] = "contents", [GC_DEFAULT] = "default",
	};
	return slice_from_cstr(names[reason]);
}

struct slice gc_kind_name(enum garbage_kind kind)
{
	static const char *const names[GARBAGE_KINDS] = {
		[GARBAGE_RUN] = "run",
		[GARBAGE_LOGGED_MODEL] = "logged_model",
		[GARBAGE_EXPERIMENT] = "experiment",
	};
	return slice_from_cstr(names[kind]);
}

/* ---- folders ------------------------------------------------------------------------------------ */

/* "…/<id>/artifacts", as we make them: an address of other shape may be shared. */
static bool is_own_folder(const struct garbage *garbage, struct slice path, struct arena *arena)
{
	struct slice end = arena_concat(arena, garbage->id, SLICE("/artifacts"));
	return slice_ends_with(path, end) &&
	       (path.len == end.len || path.ptr[path.len - end.len - 1] == '/');
}

/* Is another experiment's folder the same, around it or inside? */
static bool is_shared_location(struct db *tracker, const struct garbage *experiment, bool *out,
			       struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT EXISTS (SELECT 1 FROM experiments WHERE experiment_id <> $1"
			       " AND (artifact_location = $2"
			       " OR substr(artifact_location, 1, length($2) + 1) = $2 || '/'"
			       " OR substr($2, 1, length(artifact_location) + 1) = "
			       "artifact_location || '/'))"),
			   err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment->pk);
	db_bind_text(st, 2, experiment->uri);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = db_column_i64(st, 0) != 0;
	db_reset(st);
	return true;
}

/* The path of an address with us; empty for any other, and for the root. */
static struct slice path_here(struct slice uri, struct arena *arena)
{
	struct error elsewhere;
	struct slice path;
	return artifact_path_from_uri(uri, arena, &path, &elsewhere) ? path : SLICE("");
}

bool gc_folder(struct db *tracker, const struct garbage *garbage, struct arena *arena,
	       struct slice *path_out, struct error *err)
{
	struct slice path = path_here(garbage->uri, arena);
	bool is_shared;
	*path_out = SLICE("");
	if (path.len == 0)
		return true;
	if (garbage->kind != GARBAGE_EXPERIMENT)
		is_shared = !is_own_folder(garbage, path, arena);
	else if (!is_shared_location(tracker, garbage, &is_shared, err))
		return false;
	if (!is_shared)
		*path_out = path;
	return true;
}

struct slice gc_trace_folder(const struct garbage *experiment, struct slice trace_id,
			     struct arena *arena)
{
	return path_here(trace_directory_uri(experiment->uri, trace_id, arena), arena);
}

/* ---- verdicts ----------------------------------------------------------------------------------- */

static struct gc_verdict stays(enum gc_reason reason, struct slice text)
{
	return (struct gc_verdict){reason, text};
}

static struct needed needed_by_versions(const struct garbage *garbage)
{
	static const enum needed_kind needed_kinds[GARBAGE_KINDS] = {
		[GARBAGE_RUN] = NEEDED_RUN,
		[GARBAGE_LOGGED_MODEL] = NEEDED_LOGGED_MODEL,
		[GARBAGE_EXPERIMENT] = NEEDED_EXPERIMENT,
	};
	return (struct needed){
		.kind = needed_kinds[garbage->kind],
		.id_or_path = garbage->id,
		.experiment_id = garbage->pk,
	};
}

/* "version 3 of model 'taxi' was deleted lately and needs it to be restored" */
static struct slice describe_deleted(const struct needing_version_list *deleted,
				     struct arena *arena)
{
	const struct needing_version *first = &deleted->items[0];
	struct slice others = SLICE("");
	char quoted[MODEL_BYTES_SHOWN];
	if (deleted->count > 1)
		others = arena_printf(arena, " and %zu more", deleted->count - 1);
	return arena_printf(arena,
			    "version %" PRId64
			    " of model '%s'%.*s %s deleted lately and %s it to be restored",
			    first->version, error_quote(first->model, quoted, sizeof(quoted)),
			    SLICE_FMT(others), deleted->count == 1 ? "was" : "were",
			    deleted->count == 1 ? "needs" : "need");
}

/* By versions that are there, or by some that can be restored as long as this is. */
static bool judge_needs(struct db *tracker, const struct garbage *garbage, int64_t before_ms,
			struct arena *arena, struct gc_verdict *out, struct error *err)
{
	const struct needed needed = needed_by_versions(garbage);
	struct needing_version_list needing;
	struct slice why;
	if (!version_needs_find(tracker, &needed, arena, &needing, err))
		return false;
	if (needing.count > 0) {
		if (!deletion_guard_describe(tracker, &needing, arena, &why, err))
			return false;
		*out = stays(GC_NEEDED, why);
		return true;
	}
	if (!version_needs_find_deleted(tracker, &needed, before_ms, arena, &needing, err))
		return false;
	if (needing.count > 0)
		*out = stays(GC_RESTORE_WINDOW, describe_deleted(&needing, arena));
	return true;
}

static bool has_upload(struct db *tracker, const struct garbage *garbage, struct arena *arena,
		       bool *out, struct error *err)
{
	struct slice path = path_here(garbage->uri, arena);
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT EXISTS (SELECT 1 FROM multipart_uploads"
			       " WHERE is_complete = 0 AND path >= $1 AND path < $2)"),
			   err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, arena_concat(arena, path, SLICE("/")));
	db_bind_text(st, 2, arena_concat(arena, path, SLICE("0")));
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = path.len > 0 && db_column_i64(st, 0) != 0;
	db_reset(st);
	return true;
}

bool gc_judge(struct db *tracker, const struct garbage *garbage, int64_t before_ms,
	      struct arena *arena, struct gc_verdict *out, struct error *err)
{
	bool uploads;
	*out = stays(GC_GOES, SLICE(""));
	if (garbage->is_being_removed)
		return true;
	if (garbage->kind == GARBAGE_EXPERIMENT && garbage->pk == 0) {
		*out = stays(GC_DEFAULT, SLICE("the default experiment itself always stays"));
		return true;
	}
	if (garbage->deleted_ms > before_ms) {
		*out = stays(GC_RESTORE_WINDOW, SLICE("it was deleted lately and can be restored"));
		return true;
	}
	if (!has_upload(tracker, garbage, arena, &uploads, err))
		return false;
	if (uploads)
		*out = stays(GC_UPLOAD, SLICE("a file of it is being uploaded in parts"));
	return judge_needs(tracker, garbage, before_ms, arena, out, err);
}

static bool check_not_negative(const char *name, struct opt_i64 value, struct error *err)
{
	return !value.is_set || value.value >= 0 ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value %" PRId64 " for parameter '%s' supplied. It must not be "
			 "negative.",
			 value.value, name);
}

bool gc_age_check(struct opt_i64 older_than_ms, struct opt_i64 deleted_before_ms, int64_t now_ms,
		  int64_t *before_ms_out, struct error *err)
{
	if (older_than_ms.is_set && deleted_before_ms.is_set)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Give older_than_ms or deleted_before_ms, not both.");
	if (!check_not_negative("older_than_ms", older_than_ms, err) ||
	    !check_not_negative("deleted_before_ms", deleted_before_ms, err))
		return false;
	int64_t age_ms = older_than_ms.is_set ? older_than_ms.value : OLDER_THAN_MS_DEFAULT;
	*before_ms_out = deleted_before_ms.is_set ? deleted_before_ms.value : now_ms - age_ms;
	return true;
}
