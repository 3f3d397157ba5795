/* What the parser library says about one whole head: the only door to http_parser or llhttp.
 *
 * The head was checked byte by byte before (head_scan.h) and lies in one piece, so the library's
 * callbacks never cut a name or value. request_reader.c compares what it finds with its own
 * rules. The library's header defines the names of http_message.h too; hence the plain types
 * here. Pure. */
#ifndef HTTP_HTTP1_H
#define HTTP_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

struct http1_head {
	struct slice target;    /* as sent */
	unsigned version_minor; /* of HTTP/1 */
	bool keep_alive;        /* what version and Connection say */
	bool chunked;
	int64_t content_length; /* -1 without one, or with one that does not fit */
};

/* Splits `bytes`, which end with the empty line. field_cb is called for each header in order;
 * name and value are parts of `bytes`, the value without white space at both ends. False when
 * the library refuses it. */
MUST_CHECK bool http1_split(struct slice bytes, struct http1_head *out,
			    void (*field_cb)(void *ctx, struct slice name, struct slice value), void *ctx);

#endif
