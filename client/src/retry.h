/* When what failed is tried again. */
#ifndef CLIENT_RETRY_H
#define CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
	/* A model version that could not be had: other bytes than registered, no room. */
	RETRY_FETCH_MS_MIN = 1000,
	RETRY_FETCH_MS_MAX = 5 * 60 * 1000,
	/* One that was tried and did not work: each attempt disturbs what runs. */
	RETRY_TRIED_MS_MIN = 60 * 1000,
	RETRY_TRIED_MS_MAX = 60 * 60 * 1000,
};

/* `first` doubled `failures` times, and never more than `most`, unless `first` is. */
static inline int64_t retry_delay_ms(int64_t first, unsigned failures, int64_t most)
{
	int64_t delay = first;
	if (first >= most)
		return first;
	while (failures-- > 0 && delay < most)
		delay *= 2;
	return delay < most ? delay : most;
}

/* Did the server just not answer? Then nothing is wrong with what was asked for. */
static inline bool retry_is_silence(const struct error *err)
{
	return err->code == ERR_TEMPORARILY_UNAVAILABLE || err->code == ERR_REQUEST_TIMEOUT ||
	       err->code == ERR_REQUEST_LIMIT_EXCEEDED;
}

#endif
