/* Paths and query strings of HTTP targets (RFC 3986): percent-decoding and iteration. Pure; any thread. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* Decodes %XX (and '+' as space when plus_is_space). Fails with INVALID_PARAMETER_VALUE on a broken escape,
 * a NUL, or text that is not UTF-8. */
MUST_CHECK bool target_decode(struct slice encoded, bool plus_is_space, struct arena *arena,
			      struct slice *out, struct error *err);
/* Next "name=value" of *rest, both decoded; *found_out false at the end. A name without '=' has value "". */
MUST_CHECK bool target_query_next(struct slice *rest, struct arena *arena, struct slice *name_out,
				  struct slice *value_out, bool *found_out, struct error *err);

#endif
