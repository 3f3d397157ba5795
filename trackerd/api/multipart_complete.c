/* Owns the endpoint that makes one file of the parts of an upload.
 *
 *     body ─▶ load and check ─▶ hash ⟲ ─▶ name the blob ─▶ put the file, give up the parts ─▶ reply
 *             worker            worker    LANE_BLOB        LANE_COMMITTER
 *
 * No byte is copied: the parts' blobs become the parts of one blob (blobs.h). They are read once, in
 * steps, for the digest. The file and the end of the upload are one transaction; whatever stops it
 * before leaves the upload as it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/deletion_guard.h"
#include "api/live_artifacts.h"
#include "api/multipart.h"
#include "api/take_over.h"
#include "artifacts/blobs.h"
#include "artifacts/multipart.h"
#include "base/clock.h"
#include "limits.h"

enum { HASH_STEP_BYTES = 16 * BLOB_CHUNK_BYTES }; /* 10 to 20 ms of a worker */

struct listed_part {
	struct opt_i64 part_number;
	struct slice etag;
};

static const struct field part_fields[] = {
	FIELD_I64(struct listed_part, part_number, FIELD_REQUIRED),
	FIELD_TEXT(struct listed_part, etag, FIELD_OPTIONAL),
	FIELDS_END,
};

struct complete_request {
	struct slice path;
	struct slice upload_id;
	struct object_list parts; /* of struct listed_part */
	struct opt_bool force;
};

static const struct field complete_fields[] = {
	FIELD_TEXT(struct complete_request, path, FIELD_REQUIRED),
	FIELD_TEXT(struct complete_request, upload_id, FIELD_REQUIRED),
	FIELD_OBJECTS(struct complete_request, parts, FIELD_REQUIRED, part_fields,
		      struct listed_part),
	FIELD_BOOL(struct complete_request, force, FIELD_OPTIONAL),
	FIELDS_END,
};

struct completion {
	struct take_over flow;
	struct slice directory; /* of the URL, as it came */
	struct slice body;
	int64_t now_ms;
	struct complete_request request;
	struct multipart_part_list parts;
	struct blob_part_list blobs; /* of `parts` */
	struct blob_pin pin;	     /* holds them */
	struct blob_stage stage;     /* the blob they become */
	bool was_complete;
	bool is_hashed;
	bool is_stored;
	struct slice path; /* of the file */
	struct call call;  /* of the commit phase */
};

static struct completion *from_job(struct job *job)
{
	return CONTAINER_OF(job, struct completion, flow.job);
}

static struct completion *from_flow(struct take_over *t)
{
	return CONTAINER_OF(t, struct completion, flow);
}

/* ---- checking what the request lists ------------------------------------------------------------ */

static bool check_part(const struct listed_part *listed, const struct multipart_part *part,
		       struct error *err)
{
	unsigned char sha256[SHA256_BYTES];
	struct slice etag = listed->etag;
	if (etag.len >= 2 && slice_starts_with(etag, SLICE("\"")) &&
	    slice_ends_with(etag, SLICE("\"")))
		etag = slice_make(etag.ptr + 1, etag.len - 2);
	if (!digest_from_hex(etag, sha256) || memcmp(sha256, part->sha256, SHA256_BYTES) != 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The etag of part %" PRId64
				 " is not the one that storing it was answered with.",
				 part->number);
	return true;
}

/* All parts of the upload, in order, as they are stored. */
static bool check_parts(const struct object_list *listed, const struct multipart_upload *upload,
			const struct multipart_part_list *parts, struct error *err)
{
	const struct listed_part *items = listed->items;
	for (size_t i = 0; i < (size_t)upload->part_count; i++) {
		int64_t number = (int64_t)i + 1;
		if (i >= parts->count || parts->items[i].number != number)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "Part %" PRId64 " of %" PRId64 " was not stored yet.",
					 number, upload->part_count);
		if (i >= listed->count || items[i].part_number.value != number)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "parts must list the parts 1 to %" PRId64
					 " in this order; part %" PRId64 " is not at its place.",
					 upload->part_count, number);
		if (!check_part(&items[i], &parts->items[i], err))
			return false;
	}
	return listed->count == (size_t)upload->part_count ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "parts lists %zu parts of an upload that has %" PRId64 ".", listed->count,
			 upload->part_count);
}

/* ---- phases ------------------------------------------------------------------------------------- */

