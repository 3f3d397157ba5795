/* Owns the streaming of downloads: preparing, the head, and the pump of pieces between workers
 * and socket. */
#include "api/download_job.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/byte_range.h"
#include "artifacts/artifact_path.h"
#include "artifacts/media_type.h"
#include "base/json_writer.h"

static void pump(struct download_job *d);

/* ---- begin and end ------------------------------------------------------------------------------ */

static struct download_job *from_flow(struct take_over *t)
{
	return CONTAINER_OF(t, struct download_job, flow);
}

static void close_on_loop(struct take_over *t)
{
	struct download_job *d = from_flow(t);
	download_free(d->download_or_null);
	buffer_deinit(&d->piece);
	blob_pins_drop(&d->pin);
	artifact_service_end_download_on_loop(t->api->artifacts);
	artifact_service_unpinned_on_loop(t->api->artifacts);
	free(d);
}

/* On failure the error is replied and the result is NULL. */
static struct download_job *download_job_new(struct api *api, struct http_exchange *x)
{
	struct download_job *d = calloc(1, sizeof(*d));
	struct error err;
	if (d == NULL || !artifact_service_begin_download_on_loop(api->artifacts)) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"Too many downloads at once; try again.");
		api_reply_error(api, x, &err);
		free(d);
		return NULL;
	}
	const struct http_request *request = http_exchange_request(x);
	buffer_init(&d->piece, DOWNLOAD_PIECE_BYTES_MAX);
	d->is_head = request->method == HTTP_HEAD;
	d->range = d->is_head ? (struct slice){0} : http_request_header(request, "Range");
	d->if_range = http_request_header(request, "If-Range");
	d->if_match = http_request_header(request, "If-Match");
	d->if_none_match = http_request_header(request, "If-None-Match");
	take_over_begin(&d->flow, api, x, close_on_loop);
	return d;
}

/* ---- on a worker -------------------------------------------------------------------------------- */

/* Reads the next piece; a compressor may need several steps before it has any bytes. */
static bool step(struct download_job *d, struct db *blobs, struct error *err)
{
	if (!download_step(d->download_or_null, blobs, &d->piece, &d->is_end, err))
		return false;
	d->has_piece = d->piece.len > 0;
	return true;
}

static bool prepare_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct download_job *d = CONTAINER_OF(job, struct download_job, flow.job);
	struct blob_pins *pins = artifact_service_pins(d->flow.api->artifacts);
	/* Everything, until prepare knows what it needs: between its look-up and its pin nothing
	 * can be swept. */
	blob_pins_hold_all(pins, &d->pin);
	if (!d->prepare(d, context, err))
		return false;
	return d->download_or_null == NULL || step(d, context->blobs, err);
}

static bool step_phase(struct job *job, struct job_context *context, struct error *err)
{
	return step(CONTAINER_OF(job, struct download_job, flow.job), context->blobs, err);
}

struct slice download_job_etag(struct arena *arena, const unsigned char digest[SHA256_BYTES],
			       const char *suffix)
{
	char hex[SHA256_HEX_LEN + 1];
	digest_hex(digest, hex);
	return arena_printf(arena, "\"%s%s\"", hex, suffix);
}

/* Decides on the range: sets status, content_range, and which part to send. */
static void choose_range(struct download_job *d, int64_t size, int64_t *offset, int64_t *length)
{
	struct arena *arena = &d->flow.arena;
	enum byte_range_result result = BYTE_RANGE_WHOLE;
	*offset = 0;
	*length = size;
	d->status = 200;
	if (!slice_is_present(d->if_range) || slice_eq(d->if_range, d->etag))
		result = byte_range_parse(d->range, size, offset, length);
	if (result == BYTE_RANGE_PART) {
		d->status = 206;
		d->content_range =
			arena_printf(arena, "bytes %lld-%lld/%lld", (long long)*offset,
				     (long long)(*offset + *length - 1), (long long)size);
	} else if (result == BYTE_RANGE_UNSATISFIABLE) {
		d->status = 416;
		d->content_range = arena_printf(arena, "bytes */%lld", (long long)size);
	}
}

