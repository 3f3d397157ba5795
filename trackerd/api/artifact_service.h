/* What the artifact endpoints share while the daemon runs: which blobs are in use, how many uploads there are, and
 * the sweep that deletes blobs nobody refers to any more.
 *
 * One per daemon, reached through api->artifacts. Loop thread, but for the pins (blob_pins.h). Life: new before
 * the server listens and after jobs_open; start once; free after jobs_close_on_loop's closed_cb. */
#ifndef API_ARTIFACT_SERVICE_H
#define API_ARTIFACT_SERVICE_H

#include "base/error.h"

struct api;
struct artifact_service;

/* Gives *out, which the caller stores in api->artifacts. Keeps `api`. */
MUST_CHECK bool artifact_service_new(struct api *api, struct artifact_service **out, struct error *err);
/* Begins the sweep of what a crash left behind. In small steps, between other jobs. */
void artifact_service_start_on_loop(struct artifact_service *service);
/* Nothing may be in flight any more. NULL is allowed. */
void artifact_service_free(struct artifact_service *service_or_null);

#endif
