/* Streams a download: a file or a part of it, or an archive of a tree (artifacts/download.h).
 *
 *     prepare (worker) ─▶ head ─▶ ┌ step (worker): next piece ─┐ ─▶ end
 *                                 └ write piece (loop) ◀───────┘   while one piece is sent the next is made
 *
 * At most two pieces of about 1 MiB are in memory. The blobs are pinned until the end, so a
 * deletion meanwhile does not cut the download. A failure after the head cuts the connection. */
#ifndef API_DOWNLOAD_JOB_H
#define API_DOWNLOAD_JOB_H

#include "api/take_over.h"
#include "artifacts/blob_pins.h"
#include "artifacts/download.h"

struct download_job {
	struct take_over flow;
	bool (*prepare)(struct download_job *d, struct job_context *context, struct error *err);
	/* What was asked for; set by parse. Slices live as long as the exchange, or in the arena. */
	struct slice path;
	struct slice run_id;	 /* `path` is below its folder, … */
	struct slice model_name; /* … or that of this version, … */
	int64_t model_version;
	struct slice logged_model_id; /* … or that of this model, … */
	struct slice trace_id;	      /* … or that of this trace */
	enum tar_output_format format;
	/* Set before parse. */
	bool is_head;
	struct slice range, if_range, if_match, if_none_match;
	/* Set by prepare, on a worker. */
	int status;
	const char *content_type;
	struct slice disposition;
	struct slice etag;	    /* with quotes */
	struct slice content_range; /* absent unless 206 or 416 */
	bool accepts_ranges;
	int64_t content_length;		   /* -1: unknown until the end */
	struct download *download_or_null; /* NULL for HEAD and 304 */
	/* The stream. */
	struct blob_pin pin;
	struct buffer piece;
	bool has_piece;
	bool is_end;
	bool is_stepping;
	bool is_writing;
};

struct download_request {
	/* On the loop: reads what the request asks for into *d; path arguments and query are raw. */
	bool (*parse)(struct download_job *d, const struct route_match *match, struct slice query,
		      struct error *err);
	/* On a worker: looks it up. */
	bool (*prepare)(struct download_job *d, struct job_context *context, struct error *err);
};

/* For take_over_on_loop: parses, prepares and streams, or replies the error. Borrows the request, whose functions are
 * called later. */
void download_job_run_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match,
			      const struct download_request *request);

/* For prepare: fills in all that follows from the file: type, ETag, 200, 206, 304 or 416, the
 * range, the source. Fails with PRECONDITION_FAILED when If-Match names another. */
MUST_CHECK bool download_job_prepare_file(struct download_job *d, const struct artifact_file *file,
					  struct error *err);
/* "\"<sha256 hex><suffix>\"" in the arena. */
struct slice download_job_etag(struct arena *arena, const unsigned char digest[SHA256_BYTES],
			       const char *suffix);

#endif