bool download_job_prepare_file(struct download_job *d, const struct artifact_file *file,
			       struct error *err)
{
	struct slice name = artifact_path_name(file->path);
	int64_t offset, length;
	blob_pins_hold_two(artifact_service_pins(d->flow.api->artifacts), &d->pin, file->blob_pk,
			   0);
	d->etag = download_job_etag(&d->flow.arena, file->sha256, "");
	d->content_type = media_type_of(name);
	d->disposition = media_type_disposition(name, &d->flow.arena);
	d->accepts_ranges = true;
	if (slice_is_present(d->if_match) && !byte_range_etag_is_same(d->if_match, d->etag))
		return error_set(err, ERR_PRECONDITION_FAILED,
				 "The file is another one than If-Match names.");
	if (byte_range_etag_matches(d->if_none_match, d->etag)) {
		d->status = 304;
		return true;
	}
	choose_range(d, file->size, &offset, &length);
	d->content_length = length;
	if (d->is_head || d->status == 416)
		return true;
	return download_file_new(file, offset, length, &d->download_or_null, err);
}

/* ---- the head ----------------------------------------------------------------------------------- */

static void make_reply(const struct download_job *d, struct http_reply *reply)
{
	*reply = (struct http_reply){.status = d->status, .content_length = d->content_length};
	api_reply_headers(d->flow.api, d->flow.x_or_null, reply);
	http_reply_header(reply, SLICE("ETag"), d->etag);
	if (d->accepts_ranges)
		http_reply_header(reply, SLICE("Accept-Ranges"), SLICE("bytes"));
	if (slice_is_present(d->content_range))
		http_reply_header(reply, SLICE("Content-Range"), d->content_range);
	if (d->status == 200 || d->status == 206) {
		reply->content_type = d->content_type;
		http_reply_header(reply, SLICE("Content-Disposition"), d->disposition);
	}
}

static void reply_unsatisfiable(struct download_job *d)
{
	struct http_reply reply;
	struct json_writer w;
	make_reply(d, &reply);
	reply.content_type = "application/json";
	json_writer_init(&w, &d->piece);
	json_object_begin(&w);
	json_put_cstr(&w, "error_code", error_code_name(ERR_RANGE_NOT_SATISFIABLE));
	json_put_cstr(&w, "message", "The range begins behind the end of the file.");
	json_object_end(&w);
	take_over_reply(&d->flow, &reply, &d->piece);
}

static void prepared_on_loop(struct take_over *t)
{
	struct download_job *d = from_flow(t);
	struct http_reply reply;
	if (d->status == 416) {
		reply_unsatisfiable(d);
		return;
	}
	make_reply(d, &reply);
	if (d->download_or_null == NULL && d->status != 304) { /* HEAD */
		take_over_stream(t, &reply);
		take_over_stream_end(t);
	} else if (d->download_or_null == NULL || d->is_end) {
		take_over_reply(t, &reply, &d->piece);
	} else {
		take_over_stream(t, &reply);
		pump(d);
	}
}

static const struct job_phase prepare_phases[] = {{LANE_WORKER, prepare_phase}};

void download_job_run_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match,
			      const struct download_request *request)
{
	struct download_job *d = download_job_new(api, x);
	struct error err;
	if (d == NULL)
		return;
	d->prepare = request->prepare;
	if (!request->parse(d, match, http_exchange_request(x)->query, &err))
		take_over_fail(&d->flow, &err);
	else
		take_over_run(&d->flow, prepare_phases, ARRAY_COUNT(prepare_phases), sizeof(*d),
			      prepared_on_loop);
}

/* ---- the pump ----------------------------------------------------------------------------------- */

static void written_on_loop(struct http_exchange *x)
{
	struct download_job *d = from_flow(http_exchange_context(x));
	d->is_writing = false;
	pump(d);
}

static void stepped_on_loop(struct take_over *t)
{
	struct download_job *d = from_flow(t);
	d->is_stepping = false;
	pump(d);
}

static const struct job_phase step_phases[] = {{LANE_WORKER, step_phase}};

/* Sends the piece that is ready, has the next one made, ends when there is none. The download
 * may be gone after. */
static void pump(struct download_job *d)
{
	struct take_over *t = &d->flow;
	if (d->is_stepping)
		return; /* the piece is the worker's */
	if (d->has_piece && !d->is_writing) {
		d->has_piece = false;
		d->is_writing = true;
		http_exchange_write(t->x_or_null, &d->piece, written_on_loop);
		buffer_init(&d->piece, DOWNLOAD_PIECE_BYTES_MAX);
	}
	if (!d->has_piece && !d->is_end) {
		d->is_stepping = true;
		take_over_run(t, step_phases, ARRAY_COUNT(step_phases), sizeof(*d),
			      stepped_on_loop);
	} else if (!d->has_piece && !d->is_writing) {
		take_over_stream_end(t);
	}
}
