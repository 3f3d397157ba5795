/* Owns the reading of lists of topics. */
#include "api/live_topic.h"

#include <inttypes.h>

#include "http/target.h"
#include "limits.h"

static bool parse_one(struct slice text, struct arena *arena, struct live_topic *out,
		      struct error *err);
static bool find_subject(struct slice name, enum live_subject *out);

static const struct {
	enum live_subject subject;
	const char *name;
} subjects[] = {
	{LIVE_RUN, "run"},
	{LIVE_EXPERIMENT, "experiment"},
	{LIVE_MODEL, "model"},
	{LIVE_DEPLOYMENT, "deployment"},
};

bool live_topics_parse(struct slice text, struct arena *arena, struct live_topic_list *out,
		       struct error *err)
{
	struct live_topic_list list = {0};
	struct slice rest = text, piece;
	while (slice_next(&rest, ',', &piece)) {
		if (list.count == LIVE_TOPICS_MAX)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "topics names more than %d topics; follow the rest with "
					 "a request of its own.",
					 LIVE_TOPICS_MAX);
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		if (!parse_one(piece, arena, &list.items[list.count], err))
			return false;
		list.count++;
	}
	*out = list;
	return true;
}

void live_topic_append(struct buffer *out, const struct live_topic *topic)
{
	buffer_append_cstr(out, live_subject_name(topic->subject));
	buffer_append_byte(out, ':');
	buffer_append(out, topic->id);
}

const char *live_subject_name(enum live_subject subject)
{
	for (size_t i = 0; i < ARRAY_COUNT(subjects); i++) {
		if (subjects[i].subject == subject)
			return subjects[i].name;
	}
	UNREACHABLE("unknown subject");
}

static bool parse_one(struct slice text, struct arena *arena, struct live_topic *out,
		      struct error *err)
{
	struct live_topic topic;
	struct slice rest = text, name, id;
	int64_t experiment_id;
	char quoted[128];
	if (!slice_next(&rest, ':', &name) || !find_subject(name, &topic.subject) || rest.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'%s' is not a topic: run:ID, experiment:ID, model:NAME and "
				 "deployment:ID are, with * for all, joined by commas.",
				 error_quote(text, quoted, sizeof(quoted)));
	if (!target_decode(rest, false, arena, &id, err))
		return false;
	topic.id = id;
	if (topic.subject == LIVE_EXPERIMENT && !slice_eq(id, SLICE("*"))) {
		if (!slice_parse_i64(id, &experiment_id))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "'%s' is not the id of an experiment, which is a number.",
					 error_quote(id, quoted, sizeof(quoted)));
		topic.id = arena_printf(arena, "%" PRId64, experiment_id);
	}
	*out = topic;
	return true;
}

static bool find_subject(struct slice name, enum live_subject *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(subjects); i++) {
		if (slice_eq_cstr(name, subjects[i].name)) {
			*out = subjects[i].subject;
			return true;
		}
	}
	return false;
}
