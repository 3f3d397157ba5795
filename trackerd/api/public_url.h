/* The URLs that we hand out: absolute, since clients follow them without knowing where they came from.
 *
 * Any thread. Results live in the arena. */
#ifndef API_PUBLIC_URL_H
#define API_PUBLIC_URL_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "base/slice.h"
#include "http/http_message.h"

struct api;

/* How the sender of `request` reaches this server, "https://host:port/prefix": the option --public-url, or
 * else the Host header with the scheme that a proxy names in X-Forwarded-Proto, http without one. Fails
 * with BAD_REQUEST when there is no Host. */
MUST_CHECK bool public_url(const struct api *api, const struct http_request *request, struct arena *arena,
			   struct slice *out, struct error *err);
/* `root` and the way to the file at `path` (parsed; artifact_path.h) below it. */
struct slice public_url_of_artifact(struct slice root, struct slice path, struct arena *arena);
/* "headers": {…}, for whoever follows a URL of ours: the Authorization that `request` came with, so that a
 * proxy before us lets them pass. */
void public_url_headers(const struct http_request *request, struct json_writer *w);

#endif
