/* HTTP to the server for the CLI: JSON calls, uploads from a file, downloads into a function. One
 * thread.
 *
 * Errors carry the server's own sentence and code; a server that does not answer is
 * TEMPORARILY_UNAVAILABLE, one that answers too late REQUEST_TIMEOUT; Ctrl-C is CANCELLED. Nothing
 * is retried. */
#ifndef CLI_API_H
#define CLI_API_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_scanner.h"
#include "base/slice.h"
#include "src/fetcher.h"

struct api;

/* Told now and then how many bytes have moved; may be NULL. */
typedef void api_progress_fn(void *context, int64_t bytes);

MUST_CHECK bool api_open(const char *url, struct api **out, struct error *err);
void api_close(struct api *api_or_null);
/* Who calls, and by which command: goes along with every JSON call, for the server to remember with what it changes.
 * Copies the texts, cut to what the server takes; control characters become '?'. "" says nothing. */
void api_identify(struct api *api, const char *user, const char *cause);

/* `path` begins with "/" and is encoded. Without a body pass an absent slice. An empty reply is an
 * empty object; *reply is NULL for 304 Not Modified. When the call fails *reply is the JSON that
 * the server answered with, or NULL. */
MUST_CHECK bool api_call(struct api *api, const char *method, struct slice path,
			 struct slice json_body, struct arena *arena, struct json_value **reply,
			 struct error *err);

/* The next api_call carries If-Match with this revision, in quotes: what was changed meanwhile is
 * left alone, with PRECONDITION_FAILED. NULL: it does not. Keeps the text until then. */
void api_if_match(struct api *api, const char *revision_or_null);

enum { API_ETAG_BYTES = 80 };

struct api_upload {
	struct slice path;
	int fd; /* read from its first byte */
	int64_t bytes;
	const char *sha256; /* hexadecimal; the server verifies it */
	api_progress_fn *progress;
	void *context;
	char *etag_out; /* API_ETAG_BYTES: the reply's ETag without quotes, or "" */
};
MUST_CHECK bool api_upload(struct api *api, const struct api_upload *upload, struct arena *arena,
			   struct json_value **reply, struct error *err);

MUST_CHECK bool api_download(struct api *api, const struct fetch_range *range, struct error *err);

#endif