static int compare_pks(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

/* From here on the sweep leaves the parts alone, even when the upload is aborted meanwhile. */
static bool take_blobs(struct completion *c, struct error *err)
{
	size_t count = c->parts.count;
	int64_t *pks = ARENA_NEW(&c->flow.arena, int64_t, count);
	int64_t byte_count = 0;
	c->blobs =
		(struct blob_part_list){ARENA_NEW(&c->flow.arena, struct blob_part, count), count};
	for (size_t i = 0; i < count; i++) {
		const struct multipart_part *part = &c->parts.items[i];
		if (part->size > ARTIFACT_BYTES_MAX - byte_count)
			return error_set(err, ERR_REQUEST_TOO_LARGE,
					 "The parts are more than the %lld bytes a file may have.",
					 (long long)ARTIFACT_BYTES_MAX);
		byte_count += part->size;
		pks[i] = part->blob_pk;
		c->blobs.items[i] = (struct blob_part){part->blob_pk, part->size};
	}
	qsort(pks, count, sizeof(*pks), compare_pks);
	blob_pins_hold_many(artifact_service_pins(c->flow.api->artifacts), &c->pin, pks, count);
	return true;
}

static bool load_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct completion *c = from_job(job);
	struct blob_pins *pins = artifact_service_pins(c->flow.api->artifacts);
	struct complete_request *r = &c->request;
	struct multipart_upload upload;
	struct slice path;
	if (!fields_decode_json(complete_fields, c->body, job->arena, r, err) ||
	    !multipart_target_path(c->directory, r->path, job->arena, &path, err))
		return false;
	blob_pins_hold_all(pins, &c->pin); /* between the look-up and its pin nothing is swept */
	if (!multipart_find(context->tracker, r->upload_id, job->arena, &upload, err))
		return false;
	if (!slice_eq(upload.path, path))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The multipart upload is one of another file.");
	c->path = path;
	c->was_complete = upload.is_complete;
	if (c->was_complete)
		return true;
	return multipart_load_parts(context->tracker, &upload, job->arena, &c->parts, err) &&
	       check_parts(&r->parts, &upload, &c->parts, err) && take_blobs(c, err) &&
	       blob_stage_init(&c->stage, pins, err);
}

static bool hash_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct completion *c = from_job(job);
	return blob_stage_hash_parts(&c->stage, context->blobs, &c->blobs, HASH_STEP_BYTES,
				     &c->is_hashed, err);
}

static bool name_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct completion *c = from_job(job);
	return blob_stage_finish_parts_in_txn(&c->stage, context->blobs, &c->blobs, err);
}

static bool commit_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct completion *c = from_job(job);
	struct artifact_file file = {
		.blob_pk = c->stage.blob_pk, .size = c->stage.size, .modified_ms = c->now_ms};
	const struct artifact_file_list files = {&file, 1};
	const struct artifact_write write = {.base = c->path, .files = &files};
	memcpy(file.sha256, c->stage.sha256, SHA256_BYTES);
	c->call = take_over_call(&c->flow, c->now_ms); /* this may be the second run */
	return deletion_guard_write(&c->call, context->tracker, &write, c->request.force, err) &&
	       live_artifacts_note(&c->call, context->tracker, c->path, err) &&
	       multipart_complete_in_txn(context->tracker, c->request.upload_id, &c->parts, &file,
					 job->arena, &c->call.released, &c->was_complete, err);
}

static const struct job_phase load_phases[] = {{LANE_WORKER, load_phase}};
static const struct job_phase hash_phases[] = {{LANE_WORKER, hash_phase}};
static const struct job_phase store_phases[] = {{LANE_BLOB, name_phase},
						{LANE_COMMITTER, commit_phase}};

/* ---- on the loop -------------------------------------------------------------------------------- */

static void stored_on_loop(struct take_over *t)
{
	struct completion *c = from_flow(t);
	c->is_stored = !c->was_complete;
	take_over_reply_empty(t, (struct slice){0});
}

static void go_on_on_loop(struct take_over *t)
{
	struct completion *c = from_flow(t);
	if (c->was_complete)
		take_over_reply_empty(t, (struct slice){0});
	else if (c->is_hashed)
		take_over_run(t, store_phases, ARRAY_COUNT(store_phases), sizeof(*c),
			      stored_on_loop);
	else
		take_over_run(t, hash_phases, ARRAY_COUNT(hash_phases), sizeof(*c), go_on_on_loop);
}

static void body_on_loop(struct http_exchange *x, struct slice body)
{
	struct completion *c = from_flow(http_exchange_context(x));
	c->body = body;
	take_over_run(&c->flow, load_phases, ARRAY_COUNT(load_phases), sizeof(*c) + body.len,
		      go_on_on_loop);
}

static void closed_on_loop(struct take_over *t)
{
	struct completion *c = from_flow(t);
	struct artifact_service *service = t->api->artifacts;
	int64_t unused[2] = {c->stage.staged_pk, c->stage.blob_pk};
	live_artifacts_tell_on_loop(t, &c->call);
	blob_stage_deinit(&c->stage);
	blob_pins_drop(&c->pin);
	if (!c->is_stored)
		artifact_service_release_on_loop(service, unused, ARRAY_COUNT(unused));
	artifact_service_release_on_loop(service, c->call.released.items, c->call.released.count);
	artifact_service_unpinned_on_loop(service);
	free(c);
}

static void take_over_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match)
{
	struct completion *c = take_over_alloc(api, x, sizeof(*c));
	if (c == NULL)
		return;
	c->directory = match->arguments[0];
	c->now_ms = clock_wall_ms(clock_system());
	take_over_begin(&c->flow, api, x, closed_on_loop);
	http_exchange_collect(x, BODY_BYTES_MAX, body_on_loop);
}

const struct endpoint multipart_complete = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = take_over_on_loop,
	.summary = "Make one file of the parts of an upload",
};
