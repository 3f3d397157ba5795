/* What follows from an attempt to deliver: done, given up, or when to try again. Pure; any thread.
 *
 *     2xx                                     delivered
 *     429, 5xx, no connection, no answer      again: after 1 s, 2 s, 4 s … up to an hour, or later when Retry-After
 *                                             asks for it; given up once the next attempt would come
 *                                             WEBHOOK_RETRY_HOURS after the delivery was queued
 *     anything else                           given up: the receiver, or we, will say the same again
 *
 * Half of each wait is random, so that what failed together does not come back together. */
#ifndef API_WEBHOOK_RETRY_H
#define API_WEBHOOK_RETRY_H

#include "outgoing/http_client.h"
#include "store/webhook_deliveries.h"

enum { WEBHOOK_WAIT_FIRST_MS = 1000, WEBHOOK_WAIT_MAX_MS = 60 * 60 * 1000 };

/* After attempt number `attempt` (1, 2, …), which ended at `now_ms` and not by being cancelled. `random` is any
 * number. */
struct webhook_verdict webhook_retry_decide(const struct outgoing *outgoing, int64_t attempt, int64_t queued_ms,
					    int64_t now_ms, uint32_t random);

#endif
