/* Owns the endpoints that begin an upload in parts, take its parts, show it, and give it up. */
#include "api/multipart.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/download_job.h"
#include "api/public_url.h"
#include "api/upload_job.h"
#include "artifacts/artifact_path.h"
#include "artifacts/multipart.h"
#include "base/clock.h"
#include "base/random_id.h"
#include "limits.h"

bool multipart_target_path(struct slice directory, struct slice local_file, struct arena *arena,
			   struct slice *out, struct error *err)
{
	struct slice parent, name = local_file;
	for (size_t i = 0; i < local_file.len; i++) {
		if (local_file.ptr[i] == '/' || local_file.ptr[i] == '\\')
			name = slice_from(local_file, i + 1);
	}
	return artifact_path_parse(directory, arena, &parent, err) &&
	       artifact_path_parse_below_root(name, arena, &name, err) &&
	       artifact_path_join(parent, name, arena, out, err);
}

/* ---- create ------------------------------------------------------------------------------------- */

struct create_request {
	struct slice path;
	struct opt_i64 num_parts;
	/* By check. */
	struct slice root_url;
	char upload_id[RANDOM_ID_HEX_LEN + 1];
	struct multipart_upload upload;
};

static const struct field create_fields[] = {
	FIELD_TEXT(struct create_request, path, FIELD_REQUIRED),
	FIELD_I64(struct create_request, num_parts, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool create_check(struct call *call, struct error *err)
{
	struct create_request *r = call->request;
	int64_t part_count = r->num_parts.is_set ? r->num_parts.value : 1;
	if (part_count < 1 || part_count > MULTIPART_PARTS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %" PRId64
				 " for parameter 'num_parts' supplied. It must be 1 to %d.",
				 part_count, MULTIPART_PARTS_MAX);
	random_id_hex(r->upload_id);
	r->upload.upload_id = slice_from_cstr(r->upload_id);
	r->upload.part_count = part_count;
	r->upload.created_ms = call->now_ms;
	return multipart_target_path(call->path_arguments[0], r->path, call->arena, &r->upload.path,
				     err) &&
	       public_url(call->api, call->http, call->arena, &r->root_url, err);
}

static bool create_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct create_request *r = call->request;
	return multipart_create_in_txn(tracker, &r->upload, err);
}

static void create_encode(const struct call *call, struct json_writer *w)
{
	const struct create_request *r = call->request;
	json_object_begin(w);
	json_put_cstr(w, "upload_id", r->upload_id);
	json_key(w, "credentials");
	json_array_begin(w);
	for (int64_t number = 1; number <= r->upload.part_count; number++) {
		struct arena_mark mark = arena_mark(call->arena);
		json_object_begin(w);
		json_put_string(w, "url",
				arena_printf(call->arena,
					     "%.*s/api/trackerd/v1/uploads/%s/parts/%" PRId64,
					     SLICE_FMT(r->root_url), r->upload_id, number));
		json_put_int(w, "part_number", number);
		public_url_headers(call->http, w);
		json_object_end(w);
		arena_rewind(call->arena, mark);
	}
	json_array_end(w);
	json_object_end(w);
}

const struct endpoint multipart_create = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = create_fields,
	.request_bytes = sizeof(struct create_request),
	.check = create_check,
	.execute = create_execute,
	.encode = create_encode,
	.summary = "Begin the upload of a file in parts",
};

/* ---- get ---------------------------------------------------------------------------------------- */

struct upload_view {
	struct multipart_upload upload;
	struct multipart_part_list parts;
};

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct upload_view *view = ARENA_NEW(call->arena, struct upload_view, 1);
	call->result = view;
	return multipart_find(tracker, call->path_arguments[0], call->arena, &view->upload, err) &&
	       multipart_load_parts(tracker, &view->upload, call->arena, &view->parts, err);
}

static void put_part_json(const struct multipart_part *part, struct arena *arena,
			  struct json_writer *w)
{
	json_object_begin(w);
	json_put_int(w, "part_number", part->number);
	json_put_int(w, "size", part->size);
	json_put_string(w, "etag", download_job_etag(arena, part->sha256, ""));
	json_object_end(w);
}

static void get_encode(const struct call *call, struct json_writer *w)
{
	const struct upload_view *view = call->result;
	const struct multipart_upload *upload = &view->upload;
	int64_t byte_count = 0;
	json_object_begin(w);
	json_put_string(w, "upload_id", upload->upload_id);
	json_put_string(w, "path", upload->path);
	json_put_int(w, "num_parts", upload->part_count);
	json_put_bool(w, "is_complete", upload->is_complete);
	json_put_int(w, "created_ms", upload->created_ms);
	json_put_int(w, "expires_ms", upload->touched_ms + call->api->upload_expiry_ms);
	json_key(w, "parts");
	json_array_begin(w);
	for (size_t i = 0; i < view->parts.count; i++) {
		put_part_json(&view->parts.items[i], call->arena, w);
		byte_count += view->parts.items[i].size;
	}
	json_array_end(w);
	json_put_int(w, "received_bytes", byte_count);
	json_object_end(w);
}

const struct endpoint multipart_get = {
	.kind = ENDPOINT_READ,
	.execute = get_execute,
	.encode = get_encode,
	.summary = "Which parts of an upload there are",
};

/* ---- PUT of a part ------------------------------------------------------------------------------ */

