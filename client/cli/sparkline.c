/* Owns the drawing of small curves. */
#include "cli/sparkline.h"

#include <math.h>

enum { BLOCK_BYTES = 3 };

struct slice sparkline(struct arena *arena, const double *values, size_t count)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double low = (double)INFINITY, high = -(double)INFINITY;
	char *text = arena_alloc(arena, count + 1, BLOCK_BYTES), *at = text;
	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i])) {
			low = fmin(low, values[i]);
			high = fmax(high, values[i]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			*at++ = ' ';
			continue;
		}
		/* Halves, so that the range of the largest doubles stays finite. */
		double share = high > low ? (values[i] / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
		size_t level = (size_t)(share * (double)(ARRAY_COUNT(blocks) - 1) + 0.5);
		memcpy(at, blocks[level], BLOCK_BYTES);
		at += BLOCK_BYTES;
	}
	return slice_make(text, (size_t)(at - text));
}
