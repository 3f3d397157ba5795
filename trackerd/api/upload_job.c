/* Owns the way of a request's body into a staged blob: gathering, back-pressure, and the jobs
 * that append. */
#include "api/upload_job.h"

#include <stdlib.h>

#include "api/artifact_service.h"
#include "limits.h"

/* One chunk on its way. */
struct upload_piece {
	struct job job;
	struct arena arena;
	struct upload *upload;
	struct upload_piece *next_or_null;
	struct buffer bytes;
	int64_t seq;
};

static void data_on_loop(struct http_exchange *x, struct slice bytes);
static void end_on_loop(struct http_exchange *x);
static void send_pieces(struct upload *u);
static void deliver_piece_on_loop(struct job *job);
static void close_on_loop(struct take_over *t);

/* ---- begin and end ------------------------------------------------------------------------------ */

static struct upload *from_flow(struct take_over *t)
{
	return CONTAINER_OF(t, struct upload, flow);
}

static struct upload_slots *slots_of(const struct upload *u)
{
	return artifact_service_slots(u->flow.api->artifacts);
}

/* X-Content-Sha256 and Content-Digest; either may be missing. */
static bool read_expected_digest(struct upload *u, const struct http_request *request,
				 struct error *err)
{
	struct slice hex = http_request_header(request, "X-Content-Sha256");
	struct slice field = http_request_header(request, "Content-Digest");
	if (slice_is_present(hex)) {
		if (!digest_from_hex(hex, u->expected_sha256))
			return error_set(
				err, ERR_INVALID_PARAMETER_VALUE,
				"The header X-Content-Sha256 must be 64 hexadecimal digits.");
		u->has_expected_sha256 = true;
	} else if (slice_is_present(field) &&
		   !digest_from_content_digest(field, &u->has_expected_sha256,
					       u->expected_sha256)) {
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"The header Content-Digest must look like sha-256=:<base64 of 32 bytes>:.");
	}
	return true;
}

bool upload_begin(struct upload *u, struct api *api, struct http_exchange *x,
		  void (*whole_cb)(struct upload *u), void (*closed_cb)(struct upload *u))
{
	struct upload_slots *slots = artifact_service_slots(api->artifacts);
	struct error err;
	bool ok = slots->upload_count < UPLOADS_MAX ||
		  error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
			    "Too many uploads at once; try again.");
	if (!ok || !read_expected_digest(u, http_exchange_request(x), &err) ||
	    !blob_stage_init(&u->stage, artifact_service_pins(api->artifacts), &err)) {
		api_reply_error(api, x, &err);
		return false;
	}
	slots->upload_count++;
	u->whole_cb = whole_cb;
	u->closed_cb = closed_cb;
	buffer_init(&u->gather, BLOB_CHUNK_BYTES);
	take_over_begin(&u->flow, api, x, close_on_loop);
	http_exchange_stream(x, u->bytes_max > 0 ? u->bytes_max : ARTIFACT_BYTES_MAX, data_on_loop,
			     end_on_loop);
	return true;
}

static void leave_line(struct upload *u)
{
	struct upload_slots *slots = slots_of(u);
	struct upload *previous = NULL;
	if (!u->is_in_line)
		return;
	for (struct upload *each = slots->first_in_line_or_null; each != u;
	     each = each->next_in_line_or_null)
		previous = each;
	if (previous != NULL)
		previous->next_in_line_or_null = u->next_in_line_or_null;
	else
		slots->first_in_line_or_null = u->next_in_line_or_null;
	if (slots->last_in_line_or_null == u)
		slots->last_in_line_or_null = previous;
	u->next_in_line_or_null = NULL;
	u->is_in_line = false;
}

static void join_line(struct upload *u)
{
	struct upload_slots *slots = slots_of(u);
	if (u->is_in_line)
		return;
	u->is_in_line = true;
	if (slots->last_in_line_or_null != NULL)
		slots->last_in_line_or_null->next_in_line_or_null = u;
	else
		slots->first_in_line_or_null = u;
	slots->last_in_line_or_null = u;
}

