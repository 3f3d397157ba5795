/* Owns how artifact addresses are put together. */
#include "store/artifact_uri.h"

struct slice artifact_uri_join(struct slice base, struct slice path, struct arena *arena)
{
	size_t query_index = slice_find_byte(base, '?', 0);
	struct slice query = slice_from(base, query_index);
	struct slice head = slice_first(base, query_index);
	while (slice_ends_with(head, SLICE("/")))
		head.len--;
	return arena_printf(arena, "%.*s/%.*s%.*s", SLICE_FMT(head), SLICE_FMT(path),
			    SLICE_FMT(query));
}
