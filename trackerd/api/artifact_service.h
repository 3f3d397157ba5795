/* What the artifact endpoints share while the daemon runs: which blobs are in use, how much
 * uploads may hold in memory, the sweep that deletes blobs nobody refers to any more, and the end
 * of uploads in parts that nobody goes on with.
 *
 * One per daemon, reached through api->artifacts. Loop thread, but for the pins (blob_pins.h).
 * Life: new before the server listens and after jobs_open; start once; free after
 * jobs_close_on_loop's closed_cb. */
#ifndef API_ARTIFACT_SERVICE_H
#define API_ARTIFACT_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { DOWNLOADS_MAX = 256 };

struct api;
struct artifact_service;
struct blob_pins;
struct upload_slots;

/* Gives *out, which the caller stores in api->artifacts. Keeps `api`. */
MUST_CHECK bool artifact_service_new(struct api *api, struct artifact_service **out,
				     struct error *err);
/* Begins the sweep of what a crash left behind. In small steps, between other jobs. */
void artifact_service_start_on_loop(struct artifact_service *service);
/* Gives up uploads in parts that were not touched for api->upload_expiry_ms. To be called now and
 * then; does nothing while the last call is at work. */
void artifact_service_expire_on_loop(struct artifact_service *service);
/* Nothing may be in flight any more. NULL is allowed. */
void artifact_service_free(struct artifact_service *service_or_null);

/* For the endpoints. */

struct blob_pins *artifact_service_pins(struct artifact_service *service);
struct upload_slots *artifact_service_slots(struct artifact_service *service);
/* False when there are DOWNLOADS_MAX downloads already: each holds up to two pieces in memory. */
MUST_CHECK bool artifact_service_begin_download_on_loop(struct artifact_service *service);
void artifact_service_end_download_on_loop(struct artifact_service *service);
/* These blobs lost a reference, or never had one: sweeps those that have none. A pk of 0 is
 * passed over. */
void artifact_service_release_on_loop(struct artifact_service *service, const int64_t *blob_pks,
				      size_t count);
/* Is it deleting blobs that nothing refers to? Those that are in use, and so put off, do not count. */
bool artifact_service_is_sweeping_on_loop(const struct artifact_service *service);
/* Pins were dropped: blobs that the sweep left alone for them get another look. */
void artifact_service_unpinned_on_loop(struct artifact_service *service);

#endif
