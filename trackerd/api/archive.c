/* Owns the endpoints that take and give a whole tree of artifacts as one archive. */
#include "api/archive.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/live_artifacts.h"
#include "api/byte_range.h"
#include "api/deletion_guard.h"
#include "api/download_job.h"
#include "api/manifest.h"
#include "api/upload_job.h"
#include "artifacts/artifact_path.h"
#include "artifacts/media_type.h"
#include "artifacts/tar_index.h"
#include "base/clock.h"
#include "http/target.h"
#include "limits.h"

/* ---- PUT ----------------------------------------------------------------------------------------
 *
 *     body ─▶ append last chunk ─▶ index step ⟲ ─▶ name, commit, encode ─▶ reply
 *             LANE_BLOB            worker          LANE_BLOB, LANE_COMMITTER, worker
 *
 * The files of a compressed archive go to a second blob: each index step is followed by a phase
 * that appends what it unpacked. */

enum {
	PACK_BYTES_MAX = TAR_INDEX_PACK_BYTES + 4 * BLOB_CHUNK_BYTES,
	QUERY_ARENA_BYTES_MAX = 256 * 1024
};

struct archive_put {
	struct upload upload;
	struct artifact_service *service;
	struct arena query_arena;
	struct slice path;
	bool replace;
	int64_t now_ms;
	struct tar_index *index_or_null;
	bool is_indexed;
	struct blob_stage pack;	  /* of a compressed archive */
	struct buffer pack_bytes; /* unpacked and not stored yet */
	int64_t pack_seq;
	struct call call; /* of the commit phase */
	struct manifest manifest;
	struct buffer reply;
};

static struct archive_put *put_from_job(struct job *job)
{
	return CONTAINER_OF(job, struct archive_put, upload.flow.job);
}

static struct archive_put *put_from_flow(struct take_over *t)
{
	return CONTAINER_OF(t, struct archive_put, upload.flow);
}

static bool append_phase(struct job *job, struct job_context *context, struct error *err)
{
	return upload_append_last_in_txn(&put_from_job(job)->upload, context->blobs, err);
}

static bool index_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct archive_put *put = put_from_job(job);
	const struct blob_stage *stage = &put->upload.stage;
	if (put->index_or_null == NULL &&
	    !tar_index_new(stage->staged_pk, stage->size, job->arena, &job->is_abandoned,
			   &put->index_or_null, err))
		return false;
	return tar_index_step(put->index_or_null, context->blobs, &put->pack_bytes,
			      &put->is_indexed, err);
}

/* Appends whole chunks of what was unpacked. Runs twice with the same result: nothing is
 * consumed here. */
static bool pack_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct archive_put *put = put_from_job(job);
	struct slice bytes = buffer_slice(&put->pack_bytes);
	for (int64_t seq = put->pack_seq; bytes.len >= BLOB_CHUNK_BYTES; seq++) {
		if (!blob_stage_append_in_txn(&put->pack, context->blobs, seq,
					      slice_first(bytes, BLOB_CHUNK_BYTES), err))
			return false;
		bytes = slice_from(bytes, BLOB_CHUNK_BYTES);
	}
	return true;
}

static bool name_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct archive_put *put = put_from_job(job);
	if (!tar_index_is_compressed(put->index_or_null))
		return upload_name_in_txn(&put->upload, context->blobs, err);
	return blob_stage_finish_in_txn(&put->pack, context->blobs, put->pack_seq,
					buffer_slice(&put->pack_bytes), NULL, err);
}

static bool commit_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct archive_put *put = put_from_job(job);
	struct db *tracker = context->tracker;
	struct artifact_file_list files = tar_index_files(put->index_or_null);
	const struct artifact_write write = {put->path, &files, put->replace};
	bool is_packed = tar_index_is_compressed(put->index_or_null);
	int64_t blob_pk = is_packed ? put->pack.blob_pk : put->upload.stage.blob_pk;
	for (size_t i = 0; i < files.count; i++) {
		files.items[i].blob_pk = blob_pk;
		files.items[i].modified_ms = put->now_ms;
	}
	put->manifest.files = files;
	put->call = take_over_call(&put->upload.flow, put->now_ms); /* this may be the second run */
	if (!deletion_guard_write(&put->call, tracker, &write, (struct opt_bool){0}, err))
		return false;
	if (put->replace &&
	    !artifact_tree_remove_in_txn(tracker, put->path, job->arena, &put->call.released, err))
		return false;
	return live_artifacts_note(&put->call, tracker, put->path, err) &&
	       artifact_tree_put_in_txn(tracker, put->path, &files, job->arena, &put->call.released,
					err);
}

