/* Lines out of bytes that come in pieces. Pure; one thread at a time. */
#ifndef SERVE_LINES_H
#define SERVE_LINES_H

#include "base/buffer.h"

struct lines {
	struct buffer held; /* the line that has begun */
	size_t line_bytes_max;
};

/* A line may have `line_bytes_max` bytes, its newline not counted. */
void lines_init(struct lines *l, size_t line_bytes_max);
void lines_deinit(struct lines *l);
/* Calls line_cb for each line that is complete, without its newline; the slice is borrowed for the call. False as
 * soon as line_cb gives false, or when a line is too long (*is_too_long_out); nothing can be taken afterwards. */
MUST_CHECK bool lines_take(struct lines *l, struct slice bytes, bool (*line_cb)(void *ctx, struct slice line),
			   void *ctx, bool *is_too_long_out);

#endif
