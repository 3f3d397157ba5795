/* How long work hears that it is no longer wanted. */
#ifndef CLIENT_STOP_H
#define CLIENT_STOP_H

#include <stdbool.h>

/* Asked between steps of some milliseconds, on the thread that works. */
struct stop {
	bool (*is_asked)(void *context);
	void *context;
};

static inline bool stop_is_asked(const struct stop *stop)
{
	return stop->is_asked(stop->context);
}

#endif
