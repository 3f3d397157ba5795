/* SHA-256 of bytes that come in pieces, and its text. One thread at a time. */
#ifndef CLIENT_SHA256_H
#define CLIENT_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum { SHA256_HEX_LEN = 64 };

struct sha256 {
	void *context; /* of the crypto library */
};

/* Fails only without memory. */
MUST_CHECK bool sha256_init(struct sha256 *h, struct error *err);
MUST_CHECK bool sha256_update(struct sha256 *h, struct slice bytes, struct error *err);
/* Writes 64 lower-case digits and a NUL, and begins anew. */
MUST_CHECK bool sha256_finish(struct sha256 *h, char hex[SHA256_HEX_LEN + 1], struct error *err);
void sha256_deinit(struct sha256 *h);
/* Appends a line of a tree's digest, which is the SHA-256 over the lines "<sha256>  <path>\n" of its
 * files, ascending by path. */
MUST_CHECK bool sha256_update_member(struct sha256 *h, const char *hex, const char *path,
				     struct error *err);
/* Of a file from its first byte to its end; *bytes_out is how many. `path` is for the error
 * sentence. */
MUST_CHECK bool sha256_of_file(int fd, const char *path, char hex[SHA256_HEX_LEN + 1],
			       int64_t *bytes_out, struct error *err);

#endif