struct part_put {
	struct upload upload;
	struct slice upload_id;
	int64_t number;
	int64_t now_ms;
	struct blob_pk_list released;
};

static struct part_put *part_from_job(struct job *job)
{
	return CONTAINER_OF(job, struct part_put, upload.flow.job);
}

static bool part_finish_phase(struct job *job, struct job_context *context, struct error *err)
{
	return upload_finish_in_txn(&part_from_job(job)->upload, context->blobs, err);
}

static bool part_commit_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct part_put *put = part_from_job(job);
	const struct blob_stage *stage = &put->upload.stage;
	struct multipart_part part = {
		.number = put->number, .blob_pk = stage->blob_pk, .size = stage->size};
	memcpy(part.sha256, stage->sha256, SHA256_BYTES);
	if (part.size == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "A part must not be empty.");
	put->released = (struct blob_pk_list){0}; /* this may be the second run */
	return multipart_put_part_in_txn(context->tracker, put->upload_id, &part, put->now_ms,
					 job->arena, &put->released, err);
}

static const struct job_phase part_phases[] = {{LANE_BLOB, part_finish_phase},
					       {LANE_COMMITTER, part_commit_phase}};

static void part_stored_on_loop(struct take_over *t)
{
	struct part_put *put = CONTAINER_OF(t, struct part_put, upload.flow);
	put->upload.is_stored = true;
	take_over_reply_empty(t, download_job_etag(&t->arena, put->upload.stage.sha256, ""));
}

static void part_whole_on_loop(struct upload *u)
{
	take_over_run(&u->flow, part_phases, ARRAY_COUNT(part_phases),
		      u->gather.len + sizeof(struct part_put), part_stored_on_loop);
}

static void part_closed_on_loop(struct upload *u)
{
	struct part_put *put = CONTAINER_OF(u, struct part_put, upload);
	if (put->released.count > 0)
		artifact_service_release_on_loop(u->flow.api->artifacts, put->released.items,
						 put->released.count);
	free(put);
}

static void part_take_over_on_loop(struct api *api, struct http_exchange *x,
				   const struct route_match *match)
{
	struct part_put *put = take_over_alloc(api, x, sizeof(*put));
	struct error err;
	if (put == NULL)
		return;
	put->upload_id = match->arguments[0];
	put->now_ms = clock_wall_ms(clock_system());
	if (!slice_parse_i64(match->arguments[1], &put->number)) {
		(void)error_set(&err, ERR_INVALID_PARAMETER_VALUE,
				"The number of a part must be a whole number.");
		api_reply_error(api, x, &err);
	} else if (upload_begin(&put->upload, api, x, part_whole_on_loop, part_closed_on_loop)) {
		return;
	}
	free(put);
}

const struct endpoint multipart_put_part = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = part_take_over_on_loop,
	.summary = "Store one part of an upload",
};

/* ---- abort -------------------------------------------------------------------------------------- */

struct abort_request {
	struct slice path;
	struct slice upload_id;
};

static const struct field abort_fields[] = {
	FIELD_TEXT(struct abort_request, path, FIELD_REQUIRED),
	FIELD_TEXT(struct abort_request, upload_id, FIELD_REQUIRED),
	FIELDS_END,
};

struct abortion {
	struct take_over flow;
	struct slice body;
	struct abort_request request;
	struct blob_pk_list released;
};

static struct abortion *abortion_from_flow(struct take_over *t)
{
	return CONTAINER_OF(t, struct abortion, flow);
}

static bool abort_decode_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct abortion *a = CONTAINER_OF(job, struct abortion, flow.job);
	(void)context;
	return fields_decode_json(abort_fields, a->body, job->arena, &a->request, err);
}

static bool abort_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct abortion *a = CONTAINER_OF(job, struct abortion, flow.job);
	a->released = (struct blob_pk_list){0};
	return multipart_abort_in_txn(context->tracker, a->request.upload_id, job->arena,
				      &a->released, err);
}

static const struct job_phase abort_phases[] = {{LANE_WORKER, abort_decode_phase},
						{LANE_COMMITTER, abort_phase}};

static void aborted_on_loop(struct take_over *t)
{
	take_over_reply_empty(t, (struct slice){0});
}

static void abort_body_on_loop(struct http_exchange *x, struct slice body)
{
	struct abortion *a = abortion_from_flow(http_exchange_context(x));
	a->body = body;
	take_over_run(&a->flow, abort_phases, ARRAY_COUNT(abort_phases), sizeof(*a) + body.len,
		      aborted_on_loop);
}

static void abort_closed_on_loop(struct take_over *t)
{
	struct abortion *a = abortion_from_flow(t);
	artifact_service_release_on_loop(t->api->artifacts, a->released.items, a->released.count);
	free(a);
}

static void abort_take_over_on_loop(struct api *api, struct http_exchange *x,
				    const struct route_match *match)
{
	struct abortion *a = take_over_alloc(api, x, sizeof(*a));
	(void)match; /* the id says it all */
	if (a == NULL)
		return;
	take_over_begin(&a->flow, api, x, abort_closed_on_loop);
	http_exchange_collect(x, BODY_BYTES_MAX, abort_body_on_loop);
}

const struct endpoint multipart_abort = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = abort_take_over_on_loop,
	.summary = "Give up an upload in parts",
};