static void piece_free(struct upload_piece *piece)
{
	buffer_deinit(&piece->bytes);
	arena_deinit(&piece->arena);
	free(piece);
}

/* Nothing is in flight any more. */
static void close_on_loop(struct take_over *t)
{
	struct upload *u = from_flow(t);
	struct artifact_service *service = t->api->artifacts;
	int64_t unused[2] = {u->stage.staged_pk, u->stage.blob_pk};
	if (u->is_stored) {
		unused[1] = 0;
		if (u->stage.staged_pk == u->stage.blob_pk)
			unused[0] = 0;
	}
	leave_line(u);
	slots_of(u)->upload_count--;
	while (u->first_waiting_or_null != NULL) {
		struct upload_piece *next = u->first_waiting_or_null->next_or_null;
		piece_free(u->first_waiting_or_null);
		u->first_waiting_or_null = next;
	}
	buffer_deinit(&u->gather);
	blob_stage_deinit(&u->stage); /* drops the pin: only now may the sweep look */
	artifact_service_release_on_loop(service, unused, ARRAY_COUNT(unused));
	artifact_service_unpinned_on_loop(service);
	u->closed_cb(u);
}

/* ---- gathering ---------------------------------------------------------------------------------- */

/* For the next chunk: at once, when its length is known. */
static void reserve(struct upload *u, const struct http_request *request)
{
	int64_t left = request->content_length - u->next_seq * BLOB_CHUNK_BYTES;
	if (left > 0)
		(void)buffer_reserve(&u->gather,
				     left < BLOB_CHUNK_BYTES ? (size_t)left : BLOB_CHUNK_BYTES);
	/* Failure is sticky in the buffer. */
}

/* The full chunk leaves `gather` and waits for its job. */
static bool cut_piece(struct upload *u, struct error *err)
{
	struct upload_piece *piece = calloc(1, sizeof(*piece));
	if (piece == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server is out of memory; try again.");
	piece->upload = u;
	piece->seq = u->next_seq++;
	piece->bytes = u->gather;
	buffer_init(&u->gather, BLOB_CHUNK_BYTES);
	arena_init(&piece->arena, BLOB_CHUNK_BYTES);
	piece->job.arena = &piece->arena;
	piece->job.weight_bytes = piece->bytes.len;
	piece->job.deliver_on_loop = deliver_piece_on_loop;
	if (u->last_waiting_or_null != NULL)
		u->last_waiting_or_null->next_or_null = piece;
	else
		u->first_waiting_or_null = piece;
	u->last_waiting_or_null = piece;
	return true;
}

static void data_on_loop(struct http_exchange *x, struct slice bytes)
{
	struct upload *u = from_flow(http_exchange_context(x));
	struct error err;
	while (bytes.len > 0) {
		if (u->gather.len == 0)
			reserve(u, http_exchange_request(x));
		struct slice part = slice_first(bytes, BLOB_CHUNK_BYTES - u->gather.len);
		buffer_append(&u->gather, part);
		bytes = slice_from(bytes, part.len);
		if (u->gather.failed) {
			(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
					"The server is out of memory; try again.");
			take_over_fail(&u->flow, &err);
			return;
		}
		if (u->gather.len == BLOB_CHUNK_BYTES && !cut_piece(u, &err)) {
			take_over_fail(&u->flow, &err);
			return;
		}
	}
	if (u->first_waiting_or_null != NULL)
		send_pieces(u);
}

static void tell_if_whole(struct upload *u)
{
	if (u->is_body_complete && u->first_waiting_or_null == NULL && u->pieces_in_flight == 0)
		u->whole_cb(u);
}

static void end_on_loop(struct http_exchange *x)
{
	struct upload *u = from_flow(http_exchange_context(x));
	u->is_body_complete = true;
	tell_if_whole(u);
}

/* ---- pieces ------------------------------------------------------------------------------------- */

static bool append_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct upload_piece *piece = CONTAINER_OF(job, struct upload_piece, job);
	return blob_stage_append_in_txn(&piece->upload->stage, context->blobs, piece->seq,
					buffer_slice(&piece->bytes), err);
}