static bool encode_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct archive_put *put = put_from_job(job);
	struct manifest *manifest = &put->manifest;
	struct json_writer w;
	(void)context;
	manifest->path = put->path;
	manifest->body_sha256_or_null = put->upload.stage.sha256;
	if (!artifact_tree_digest(&manifest->files, manifest->tree_sha256, &manifest->byte_count,
				  err))
		return false;
	json_writer_init(&w, &put->reply);
	manifest_write(&w, manifest);
	return buffer_check(&put->reply, "The reply", err);
}

static const struct job_phase append_phases[] = {{LANE_BLOB, append_phase}};
static const struct job_phase index_phases[] = {{LANE_WORKER, index_phase}};
static const struct job_phase pack_phases[] = {{LANE_BLOB, pack_phase}};
static const struct job_phase store_phases[] = {
	{LANE_BLOB, name_phase}, {LANE_COMMITTER, commit_phase}, {LANE_WORKER, encode_phase}};

static void put_index_on_loop(struct take_over *t);

static void put_stored_on_loop(struct take_over *t)
{
	struct archive_put *put = put_from_flow(t);
	struct http_reply reply = {.status = 200, .content_type = "application/json"};
	api_reply_headers(t->api, t->x_or_null, &reply);
	take_over_reply(t, &reply, &put->reply);
}

static void put_packed_on_loop(struct take_over *t)
{
	struct archive_put *put = put_from_flow(t);
	size_t whole = put->pack_bytes.len / BLOB_CHUNK_BYTES;
	put->pack_seq += (int64_t)whole;
	buffer_consume(&put->pack_bytes, whole * BLOB_CHUNK_BYTES);
	if (put->is_indexed)
		take_over_run(t, store_phases, ARRAY_COUNT(store_phases),
			      sizeof(*put) + put->pack_bytes.len, put_stored_on_loop);
	else
		put_index_on_loop(t);
}

static void put_indexed_on_loop(struct take_over *t)
{
	struct archive_put *put = put_from_flow(t);
	if (put->pack_bytes.len >= BLOB_CHUNK_BYTES)
		take_over_run(t, pack_phases, ARRAY_COUNT(pack_phases), put->pack_bytes.len,
			      put_packed_on_loop);
	else
		put_packed_on_loop(t);
}

static void put_index_on_loop(struct take_over *t)
{
	size_t weight_bytes = sizeof(struct archive_put) + put_from_flow(t)->pack_bytes.capacity;
	take_over_run(t, index_phases, ARRAY_COUNT(index_phases), weight_bytes,
		      put_indexed_on_loop);
}

static void put_whole_on_loop(struct upload *u)
{
	take_over_run(&u->flow, append_phases, ARRAY_COUNT(append_phases),
		      u->gather.len + sizeof(struct archive_put), put_index_on_loop);
}

static void put_closed_on_loop(struct upload *u)
{
	struct archive_put *put = CONTAINER_OF(u, struct archive_put, upload);
	struct artifact_service *service = put->service;
	const int64_t pack_pks[2] = {put->pack.staged_pk, put->pack.blob_pk};
	live_artifacts_tell_on_loop(&u->flow, &put->call);
	tar_index_free(put->index_or_null);
	buffer_deinit(&put->pack_bytes);
	buffer_deinit(&put->reply);
	arena_deinit(&put->query_arena);
	blob_stage_deinit(&put->pack);
	/* Whatever happened: the sweep takes those that no row refers to. */
	artifact_service_release_on_loop(service, pack_pks, ARRAY_COUNT(pack_pks));
	artifact_service_release_on_loop(service, put->call.released.items,
					 put->call.released.count);
	free(put);
}

