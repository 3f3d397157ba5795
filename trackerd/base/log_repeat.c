/* Owns the counting of repeated log events. */
#include "base/log_repeat.h"

#include <stddef.h>
#include <string.h>

#include "base/log.h"

static struct log_repeat_name *find_or_replace(struct log_repeat *repeat, const char *event,
					       int64_t monotonic_ms);

bool log_repeat_admit(struct log_repeat *repeat, const char *event, int64_t monotonic_ms,
		      unsigned *held_back_out)
{
	struct log_repeat_name *name = find_or_replace(repeat, event, monotonic_ms);
	if (monotonic_ms - name->window_start_ms >= LOG_REPEAT_WINDOW_MS) {
		name->window_start_ms = monotonic_ms;
		name->count = 0;
	}
	if (name->count >= LOG_REPEAT_MAX) {
		name->held_back++;
		return false;
	}
	name->count++;
	*held_back_out = name->held_back;
	name->held_back = 0;
	return true;
}

static struct log_repeat_name *find_or_replace(struct log_repeat *repeat, const char *event,
					       int64_t monotonic_ms)
{
	struct log_repeat_name *oldest = &repeat->names[0];
	for (size_t i = 0; i < LOG_REPEAT_NAMES_MAX; i++) {
		struct log_repeat_name *name = &repeat->names[i];
		if (name->event_or_null == NULL) {
			oldest = name;
			break;
		}
		if (strcmp(name->event_or_null, event) == 0)
			return name;
		if (name->window_start_ms < oldest->window_start_ms)
			oldest = name;
	}
	*oldest = (struct log_repeat_name){.event_or_null = event, .window_start_ms = monotonic_ms};
	return oldest;
}
