/* Signatures of what webhooks deliver: HMAC-SHA256, by the system's OpenSSL, in the form of Standard Webhooks. */
#ifndef OUTGOING_SIGNATURE_H
#define OUTGOING_SIGNATURE_H

#include "base/slice.h"

enum { SIGNATURE_BYTES = 48 }; /* "v1,", 44 digits of base64, NUL */

/* "v1," and base64 of HMAC-SHA256(secret, content). Thread-safe. */
void signature_make(struct slice secret, struct slice content, char signature[SIGNATURE_BYTES]);

#endif
