/* What a follower of live events asks for: a list such as "run:4be1…,experiment:3,model:taxi,deployment:*".
 *
 * Names are percent-encoded within the list, since they may hold a comma; that is beside the encoding of the query
 * string. Pure. */
#ifndef API_LIVE_TOPIC_H
#define API_LIVE_TOPIC_H

#include "api/live_notes.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

struct live_topic {
	enum live_subject subject;
	struct slice id; /* "*": all; of an experiment its number in plain decimal */
};

struct live_topic_list {
	struct live_topic *items;
	size_t count;
};

/* Texts are in the arena. At least one topic, at most LIVE_TOPICS_MAX. */
MUST_CHECK bool live_topics_parse(struct slice text, struct arena *arena, struct live_topic_list *out,
				  struct error *err);
/* "model:taxi", appended as it is. */
void live_topic_append(struct buffer *out, const struct live_topic *topic);
/* "run", "experiment", "model", "deployment": before the colon, and the names of events. Static text. */
const char *live_subject_name(enum live_subject subject);

#endif
