/* Conditions of a request: Range, If-Match and If-None-Match (RFC 9110). Pure. */
#ifndef API_BYTE_RANGE_H
#define API_BYTE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum byte_range_result {
	BYTE_RANGE_WHOLE, /* no range, or one we do not serve (several, another unit, not understood) */
	BYTE_RANGE_PART,	  /* 206 */
	BYTE_RANGE_UNSATISFIABLE, /* 416 */
};

/* `header`: the value of Range, absent if none. For a part, *offset_out and *length_out are
 * inside `size`. */
enum byte_range_result byte_range_parse(struct slice header, int64_t size, int64_t *offset_out,
					int64_t *length_out);
/* Is `etag` (with quotes) in the If-None-Match list, or is that "*"? Weak comparison. */
bool byte_range_etag_matches(struct slice if_none_match, struct slice etag);
/* Is `etag` (with quotes) in the If-Match list, or is that "*"? Strong comparison. */
bool byte_range_etag_is_same(struct slice if_match, struct slice etag);

#endif
