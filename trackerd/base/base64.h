/* Base64 (RFC 4648): of URLs without padding, and of HTTP's Basic credentials. Pure; any thread. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* The alphabet with '-' and '_', without padding; in the arena. */
struct slice base64url_encode(struct slice bytes, struct arena *arena);
/* Strict: no padding, no other characters, and bits that are left over must be 0, so that one content has one text. */
MUST_CHECK bool base64url_decode(struct slice text, struct arena *arena, struct slice *out);
/* The alphabet with '+' and '/', padded to a multiple of four; as strict otherwise. */
MUST_CHECK bool base64_decode(struct slice text, struct arena *arena, struct slice *out);

#endif
