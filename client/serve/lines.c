/* Owns the cutting of a stream into lines. */
#include "serve/lines.h"

void lines_init(struct lines *l, size_t line_bytes_max)
{
	l->line_bytes_max = line_bytes_max;
	buffer_init(&l->held, line_bytes_max);
}

void lines_deinit(struct lines *l)
{
	buffer_deinit(&l->held);
}

bool lines_take(struct lines *l, struct slice bytes, bool (*line_cb)(void *ctx, struct slice line),
		void *ctx, bool *is_too_long_out)
{
	*is_too_long_out = false;
	while (bytes.len > 0) {
		size_t end = slice_find_byte(bytes, '\n', 0);
		struct slice piece = slice_first(bytes, end), line = piece;
		*is_too_long_out = piece.len > l->line_bytes_max - l->held.len;
		if (*is_too_long_out)
			return false;
		/* Most lines come whole: those are not copied. */
		if (l->held.len > 0 || end == bytes.len) {
			buffer_append(&l->held, piece);
			line = buffer_slice(&l->held);
		}
		*is_too_long_out = l->held.failed; /* no memory is as good as too long */
		if (*is_too_long_out)
			return false;
		if (end == bytes.len)
			return true;
		if (!line_cb(ctx, line))
			return false;
		buffer_reset(&l->held);
		bytes = slice_from(bytes, end + 1);
	}
	return true;
}
