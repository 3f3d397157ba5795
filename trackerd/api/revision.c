/* Owns the count of commits, and the ETags made of it. */
#include "api/revision.h"

#include <inttypes.h>

#include "base/random_id.h"
#include "search/page_token.h"

void revision_init(struct revision *revision)
{
	random_bytes(&revision->start_id, sizeof(revision->start_id));
	atomic_init(&revision->commit_count, 0);
}

void revision_advance(struct revision *revision)
{
	atomic_fetch_add(&revision->commit_count, 1);
}

struct slice revision_etag(struct revision *revision, const struct http_request *request,
			   struct slice body, struct arena *arena)
{
	uint64_t digest = page_query_begin("reply");
	uint64_t count = atomic_load(&revision->commit_count);
	if (body.len > REVISION_BODY_BYTES_MAX)
		return (struct slice){0};
	digest = page_query_text(digest, request->path);
	digest = page_query_text(digest, request->query);
	digest = page_query_text(digest, body);
	return arena_printf(arena, "W/\"%016" PRIx64 "-%" PRIx64 "-%016" PRIx64 "\"",
			    revision->start_id, count, digest);
}
