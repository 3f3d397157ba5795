/* Owns POST /api/trackerd/v1/gc: removes for good what was deleted, a few milliseconds of the committer at a time.
 *
 * A request works for a second or so and says how to go on, so that its caller can show progress and stop. Nothing is
 * kept between requests but what is in the rows: after a crash, or when the caller goes away, another request does the
 * rest. Blobs that lost their last reference are swept meanwhile (artifacts/blob_sweep.h). */
#include "api/gc.h"

#include <inttypes.h>

#include "api/gc_verdict.h"
#include "base/clock.h"
#include "store/traces.h"

enum {
	REQUEST_MS_MAX = 1000,
	STEP_MS_MAX = 5, /* nobody else writes meanwhile */
	PIECE_FILES = 100,
	PIECE_TRACES = 10,
};

struct run_request {
	struct opt_i64 older_than_ms, deleted_before_ms;
	struct slice after;
	int64_t before_ms; /* by check */
};

/* How far it has come. */
struct progress {
	struct garbage_cursor cursor;
	int64_t counts[GARBAGE_KINDS]; /* removed */
	bool is_done;
};

struct run_result {
	struct progress before, now; /* the step under way */
	unsigned step;
	int64_t begin_ms;	/* monotonic */
	struct arena_mark mark; /* behind all that outlives a step */
};

