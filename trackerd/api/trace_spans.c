/* Owns the endpoints that give out traces with their spans. */
#include "api/trace_spans.h"

#include "api/download_job.h"
#include "api/span_json.h"
#include "api/trace_json.h"
#include "api/trace_request.h"
#include "artifacts/artifact_path.h"
#include "artifacts/blobs.h"
#include "http/target.h"
#include "limits.h"
#include "store/traces.h"
#include "store/traces_load.h"

static const struct slice SPANS_FILE = {"artifacts/traces.json", 21};
static const struct slice ATTACHMENTS = {"artifacts/attachments", 21};

struct trace_with_spans {
	struct trace trace;
	bool has_spans;
	const struct json_value *spans_or_null;
};
struct spans_result {
	struct trace_with_spans *items;
	size_t count;
};

/* Below the directory of the trace. */
static bool trace_path(struct db *tracker, struct slice trace_id, struct slice name,
		       struct arena *arena, struct slice *out, struct error *err)
{
	struct slice uri, directory;
	return trace_location(tracker, trace_id, arena, &uri, err) &&
	       artifact_path_from_uri(uri, arena, &directory, err) &&
	       artifact_path_join(directory, name, arena, out, err);
}

/* ---- reading spans ------------------------------------------------------------------------------ */

static bool read_file(struct call *call, const struct artifact_file *file, struct slice *out,
		      struct error *err)
{
	struct buffer text;
	if (file->size > TRACE_SPANS_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The spans of the trace are larger than %d bytes: download the "
				 "artifact traces.json.",
				 TRACE_SPANS_BYTES_MAX);
	buffer_init_in_arena(&text, call->arena, (size_t)TRACE_SPANS_BYTES_MAX);
	while ((int64_t)text.len < file->size) {
		size_t left = (size_t)file->size - text.len;
		if (!blobs_read(call->blobs, file->blob_pk, file->blob_offset + (int64_t)text.len,
				left, &text, err) ||
		    !buffer_check(&text, "The artifact traces.json", err))
			return false;
	}
	*out = buffer_slice(&text);
	return true;
}

/* Traces whose artifacts are elsewhere, or did not come yet, have none. Fails with BAD_REQUEST for broken ones. */
static bool read_spans(struct call *call, struct db *tracker, struct trace_with_spans *t,
		       struct error *err)
{
	struct error elsewhere;
	struct slice path, text;
	struct artifact_file file;
	enum artifact_kind kind;
	if (!trace_path(tracker, t->trace.trace_id, SPANS_FILE, call->arena, &path, &elsewhere)) {
		if (elsewhere.code == ERR_INVALID_PARAMETER_VALUE)
			return true;
		*err = elsewhere;
		return false;
	}
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	t->has_spans = kind == ARTIFACT_FILE;
	return !t->has_spans || (read_file(call, &file, &text, err) &&
				 span_json_parse(text, call->arena, &t->spans_or_null, err));
}

/* trace_info and spans. */
static void write_trace(const struct call *call, struct json_writer *w,
			const struct trace_with_spans *t)
{
	json_object_begin(w);
	json_key(w, "trace_info");
	trace_json_info(w, &t->trace);
	span_json_put(w, t->spans_or_null, call->arena);
	json_object_end(w);
}

/* ---- one ---------------------------------------------------------------------------------------- */

struct get_request {
	struct slice trace_id;
	struct opt_bool allow_partial;
};

// clang-format off
static const struct field get_fields[] = {
	FIELD_TEXT(struct get_request, trace_id, FIELD_REQUIRED),
	FIELD_BOOL(struct get_request, allow_partial, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct get_request *request = call->request;
	struct trace_with_spans *t = ARENA_NEW(call->arena, struct trace_with_spans, 1);
	char quoted[128];
	struct trace_pk pk;
	bool found;
	call->result = t;
	error_quote(request->trace_id, quoted, sizeof(quoted));
	if (!trace_find_if_any(tracker, request->trace_id, &pk, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Trace with ID %s is not found.",
				 quoted);
	if (!traces_load(tracker, &pk, 1, call->arena, &t->trace, err) ||
	    !read_spans(call, tracker, t, err))
		return false;
	return t->has_spans || request->allow_partial.value ||
	       error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "Trace with ID %s is not fully exported yet, please try again later.",
			 quoted);
}

static void get_encode(const struct call *call, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "trace");
	write_trace(call, w, call->result);
	json_object_end(w);
}

