/* Decodes the chunked transfer coding, strictly (RFC 9112 §7.1).
 *
 * Bodies do not go through the parser library: the distribution builds it without its strict
 * mode, so that it takes any byte in the place of the LF behind a chunk's size. Here each line
 * must end in CRLF, sizes are plain hexadecimal and fit, extensions are skipped up to a bound,
 * trailers are checked like headers, bounded, and ignored. Cut the input anywhere, the outcome
 * is the same. Pure; no memory. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stdint.h>

#include "base/slice.h"
#include "http/head_scan.h"

enum {
	CHUNK_LINE_BYTES_MAX = 256,      /* size and extensions of one chunk, without CRLF */
	CHUNK_TRAILER_BYTES_MAX = 4096,  /* all trailers, with the empty line that ends them */
};

enum chunked_result {
	CHUNKED_MORE,   /* all bytes taken */
	CHUNKED_DATA,   /* *data_out is a part of the bytes given, not empty */
	CHUNKED_END,    /* the body is complete; the bytes behind it were not taken */
	CHUNKED_BROKEN, /* problem says why; stays */
};

struct chunked {
	uint8_t state;
	int64_t size;          /* of the chunk; while it is read: bytes left of it */
	unsigned line_bytes;   /* of this size line, or of the trailers */
	struct head_scan trailers;
	const char *problem_or_null; /* a sentence for the peer; static */
};

void chunked_init(struct chunked *c);
/* Takes a front part of *bytes and tells the first thing found in it. */
enum chunked_result chunked_next(struct chunked *c, struct slice *bytes, struct slice *data_out);

#endif
