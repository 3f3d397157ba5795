/* Owns the endpoints of single artifacts: upload, download, deletion, listings. */
#include "api/artifacts.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/live_artifacts.h"
#include "api/byte_range.h"
#include "api/deletion_guard.h"
#include "api/download_job.h"
#include "api/model_validation.h"
#include "api/upload_job.h"
#include "artifacts/artifact_location.h"
#include "artifacts/artifact_path.h"
#include "base/clock.h"
#include "http/target.h"
#include "limits.h"
#include "store/model_versions.h"

enum { PATH_ARENA_BYTES_MAX = 256 * 1024 }; /* the head of a request is 16 KiB */

/* ---- what a request names ------------------------------------------------------------------------ */

struct file_query {
	struct slice run_id, name, version, path, artifact_file_path; /* absent ones are empty */
};

static bool parse_query(struct slice query, struct arena *arena, struct file_query *out,
			struct error *err)
{
	const struct {
		const char *name;
		struct slice *value;
	} known[] = {{"run_id", &out->run_id}, {"run_uuid", &out->run_id},
		     {"name", &out->name},     {"version", &out->version},
		     {"path", &out->path},     {"artifact_file_path", &out->artifact_file_path}};
	struct slice name, value;
	bool found;
	memset(out, 0, sizeof(*out));
	for (;;) {
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (!found)
			return true;
		for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
			if (slice_eq_cstr(name, known[i].name))
				*known[i].value = value;
		}
	}
}

static bool path_below_run(struct db *tracker, struct slice run_id, struct slice path,
			   struct arena *arena, struct slice *out, struct error *err)
{
	struct slice uri, root;
	return artifact_location_of_run(tracker, run_id, arena, &uri, &root, err) &&
	       artifact_path_join(root, path, arena, out, err);
}

/* ---- PUT ---------------------------------------------------------------------------------------- */

struct file_put {
	struct upload upload;
	struct slice path;
	/* Absent, or `path` is below this run's folder and the file not empty. */
	struct slice run_id;
	struct slice if_match, if_none_match; /* headers; absent if not sent */
	int64_t now_ms;
	struct call call; /* of the commit phase */
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

static bool fail_no_data(struct error *err)
{
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Request must specify data.");
}

/* What the request says of the file that it replaces. In the transaction that does so: of two that
 * say "If-None-Match: *" one wins. */
static bool check_conditions(const struct file_put *put, struct db *tracker, struct slice path,
			     struct arena *arena, struct error *err)
{
	struct artifact_file old;
	enum artifact_kind kind;
	if (!slice_is_present(put->if_match) && !slice_is_present(put->if_none_match))
		return true;
	if (!artifact_tree_find(tracker, path, &kind, &old, err))
		return false;
	bool is_there = kind == ARTIFACT_FILE;
	struct slice etag = is_there ? download_job_etag(arena, old.sha256, "") : SLICE("");
	if (slice_is_present(put->if_match) &&
	    !(is_there && byte_range_etag_is_same(put->if_match, etag)))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "There is no such file as If-Match names. Nothing was stored.");
	if (is_there && byte_range_etag_matches(put->if_none_match, etag))
		return error_set(
			err, ERR_PRECONDITION_FAILED,
			"There is a file that If-None-Match excludes. Nothing was stored.");
	return true;
}

static bool put_commit_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct file_put *put = put_from_job(job);
	const struct blob_stage *stage = &put->upload.stage;
	struct artifact_file file = {
		.blob_pk = stage->blob_pk,
		.size = stage->size,
		.modified_ms = put->now_ms,
	};
	const struct artifact_file_list files = {&file, 1};
	struct artifact_write write = {.base = put->path, .files = &files};
	memcpy(file.sha256, stage->sha256, SHA256_BYTES);
	put->call = take_over_call(&put->upload.flow, put->now_ms); /* this may be the second run */
	if (slice_is_present(put->run_id) && file.size == 0)
		return fail_no_data(err);
	if (slice_is_present(put->run_id) &&
	    !path_below_run(context->tracker, put->run_id, put->path, job->arena, &write.base, err))
		return false;
	return check_conditions(put, context->tracker, write.base, job->arena, err) &&
	       deletion_guard_write(&put->call, context->tracker, &write, (struct opt_bool){0},
				    err) &&
	       live_artifacts_note(&put->call, context->tracker, write.base, err) &&
	       artifact_tree_put_in_txn(context->tracker, write.base, &files, job->arena,
					&put->call.released, err);
}

static const struct job_phase put_phases[] = {{LANE_BLOB, put_finish_phase},
					      {LANE_COMMITTER, put_commit_phase}};

