/* SHA-256, by the system's OpenSSL, and its text forms. */
#ifndef DIGEST_DIGEST_H
#define DIGEST_DIGEST_H

#include <stdbool.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/slice.h"

enum { SHA256_BYTES = 32, SHA256_HEX_LEN = 64 };

struct evp_md_ctx_st;

/* A digest under way. One thread at a time. */
struct digest {
	struct evp_md_ctx_st *context_or_null; /* NULL before init and after deinit */
};

/* Fails only for want of memory (TEMPORARILY_UNAVAILABLE). */
MUST_CHECK bool digest_init(struct digest *h, struct error *err);
void digest_deinit(struct digest *h);
/* Forgets what was added. */
void digest_restart(struct digest *h);
void digest_update(struct digest *h, struct slice bytes);
/* The digest of all bytes so far; more may be added afterwards. */
void digest_value(const struct digest *h, unsigned char digest[SHA256_BYTES]);

/* Lower-case hexadecimal and a NUL. */
void digest_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_LEN + 1]);
/* 64 hexadecimal digits of either case. */
MUST_CHECK bool digest_from_hex(struct slice hex, unsigned char digest[SHA256_BYTES]);
/* The sha-256 item of a Content-Digest header (RFC 9530): "sha-512=:…:, sha-256=:<base64>:".
 * *found_out is false when the header holds other digests only; the result is false when it
 * cannot be read. */
MUST_CHECK bool digest_from_content_digest(struct slice header, bool *found_out,
					   unsigned char digest[SHA256_BYTES]);

#endif
