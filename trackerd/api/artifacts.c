/* Owns the endpoints of single artifacts: upload, download, deletion, listings. */
#include "api/artifacts.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/download_job.h"
#include "api/upload_job.h"
#include "artifacts/artifact_location.h"
#include "artifacts/artifact_path.h"
#include "base/clock.h"
#include "http/target.h"

enum { PATH_ARENA_BYTES_MAX = 256 * 1024 }; /* the head of a request is 16 KiB */

static bool fail_memory(struct error *err)
{
	return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
			 "The server is out of memory; try again.");
}

static void reply_empty_object(struct take_over *t, struct slice etag)
{
	struct http_reply reply = {.status = 200, .content_type = "application/json"};
	struct buffer body;
	buffer_init(&body, 16);
	buffer_append(&body, SLICE("{}"));
	api_reply_headers(t->api, t->x_or_null, &reply);
	if (slice_is_present(etag))
		http_reply_header(&reply, SLICE("ETag"), etag);
	take_over_reply(t, &reply, &body);
}

/* ---- PUT ---------------------------------------------------------------------------------------- */

struct file_put {
	struct upload upload;
	struct slice path;
	int64_t now_ms;
	struct blob_pk_list released;
	struct arena path_arena;
};

static struct file_put *put_from_job(struct job *job)
{
	return CONTAINER_OF(job, struct file_put, upload.flow.job);
}

static bool put_finish_phase(struct job *job, struct job_context *context, struct error *err)
{
	return upload_finish_in_txn(&put_from_job(job)->upload, context->blobs, err);
}

static bool put_commit_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct file_put *put = put_from_job(job);
	const struct blob_stage *stage = &put->upload.stage;
	struct artifact_file file = {
		.path = put->path,
		.blob_pk = stage->blob_pk,
		.size = stage->size,
		.modified_ms = put->now_ms,
	};
	struct artifact_file_list files = {&file, 1};
	memcpy(file.sha256, stage->sha256, SHA256_BYTES);
	put->released = (struct blob_pk_list){0}; /* this may be the second run */
	return artifact_tree_put_in_txn(context->tracker, (struct slice){0}, &files, job->arena,
					&put->released, err);
}

static const struct job_phase put_phases[] = {{LANE_BLOB, put_finish_phase},
					      {LANE_COMMITTER, put_commit_phase}};

static void put_stored_on_loop(struct take_over *t)
{
	struct file_put *put = CONTAINER_OF(t, struct file_put, upload.flow);
	put->upload.is_stored = true;
	reply_empty_object(t, download_job_etag(&t->arena, put->upload.stage.sha256, ""));
}

static void put_whole_on_loop(struct upload *u)
{
	take_over_run(&u->flow, put_phases, ARRAY_COUNT(put_phases),
		      u->gather.len + sizeof(struct file_put), put_stored_on_loop);
}

static void put_closed_on_loop(struct upload *u)
{
	struct file_put *put = CONTAINER_OF(u, struct file_put, upload);
	if (put->released.count > 0)
		artifact_service_release_on_loop(u->flow.api->artifacts, put->released.items,
						 put->released.count);
	arena_deinit(&put->path_arena);
	free(put);
}

static void put_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	struct file_put *put = calloc(1, sizeof(*put));
	struct error err;
	if (put == NULL) {
		(void)fail_memory(&err);
		api_reply_error(api, x, &err);
		return;
	}
	arena_init(&put->path_arena, PATH_ARENA_BYTES_MAX);
	put->now_ms = clock_wall_ms(clock_system());
	if (!artifact_path_parse_below_root(match->arguments[0], &put->path_arena, &put->path,
					    &err))
		api_reply_error(api, x, &err);
	else if (upload_begin(&put->upload, api, x, put_whole_on_loop, put_closed_on_loop))
		return;
	put_closed_on_loop(&put->upload);
}

/* ---- DELETE ------------------------------------------------------------------------------------- */

struct file_delete {
	struct take_over flow;
	struct slice path;
	struct blob_pk_list released;
};

static bool delete_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct file_delete *d = CONTAINER_OF(job, struct file_delete, flow.job);
	d->released = (struct blob_pk_list){0};
	return artifact_tree_remove_in_txn(context->tracker, d->path, job->arena, &d->released,
					   err);
}

static const struct job_phase delete_phases[] = {{LANE_COMMITTER, delete_phase}};

static void deleted_on_loop(struct take_over *t)
{
	reply_empty_object(t, (struct slice){0});
}

static void delete_closed_on_loop(struct take_over *t)
{
	struct file_delete *d = CONTAINER_OF(t, struct file_delete, flow);
	artifact_service_release_on_loop(t->api->artifacts, d->released.items, d->released.count);
	free(d);
}