// clang-format off
static const struct field run_fields[] = {
	FIELD_I64(struct run_request, older_than_ms, FIELD_OPTIONAL),
	FIELD_I64(struct run_request, deleted_before_ms, FIELD_OPTIONAL),
	FIELD_TEXT(struct run_request, after, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

/* ---- where to go on ----------------------------------------------------------------------------- */

static bool parse_after(struct slice text, struct garbage_cursor *out, struct error *err)
{
	struct slice rest = text, kind;
	char quoted[64];
	int64_t pk;
	*out = GARBAGE_CURSOR_BEGIN;
	if (text.len == 0)
		return true;
	(void)slice_next(&rest, ':', &kind);
	for (int i = 0; i < GARBAGE_KINDS; i++) {
		if (slice_eq(kind, gc_kind_name((enum garbage_kind)i)) &&
		    slice_parse_i64(rest, &pk)) {
			*out = (struct garbage_cursor){(enum garbage_kind)i, pk};
			return true;
		}
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value '%s' for parameter 'after' supplied. It must be one that "
			 "an earlier reply gave.",
			 error_quote(text, quoted, sizeof(quoted)));
}

static bool run_check(struct call *call, struct error *err)
{
	struct run_request *request = call->request;
	struct run_result *result = ARENA_NEW(call->arena, struct run_result, 1);
	call->result = result;
	result->begin_ms = clock_monotonic_ms(clock_system());
	result->mark = arena_mark(call->arena);
	return parse_after(request->after, &result->before.cursor, err) &&
	       gc_age_check(request->older_than_ms, request->deleted_before_ms, call->now_ms,
			    &request->before_ms, err);
}

/* ---- removing ----------------------------------------------------------------------------------- */

/* Some traces of an experiment, with their files where these have no folder that goes as a whole. */
static bool remove_traces(struct call *call, struct db *tracker, const struct garbage *experiment,
			  bool has_folder, bool *is_gone_out, struct error *err)
{
	const struct trace_selection selection = {.experiment_id = experiment->pk,
						  .max_time_ms = INT64_MAX};
	struct trace_ref_list traces;
	if (!traces_select(tracker, &selection, PIECE_TRACES, call->arena, &traces, err))
		return false;
	for (size_t i = 0; i < traces.count; i++) {
		struct slice folder =
			gc_trace_folder(experiment, traces.items[i].trace_id, call->arena);
		if (!has_folder && folder.len > 0 &&
		    !artifact_tree_remove_in_txn(tracker, folder, call->arena, &call->released,
						 err))
			return false;
		if (!trace_delete_in_txn(tracker, &traces.items[i], err))
			return false;
	}
	*is_gone_out = traces.count < PIECE_TRACES;
	return true;
}

/* What takes a millisecond or so; *is_gone_out when nothing is left of it. */
static bool remove_piece(struct call *call, struct db *tracker, const struct garbage *garbage,
			 bool *is_gone_out, struct error *err)
{
	struct slice folder;
	bool is_gone = true;
	if (!gc_folder(tracker, garbage, call->arena, &folder, err))
		return false;
	if (garbage->kind == GARBAGE_EXPERIMENT &&
	    !remove_traces(call, tracker, garbage, folder.len > 0, &is_gone, err))
		return false;
	if (is_gone && !garbage_remove_piece_in_txn(tracker, garbage, &is_gone, err))
		return false;
	if (is_gone && folder.len > 0 &&
	    !artifact_tree_remove_piece_in_txn(tracker, folder, PIECE_FILES, call->arena,
					       &call->released, &is_gone, err))
		return false;
	*is_gone_out = is_gone;
	return !is_gone || garbage_remove_row_in_txn(tracker, garbage, err);
}

static bool may_go(struct call *call, struct db *tracker, const struct garbage *garbage, bool *out,
		   struct error *err)
{
	const struct run_request *request = call->request;
	struct gc_verdict verdict;
	bool is_empty = true;
	if (!gc_judge(tracker, garbage, request->before_ms, call->arena, &verdict, err))
		return false;
	if (garbage->kind == GARBAGE_EXPERIMENT &&
	    !garbage_experiment_is_empty(tracker, garbage->pk, &is_empty, err))
		return false;
	*out = verdict.reason == GC_GOES && is_empty;
	return true;
}

/* The next thing, until it is gone or time is over. */
static bool remove_next(struct call *call, struct db *tracker, struct progress *progress,
			int64_t end_ms, struct error *err)
{
	struct garbage garbage;
	bool found, goes, is_gone = false;
	if (!garbage_next(tracker, &progress->cursor, call->arena, &garbage, &found, err))
		return false;
	progress->is_done = !found;
	if (!found)
		return true;
	if (!may_go(call, tracker, &garbage, &goes, err))
		return false;
	if (!goes)
		return true;
	if (!garbage.is_being_removed && !garbage_mark_in_txn(tracker, &garbage, err))
		return false;
	do {
		if (!remove_piece(call, tracker, &garbage, &is_gone, err))
			return false;
	} while (!is_gone && clock_monotonic_ms(clock_system()) < end_ms);
	progress->counts[garbage.kind] += is_gone;
	if (!is_gone)
		progress->cursor.after_pk = garbage.pk - 1; /* it comes again */
	return true;
}

static bool run_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct run_result *result = call->result;
	int64_t end_ms = clock_monotonic_ms(clock_system()) + STEP_MS_MAX;
	arena_rewind(call->arena, result->mark);
	if (result->step != call->step) {
		result->step = call->step;
		result->before = result->now;
	}
	result->now = result->before; /* this may be the second run */
	do {
		if (!remove_next(call, tracker, &result->now, end_ms, err))
			return false;
	} while (!result->now.is_done && clock_monotonic_ms(clock_system()) < end_ms);
	call->has_more = !result->now.is_done &&
			 clock_monotonic_ms(clock_system()) - result->begin_ms < REQUEST_MS_MAX;
	return true;
}

static void run_encode(const struct call *call, struct json_writer *w)
{
	const struct run_request *request = call->request;
	const struct run_result *result = call->result;
	const struct progress *now = &result->now;
	struct slice after = SLICE("");
	if (!now->is_done)
		after = arena_printf(call->arena, "%.*s:%" PRId64,
				     SLICE_FMT(gc_kind_name(now->cursor.kind)),
				     now->cursor.after_pk);
	json_object_begin(w);
	json_put_bool(w, "done", now->is_done);
	json_put_string(w, "after", after);
	json_put_int(w, "deleted_before_ms", request->before_ms);
	json_put_int(w, "runs", now->counts[GARBAGE_RUN]);
	json_put_int(w, "logged_models", now->counts[GARBAGE_LOGGED_MODEL]);
	json_put_int(w, "experiments", now->counts[GARBAGE_EXPERIMENT]);
	json_object_end(w);
}

const struct endpoint gc_run = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = run_fields,
	.request_bytes = sizeof(struct run_request),
	.check = run_check,
	.execute = run_execute,
	.encode = run_encode,
	.summary = "Remove for good what was deleted long ago",
};