static void put_stored_on_loop(struct take_over *t)
{
	struct file_put *put = CONTAINER_OF(t, struct file_put, upload.flow);
	put->upload.is_stored = true;
	take_over_reply_empty(t, download_job_etag(&t->arena, put->upload.stage.sha256, ""));
}

static void put_whole_on_loop(struct upload *u)
{
	take_over_run(&u->flow, put_phases, ARRAY_COUNT(put_phases),
		      u->gather.len + sizeof(struct file_put), put_stored_on_loop);
}

static void put_closed_on_loop(struct upload *u)
{
	struct file_put *put = CONTAINER_OF(u, struct file_put, upload);
	live_artifacts_tell_on_loop(&u->flow, &put->call);
	if (put->call.released.count > 0)
		artifact_service_release_on_loop(u->flow.api->artifacts, put->call.released.items,
						 put->call.released.count);
	arena_deinit(&put->path_arena);
	free(put);
}

/* What a request says beside its body: `text` is what its kind of endpoint reads. */
typedef bool parse_put_fn(struct file_put *put, const struct http_request *request,
			  struct slice text, struct error *err);

static void begin_put(struct api *api, struct http_exchange *x, struct slice text,
		      parse_put_fn *parse)
{
	const struct http_request *request = http_exchange_request(x);
	struct file_put *put = take_over_alloc(api, x, sizeof(*put));
	struct error err;
	if (put == NULL)
		return;
	put->if_match = http_request_header(request, "If-Match");
	put->if_none_match = http_request_header(request, "If-None-Match");
	arena_init(&put->path_arena, PATH_ARENA_BYTES_MAX);
	put->now_ms = clock_wall_ms(clock_system());
	if (!parse(put, request, text, &err))
		api_reply_error(api, x, &err);
	else if (upload_begin(&put->upload, api, x, put_whole_on_loop, put_closed_on_loop))
		return;
	put_closed_on_loop(&put->upload);
}

static bool parse_put_path(struct file_put *put, const struct http_request *request,
			   struct slice path, struct error *err)
{
	(void)request;
	return artifact_path_parse_below_root(path, &put->path_arena, &put->path, err);
}

static void put_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	begin_put(api, x, match->arguments[0], parse_put_path);
}

static bool parse_put_run(struct file_put *put, const struct http_request *request,
			  struct slice query, struct error *err)
{
	struct file_query q;
	if (!parse_query(query, &put->path_arena, &q, err))
		return false;
	if (q.run_id.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Request must specify run_uuid.");
	if (q.path.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Request must specify path.");
	if (!artifact_path_parse_below_root(q.path, &put->path_arena, &put->path, err))
		return false;
	if (request->content_length > SMALL_UPLOAD_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Artifact size is too large. Max size is 10MB.");
	if (!request->has_body)
		return fail_no_data(err);
	put->run_id = q.run_id;
	put->upload.bytes_max = SMALL_UPLOAD_BYTES_MAX;
	return true;
}

static void upload_run_take_over_on_loop(struct api *api, struct http_exchange *x,
					 const struct route_match *match)
{
	(void)match;
	begin_put(api, x, http_exchange_request(x)->query, parse_put_run);
}

/* ---- DELETE ------------------------------------------------------------------------------------- */

static bool delete_check(struct call *call, struct error *err)
{
	struct slice *path = &call->path_arguments[0];
	return artifact_path_parse_below_root(*path, call->arena, path, err);
}

static bool delete_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct slice path = call->path_arguments[0];
	char quoted[200];
	const struct deletion deletion = {
		.subject = arena_printf(call->arena, "'%s'",
					error_quote(path, quoted, sizeof(quoted))),
		.needed = {.kind = NEEDED_PATH, .id_or_path = path},
	};
	return deletion_guard(call, tracker, &deletion, err) &&
	       live_artifacts_note(call, tracker, path, err) &&
	       artifact_tree_remove_in_txn(tracker, path, call->arena, &call->released, err);
}

/* ---- GET ---------------------------------------------------------------------------------------- */

bool artifacts_find_file(struct db *tracker, struct slice path, struct artifact_file *out,
			 struct error *err)
{
	enum artifact_kind kind;
	char quoted[256];
	if (!artifact_tree_find(tracker, path, &kind, out, err))
		return false;
	error_quote(path, quoted, sizeof(quoted));
	if (kind == ARTIFACT_DIRECTORY)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'%s' is a directory. Ask for a file in it, or for all of it with "
				 "GET /api/trackerd/v1/archive/.",
				 quoted);
	if (kind == ARTIFACT_NONE)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "No such artifact: '%s'",
				 quoted);
	return true;
}

static bool prepare_path(struct download_job *d, struct job_context *context, struct error *err)
{
	struct artifact_file file;
	return artifacts_find_file(context->tracker, d->path, &file, err) &&
	       download_job_prepare_file(d, &file, err);
}

