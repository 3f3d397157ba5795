/* How far a follower of live events is: the id of each event, which comes back as Last-Event-ID.
 *
 *     5f3a9c01-991.57.12     ring 5f3a9c01, change 991 · event 57 of the registry · row 12 of the deployments' history
 *     5f3a9c01-991.-.-       the last two are not known: nothing of that kind is followed
 *
 * The first part is of a ring in memory, which has another name after each start of the daemon; the others are numbers
 * of rows, which stay. Pure. */
#ifndef API_LIVE_POSITION_H
#define API_LIVE_POSITION_H

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* Where events come from. */
enum live_source { LIVE_FROM_RING, LIVE_FROM_MODELS, LIVE_FROM_DEPLOYMENTS, LIVE_SOURCES };

enum { LIVE_SEQ_UNKNOWN = -1, LIVE_POSITION_TEXT_BYTES = 80 };

struct live_position {
	uint32_t ring_id;
	int64_t seq[LIVE_SOURCES]; /* of the last event; or LIVE_SEQ_UNKNOWN */
};

/* Nothing is known. */
struct live_position live_position_unknown(void);
void live_position_format(const struct live_position *position, char text[LIVE_POSITION_TEXT_BYTES]);
/* False when that is no position; *out is untouched. */
MUST_CHECK bool live_position_parse(struct slice text, struct live_position *out);

#endif
