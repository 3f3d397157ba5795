/* A curve as one line of block characters. */
#ifndef CLI_SPARKLINE_H
#define CLI_SPARKLINE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"

/* One character a value, lowest to highest; a space for NaN and infinities. All the same: a line
 * in the middle. */
struct slice sparkline(struct arena *arena, const double *values, size_t count);

#endif