static bool parse_put(struct archive_put *put, struct slice path, struct slice query,
		      struct error *err)
{
	struct arena *arena = &put->query_arena;
	struct slice name, value;
	char quoted[64];
	bool found;
	if (!artifact_path_parse_below_root(path, arena, &put->path, err))
		return false;
	for (;;) {
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (!found)
			return true;
		if (!slice_eq_cstr(name, "replace"))
			continue;
		put->replace = slice_eq_ignoring_case(value, SLICE("true"));
		if (!put->replace && !slice_eq_ignoring_case(value, SLICE("false")))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "Invalid boolean value: %s, must be 'true' or 'false'.",
					 error_quote(value, quoted, sizeof(quoted)));
	}
}

static void put_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	struct archive_put *put = calloc(1, sizeof(*put));
	struct error err;
	if (put == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(api, x, &err);
		return;
	}
	put->service = api->artifacts;
	arena_init(&put->query_arena, QUERY_ARENA_BYTES_MAX);
	buffer_init(&put->pack_bytes, PACK_BYTES_MAX);
	buffer_init(&put->reply, REPLY_BYTES_MAX);
	put->now_ms = clock_wall_ms(clock_system());
	if (!parse_put(put, match->arguments[0], http_exchange_request(x)->query, &err) ||
	    !blob_stage_init(&put->pack, artifact_service_pins(api->artifacts), &err))
		api_reply_error(api, x, &err);
	else if (upload_begin(&put->upload, api, x, put_whole_on_loop, put_closed_on_loop))
		return;
	put_closed_on_loop(&put->upload);
}

/* ---- GET ---------------------------------------------------------------------------------------- */

static int compare_pks(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static void pin_blobs(struct download_job *d, const struct artifact_file_list *files)
{
	int64_t *pks = ARENA_NEW(d->flow.job.arena, int64_t, files->count);
	for (size_t i = 0; i < files->count; i++)
		pks[i] = files->items[i].blob_pk;
	qsort(pks, files->count, sizeof(*pks), compare_pks);
	blob_pins_hold_many(artifact_service_pins(d->flow.api->artifacts), &d->pin, pks,
			    files->count);
}

static bool prepare_archive(struct download_job *d, struct job_context *context, struct error *err)
{
	const struct tar_output_format_info *format = tar_output_format_info(d->format);
	struct arena *arena = d->flow.job.arena;
	unsigned char digest[SHA256_BYTES];
	struct artifact_file_list files;
	char quoted[256], suffix[16] = "-";
	int64_t byte_count;
	if (!artifact_tree_load(context->tracker, d->path, arena, &files, err))
		return false;
	if (files.count == 0)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "No such artifact: '%s'",
				 error_quote(d->path, quoted, sizeof(quoted)));
	pin_blobs(d, &files);
	if (!artifact_tree_digest(&files, digest, &byte_count, err))
		return false;
	memcpy(suffix + 1, format->name, strlen(format->name) + 1);
	d->etag = download_job_etag(arena, digest, suffix);
	d->content_type = format->media_type;
	d->disposition = media_type_disposition(arena_printf(arena, "%.*s.%s",
							     SLICE_FMT(artifact_path_name(d->path)),
							     format->name),
						arena);
	d->content_length = -1;
	d->status = byte_range_etag_matches(d->if_none_match, d->etag) ? 304 : 200;
	return d->is_head || d->status == 304 ||
	       download_archive_new(d->format, &files, &d->download_or_null, err);
}

static bool parse_get(struct download_job *d, const struct route_match *match, struct slice query,
		      struct error *err)
{
	struct arena *arena = &d->flow.arena;
	struct slice name, value;
	bool found;
	if (!artifact_path_parse_below_root(match->arguments[0], arena, &d->path, err))
		return false;
	for (;;) {
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (!found)
			return true;
		if (slice_eq_cstr(name, "format") &&
		    !tar_output_format_parse(value, &d->format, err))
			return false;
	}
}

static void get_take_over_on_loop(struct api *api, struct http_exchange *x,
				  const struct route_match *match)
{
	static const struct download_request request = {parse_get, prepare_archive};
	download_job_run_on_loop(api, x, match, &request);
}

const struct endpoint archive_put = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = put_take_over_on_loop,
	.summary = "Store the files of a tar, tar.gz or tar.zst",
};
const struct endpoint archive_get = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = get_take_over_on_loop,
	.summary = "Download a tree as tar, tar.gz, tar.zst or zip",
};
