/* Conditional reads: which revision of tracker.db a reply shows, so that asking again costs nothing while
 * nothing was written.
 *
 * An endpoint whose reply follows from the request and tracker.db alone (endpoint.h, shows_revision) gets an
 * ETag of the number of commits so far and a digest of the request. It is made before the reply is, so a
 * commit in between can only make it look older. A request with that ETag in If-None-Match is answered 304
 * before any query runs. Weak: the bytes may differ, what they say does not. */
#ifndef API_REVISION_H
#define API_REVISION_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "http/http_message.h"

enum { REVISION_BODY_BYTES_MAX = 64 * 1024 }; /* the loop digests it: 0.1 ms */

struct revision {
	uint64_t start_id; /* random: the count begins anew with each start */
	atomic_uint_least64_t commit_count;
};

void revision_init(struct revision *revision);
/* tracker.db was changed: after the commit, and before anybody is told of it. Thread-safe. */
void revision_advance(struct revision *revision);
/* The ETag of this request's reply, in the arena; absent when its body is larger than REVISION_BODY_BYTES_MAX. */
struct slice revision_etag(struct revision *revision, const struct http_request *request, struct slice body,
			   struct arena *arena);

#endif
