/* Decides which repeated log events are held back: at most LOG_REPEAT_MAX of a name in ten seconds.
 *
 * Names are literals and are kept. Not thread-safe: log.c holds its lock around it. */
#ifndef BASE_LOG_REPEAT_H
#define BASE_LOG_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_REPEAT_NAMES_MAX = 64, LOG_REPEAT_WINDOW_MS = 10000 };

struct log_repeat_name {
	const char *event_or_null;
	int64_t window_start_ms;
	unsigned count;     /* passed in this window */
	unsigned held_back; /* since the last that passed */
};

/* All zero at first. */
struct log_repeat {
	struct log_repeat_name names[LOG_REPEAT_NAMES_MAX];
};

/* May this event pass now? If so, *held_back_out is how many of its name did not since the last that
 * did. With more names than places, the name whose window is oldest is forgotten. */
bool log_repeat_admit(struct log_repeat *repeat, const char *event, int64_t monotonic_ms,
		      unsigned *held_back_out);

#endif
