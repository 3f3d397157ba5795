/* HTTP to one server: one kept-alive connection, one exchange at a time. The only module that knows
 * libcurl.
 *
 * One thread uses a transport; transport_cancel may come from any. Nothing is retried here. Only
 * http and https, no redirects (a POST would turn into a GET). */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

enum {
	TRANSPORT_REPLY_BYTES_MAX = 64 * 1024 * 1024
}; /* an archive's reply lists up to 100,000 files */

struct transport;
struct fetch_range; /* fetcher.h */

struct transport_options {
	const char *url; /* "http://host:port/prefix"; a slash at the end is dropped */
	int64_t connect_timeout_ms;
	int64_t request_timeout_ms; /* of an exchange; of uploads and ranges: without any movement */
};

struct transport_call {
	const char *method;
	const char *path;	  /* "/api/…", with query, percent-encoded */
	const char *content_type; /* NULL without a body */
	struct slice body;	  /* either this … */
	int body_fd;		  /* … or, when upload is set, this file from its first byte */
	bool is_upload;
	int64_t upload_bytes;
	const char *sha256_or_null; /* sent as X-Content-Sha256 */
	/* Who calls, for the server to remember with what it changes; from transport_header_text. */
	const char *user_or_null;
	/* A success is handed to it piece by piece instead of being kept; its path and this struct's
	 * are the same. */
	const struct fetch_range *range_or_null;
};

struct transport_reply {
	int status;
	int64_t retry_after_ms; /* -1 when the server did not say */
	char etag[80];		/* without quotes; "" if none */
	struct buffer body;
};

/* Fails with INVALID_PARAMETER_VALUE for a bad address. Initialises libcurl once in the process's
 * life. */
MUST_CHECK bool transport_open(const struct transport_options *options, struct transport **out,
			       struct error *err);
void transport_close(struct transport *t);
/* True when the server answered, with whatever status; reply->body is then the caller's to deinit.
 * False, with what it said, also when the range gave up.
 * False, with TEMPORARILY_UNAVAILABLE, when it did not: unreachable, timed out, broken off; or with
 * CANCELLED. */
MUST_CHECK bool transport_perform(struct transport *t, const struct transport_call *call,
				  struct transport_reply *reply, struct error *err);
/* The exchange at hand, and every later one, fails at once. */
void transport_cancel(struct transport *t);
/* What of a text can stand in a header: cut at a code point, control characters become '?'. */
void transport_header_text(struct slice text, char *out, size_t out_bytes);
/* Appends `path` to `out`, each segment percent-encoded, slashes kept. */
void transport_encode_path(struct slice path, struct buffer *out);
/* Appends one query value, percent-encoded. */
void transport_encode_value(struct slice value, struct buffer *out);

#endif