const struct endpoint traces_get = {
	.kind = ENDPOINT_READ,
	.fields_or_null = get_fields,
	.request_bytes = sizeof(struct get_request),
	.execute = get_execute,
	.encode = get_encode,
	.summary = "Get a trace with its spans",
};

/* ---- several ------------------------------------------------------------------------------------ */

/* Those whose spans did not come, or are broken, are left out. */
static bool batch_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct spans_result *result = ARENA_NEW(call->arena, struct spans_result, 1);
	struct trace_list traces;
	call->result = result;
	if (!trace_infos_load(call, tracker, &traces, err))
		return false;
	result->items = ARENA_NEW(call->arena, struct trace_with_spans, traces.count);
	for (size_t i = 0; i < traces.count; i++) {
		struct trace_with_spans *t = &result->items[result->count];
		*t = (struct trace_with_spans){.trace = traces.items[i]};
		struct error reason;
		bool is_whole = read_spans(call, tracker, t, &reason);
		if (!is_whole && reason.code != ERR_BAD_REQUEST) {
			*err = reason;
			return false;
		}
		result->count += is_whole && t->has_spans;
	}
	return true;
}

static void batch_encode(const struct call *call, struct json_writer *w)
{
	const struct spans_result *result = call->result;
	json_object_begin(w);
	if (result->count > 0) {
		json_key(w, "traces");
		json_array_begin(w);
		for (size_t i = 0; i < result->count; i++)
			write_trace(call, w, &result->items[i]);
		json_array_end(w);
	}
	json_object_end(w);
}

const struct endpoint traces_get_batch = {
	.kind = ENDPOINT_READ,
	.fields_or_null = trace_infos_fields,
	.request_bytes = sizeof(struct trace_infos_request),
	.check = trace_infos_check,
	.execute = batch_execute,
	.encode = batch_encode,
	.summary = "Get several traces with their spans",
};

/* ---- the file ----------------------------------------------------------------------------------- */

static bool prepare_artifact(struct download_job *d, struct job_context *context, struct error *err)
{
	struct arena *arena = d->flow.job.arena;
	struct artifact_file file;
	enum artifact_kind kind;
	struct slice name = SPANS_FILE;
	char quoted[256];
	if ((d->path.len > 0 && !artifact_path_join(ATTACHMENTS, d->path, arena, &name, err)) ||
	    !trace_path(context->tracker, d->trace_id, name, arena, &d->path, err) ||
	    !artifact_tree_find(context->tracker, d->path, &kind, &file, err))
		return false;
	if (kind != ARTIFACT_FILE)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "No such artifact: '%s'",
				 error_quote(d->path, quoted, sizeof(quoted)));
	return download_job_prepare_file(d, &file, err);
}

static bool parse_artifact_query(struct download_job *d, const struct route_match *match,
				 struct slice query, struct error *err)
{
	(void)match;
	struct arena *arena = &d->flow.arena;
	struct slice name, value, path = {0};
	bool found = true;
	while (found) {
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (found && slice_eq_cstr(name, "request_id"))
			d->trace_id = value;
		else if (found && slice_eq_cstr(name, "path"))
			path = value;
	}
	if (d->trace_id.len == 0)
		return error_set(err, ERR_BAD_REQUEST,
				 "Request must include the \"request_id\" query parameter.");
	return path.len == 0 || artifact_path_parse_below_root(path, arena, &d->path, err);
}

static void get_artifact_on_loop(struct api *api, struct http_exchange *x,
				 const struct route_match *match)
{
	static const struct download_request request = {parse_artifact_query, prepare_artifact};
	download_job_run_on_loop(api, x, match, &request);
}

const struct endpoint traces_get_artifact = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_artifact_on_loop,
	.summary = "Download the spans of a trace, or an attachment",
};