static const struct job_phase append_phases[] = {{LANE_BLOB, append_phase}};

/* Sends what may be sent; pauses the socket while something has to wait. The upload may be gone
 * afterwards. */
static void send_pieces(struct upload *u)
{
	struct upload_slots *slots = slots_of(u);
	struct error err;
	while (u->first_waiting_or_null != NULL && u->pieces_in_flight < UPLOAD_PIECES_MAX &&
	       slots->piece_count < UPLOAD_ALL_PIECES_MAX) {
		struct upload_piece *piece = u->first_waiting_or_null;
		piece->job.phases = append_phases;
		piece->job.phase_count = ARRAY_COUNT(append_phases);
		if (!jobs_submit(u->flow.api->jobs, &piece->job, &err)) {
			take_over_fail(&u->flow, &err);
			return;
		}
		u->first_waiting_or_null = piece->next_or_null;
		if (u->first_waiting_or_null == NULL)
			u->last_waiting_or_null = NULL;
		u->pieces_in_flight++;
		slots->piece_count++;
		take_over_hold(&u->flow);
	}
	bool must_wait = u->first_waiting_or_null != NULL;
	/* With a piece of its own in flight, its delivery comes back here; else somebody else's
	 * must. */
	if (must_wait && u->pieces_in_flight == 0)
		join_line(u);
	else
		leave_line(u);
	if (must_wait != u->is_paused) {
		u->is_paused = must_wait;
		if (must_wait)
			http_exchange_pause(u->flow.x_or_null);
		else
			http_exchange_resume(
				u->flow.x_or_null); /* may call data_on_loop, and so end it */
	}
}

/* A slot is free: who waits longest goes first. */
static void serve_line(struct upload_slots *slots)
{
	if (slots->first_in_line_or_null != NULL && slots->piece_count < UPLOAD_ALL_PIECES_MAX)
		send_pieces(slots->first_in_line_or_null);
}

static void deliver_piece_on_loop(struct job *job)
{
	struct upload_piece *piece = CONTAINER_OF(job, struct upload_piece, job);
	struct upload *u = piece->upload;
	struct upload_slots *slots = slots_of(u);
	struct error err = job->error;
	piece_free(piece);
	slots->piece_count--;
	u->pieces_in_flight--;
	if (!take_over_unhold(&u->flow) && !u->flow.is_over) {
		if (err.code != ERR_NONE)
			take_over_fail(&u->flow, &err);
		else if (u->is_body_complete && u->first_waiting_or_null == NULL)
			tell_if_whole(u);
		else
			send_pieces(u);
	}
	serve_line(slots);
}

/* ---- on LANE_BLOB ------------------------------------------------------------------------------- */

static const unsigned char *expected_digest(const struct upload *u)
{
	return u->has_expected_sha256 ? u->expected_sha256 : NULL;
}

bool upload_finish_in_txn(struct upload *u, struct db *blobs, struct error *err)
{
	return blob_stage_finish_in_txn(&u->stage, blobs, u->next_seq, buffer_slice(&u->gather),
					expected_digest(u), err);
}

bool upload_append_last_in_txn(struct upload *u, struct db *blobs, struct error *err)
{
	if (u->gather.len > 0 &&
	    !blob_stage_append_in_txn(&u->stage, blobs, u->next_seq, buffer_slice(&u->gather), err))
		return false;
	return blob_stage_check(&u->stage, expected_digest(u), err);
}

bool upload_name_in_txn(struct upload *u, struct db *blobs, struct error *err)
{
	return blob_stage_finish_in_txn(&u->stage, blobs, u->next_seq + 1, (struct slice){0}, NULL,
					err);
}