static bool prepare_run_path(struct download_job *d, struct job_context *context, struct error *err)
{
	return path_below_run(context->tracker, d->run_id, d->path, d->flow.job.arena, &d->path,
			      err) &&
	       prepare_path(d, context, err);
}

static bool prepare_version_path(struct download_job *d, struct job_context *context,
				 struct error *err)
{
	struct arena *arena = d->flow.job.arena;
	struct model_version version;
	struct slice root;
	return model_version_load(context->tracker, d->model_name, d->model_version, arena,
				  &version, err) &&
	       artifact_path_from_uri(version.storage_location, arena, &root, err) &&
	       artifact_path_join(root, d->path, arena, &d->path, err) &&
	       prepare_path(d, context, err);
}

static bool prepare_logged_model_path(struct download_job *d, struct job_context *context,
				      struct error *err)
{
	struct arena *arena = d->flow.job.arena;
	struct slice uri, root;
	return artifact_location_of_logged_model(context->tracker, d->logged_model_id, arena, &uri,
						 &root, err) &&
	       artifact_path_join(root, d->path, arena, &d->path, err) &&
	       prepare_path(d, context, err);
}

static bool parse_path(struct download_job *d, const struct route_match *match, struct slice query,
		       struct error *err)
{
	(void)query;
	return artifact_path_parse_below_root(match->arguments[0], &d->flow.arena, &d->path, err);
}

static void get_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	static const struct download_request request = {parse_path, prepare_path};
	download_job_run_on_loop(api, x, match, &request);
}

static bool parse_run_query(struct download_job *d, const struct route_match *match,
			    struct slice query, struct error *err)
{
	(void)match;
	struct arena *arena = &d->flow.arena;
	struct file_query q;
	if (!parse_query(query, arena, &q, err))
		return false;
	if (q.run_id.len == 0)
		return fields_error_missing(err, "run_id");
	if (q.path.len == 0)
		return fields_error_missing(err, "path");
	d->run_id = q.run_id;
	return artifact_path_parse_below_root(q.path, arena, &d->path, err);
}

static void get_run_take_over_on_loop(struct api *api, struct http_exchange *x,
				      const struct route_match *match)
{
	static const struct download_request request = {parse_run_query, prepare_run_path};
	download_job_run_on_loop(api, x, match, &request);
}

static bool parse_version_query(struct download_job *d, const struct route_match *match,
				struct slice query, struct error *err)
{
	(void)match;
	struct arena *arena = &d->flow.arena;
	struct file_query q;
	if (!parse_query(query, arena, &q, err))
		return false;
	if (q.name.len == 0)
		return fields_error_missing(err, "name");
	if (q.version.len == 0)
		return fields_error_missing(err, "version");
	if (q.path.len == 0)
		return fields_error_missing(err, "path");
	d->model_name = q.name;
	return model_check_version(q.version, &d->model_version, err) &&
	       artifact_path_parse_below_root(q.path, arena, &d->path, err);
}

static void get_version_take_over_on_loop(struct api *api, struct http_exchange *x,
					  const struct route_match *match)
{
	static const struct download_request request = {parse_version_query, prepare_version_path};
	download_job_run_on_loop(api, x, match, &request);
}

static bool parse_logged_model_file(struct download_job *d, const struct route_match *match,
				    struct slice query, struct error *err)
{
	struct arena *arena = &d->flow.arena;
	struct file_query q;
	if (!target_decode(match->arguments[0], false, arena, &d->logged_model_id, err) ||
	    !parse_query(query, arena, &q, err))
		return false;
	if (q.artifact_file_path.len == 0)
		return error_set(err, ERR_BAD_REQUEST,
				 "Request must include the \"artifact_file_path\" query "
				 "parameter.");
	return artifact_path_parse_below_root(q.artifact_file_path, arena, &d->path, err);
}

static void get_logged_model_take_over_on_loop(struct api *api, struct http_exchange *x,
					       const struct route_match *match)
{
	static const struct download_request request = {parse_logged_model_file,
							prepare_logged_model_path};
	download_job_run_on_loop(api, x, match, &request);
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
	.kind = ENDPOINT_WRITE,
	.takes_raw_path = true,
	.check = delete_check,
	.execute = delete_execute,
	.summary = "Delete a file or a tree",
};
const struct endpoint artifacts_get_run = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_run_take_over_on_loop,
	.summary = "Download a file of a run",
};
const struct endpoint artifacts_get_version = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_version_take_over_on_loop,
	.summary = "Download a file of a model version",
};
const struct endpoint artifacts_get_logged_model = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_logged_model_take_over_on_loop,
	.summary = "Download a file of a logged model",
};
const struct endpoint artifacts_upload_run = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = upload_run_take_over_on_loop,
	.summary = "Store a small file of a run",
};
