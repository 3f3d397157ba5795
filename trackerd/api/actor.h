/* Who sends a request, by what, and why: what the registry remembers with a change. Nothing of it is proven; it is what
 * the client says of itself.
 *
 *     actor    X-Trackerd-User; else the user of Authorization: Basic; else what the request itself says
 *     client   User-Agent, its first bytes
 *     cause    X-Trackerd-Cause: the command or page that made the change
 */
#ifndef API_ACTOR_H
#define API_ACTOR_H

#include "base/arena.h"
#include "base/error.h"
#include "http/http_message.h"
#include "store/registry_history.h"

/* Texts are borrowed from the request or in the arena, and well-formed UTF-8. `own_or_absent` is the user that the
 * request names in its body. INVALID_PARAMETER_VALUE for an X-Trackerd-User or X-Trackerd-Cause that is too long
 * (limits.h) or no UTF-8. Any thread that owns the call. */
MUST_CHECK bool actor_of_request(const struct http_request *http, struct slice own_or_absent, struct arena *arena,
				 struct registry_author *out, struct error *err);

#endif