static void delete_take_over_on_loop(struct api *api, struct http_exchange *x,
				     const struct route_match *match)
{
	struct file_delete *d = calloc(1, sizeof(*d));
	struct error err;
	if (d == NULL) {
		(void)fail_memory(&err);
		api_reply_error(api, x, &err);
		return;
	}
	take_over_begin(&d->flow, api, x, delete_closed_on_loop);
	if (!artifact_path_parse_below_root(match->arguments[0], &d->flow.arena, &d->path, &err))
		take_over_fail(&d->flow, &err);
	else
		take_over_run(&d->flow, delete_phases, ARRAY_COUNT(delete_phases), sizeof(*d),
			      deleted_on_loop);
}

/* ---- GET ---------------------------------------------------------------------------------------- */

/* The file at d->path, or why there is none. */
static bool prepare_path(struct download_job *d, struct job_context *context, struct error *err)
{
	struct artifact_file file;
	enum artifact_kind kind;
	char quoted[256];
	if (!artifact_tree_find(context->tracker, d->path, &kind, &file, err))
		return false;
	error_quote(d->path, quoted, sizeof(quoted));
	if (kind == ARTIFACT_DIRECTORY)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'%s' is a directory. Ask for a file in it, or for all of it with "
				 "GET /api/trackerd/v1/archive/.",
				 quoted);
	if (kind == ARTIFACT_NONE)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "No such artifact: '%s'",
				 quoted);
	return download_job_prepare_file(d, &file, err);
}

static bool prepare_run_path(struct download_job *d, struct job_context *context, struct error *err)
{
	struct arena *arena = d->flow.job.arena;
	struct slice uri, root, path;
	if (!artifact_location_of_run(context->tracker, d->run_id, arena, &uri, &root, err) ||
	    !artifact_path_join(root, d->path, arena, &path, err))
		return false;
	d->path = path;
	return prepare_path(d, context, err);
}

static void get_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	struct download_job *d = download_job_new(api, x);
	struct error err;
	if (d == NULL)
		return;
	d->prepare = prepare_path;
	bool ok =
		artifact_path_parse_below_root(match->arguments[0], &d->flow.arena, &d->path, &err);
	download_job_begin(d, ok ? NULL : &err);
}

static bool parse_run_query(struct download_job *d, struct slice query, struct error *err)
{
	struct arena *arena = &d->flow.arena;
	struct slice name, value, path = {0};
	bool found;
	for (;;) {
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (!found)
			break;
		if (slice_eq_cstr(name, "run_id") || slice_eq_cstr(name, "run_uuid"))
			d->run_id = value;
		else if (slice_eq_cstr(name, "path"))
			path = value;
	}
	if (d->run_id.len == 0)
		return fields_error_missing(err, "run_id");
	if (path.len == 0)
		return fields_error_missing(err, "path");
	return artifact_path_parse_below_root(path, arena, &d->path, err);
}

static void get_run_take_over_on_loop(struct api *api, struct http_exchange *x,
				      const struct route_match *match)
{
	struct download_job *d = download_job_new(api, x);
	struct error err;
	(void)match;
	if (d == NULL)
		return;
	d->prepare = prepare_run_path;
	bool ok = parse_run_query(d, http_exchange_request(x)->query, &err);
	download_job_begin(d, ok ? NULL : &err);
}

/* ---- not offered -------------------------------------------------------------------------------- */

static void multipart_take_over_on_loop(struct api *api, struct http_exchange *x,
					const struct route_match *match)
{
	struct error err;
	(void)match;
	(void)error_set(&err, ERR_NOT_IMPLEMENTED,
			"Multipart upload is not supported for the current artifact repository: "
			"send the file "
			"with one PUT.");
	api_reply_error(api, x, &err);
}

static void presigned_take_over_on_loop(struct api *api, struct http_exchange *x,
					const struct route_match *match)
{
	struct error err;
	(void)match;
	(void)error_set(&err, ERR_NOT_IMPLEMENTED,
			"Presigned URLs are not supported for the current artifact repository: use "
			"GET and PUT.");
	api_reply_error(api, x, &err);
}

const struct endpoint artifacts_put = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = put_take_over_on_loop,
	.summary = "Store a file",
};
const struct endpoint artifacts_get = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_take_over_on_loop,
	.summary = "Download a file, or a part of it",
};
const struct endpoint artifacts_delete = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = delete_take_over_on_loop,
	.summary = "Delete a file or a tree",
};
const struct endpoint artifacts_get_run = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_run_take_over_on_loop,
	.summary = "Download a file of a run",
};
const struct endpoint artifacts_multipart = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = multipart_take_over_on_loop,
	.summary = "Not offered: clients fall back to PUT",
};
const struct endpoint artifacts_presigned = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = presigned_take_over_on_loop,
	.summary = "Not offered: clients fall back to GET and PUT",
};
