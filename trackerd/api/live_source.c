/* Owns the reading of events that the database keeps. */
#include "api/live_source.h"

#include "api/deployment_json.h"
#include "limits.h"
#include "store/deployment_changes.h"
#include "store/registry_history.h"

enum { EVENT_BYTES_MAX = 1024 * 1024 };

static bool model_bounds(struct db *tracker, struct live_source_bounds *out, struct error *err)
{
	struct registry_head head;
	if (!registry_head_load(tracker, &head, err))
		return false;
	*out = (struct live_source_bounds){.last_seq = head.event_seq};
	return true;
}

static bool model_read(struct db *tracker, int64_t after, struct arena *arena,
		       struct live_event_list *out, struct error *err)
{
	(void)tracker;
	(void)arena;
	(void)err;
	*out = (struct live_event_list){.reached_seq = after, .is_end = true};
	return true;
}

static bool deployment_bounds(struct db *tracker, struct live_source_bounds *out, struct error *err)
{
	*out = (struct live_source_bounds){0};
	return deployment_changes_last_seq(tracker, &out->last_seq, err);
}

static bool deployment_read(struct db *tracker, int64_t after, struct arena *arena,
			    struct live_event_list *out, struct error *err)
{
	struct deployment_change_list rows;
	if (!deployment_changes_after(tracker, after, LIVE_READ_EVENTS_MAX, arena, &rows, err))
		return false;
	struct live_event_list list = {.reached_seq = after,
				       .is_end = rows.count < LIVE_READ_EVENTS_MAX,
				       .count = rows.count,
				       .items =
					       ARENA_NEW(arena, struct live_event, rows.count + 1)};
	for (size_t i = 0; i < rows.count; i++) {
		const struct deployment *d = &rows.items[i].deployment;
		struct buffer data;
		struct json_writer w;
		buffer_init_in_arena(&data, arena, EVENT_BYTES_MAX);
		json_writer_init(&w, &data);
		deployment_json(&w, d);
		list.items[i] = (struct live_event){.source = LIVE_FROM_DEPLOYMENTS,
						    .seq = d->change_seq,
						    .id = d->deployment_id,
						    .data = buffer_slice(&data)};
		list.reached_seq = d->change_seq;
	}
	*out = list;
	return true;
}

static const struct {
	enum live_subject subject;
	bool (*bounds)(struct db *tracker, struct live_source_bounds *out, struct error *err);
	bool (*read)(struct db *tracker, int64_t after, struct arena *arena,
		     struct live_event_list *out, struct error *err);
} sources[LIVE_SOURCES] = {
	[LIVE_FROM_MODELS] = {LIVE_MODEL, model_bounds, model_read},
	[LIVE_FROM_DEPLOYMENTS] = {LIVE_DEPLOYMENT, deployment_bounds, deployment_read},
};

enum live_subject live_source_subject(enum live_source source)
{
	return sources[source].subject;
}

bool live_source_bounds(struct db *tracker, enum live_source source, struct live_source_bounds *out,
			struct error *err)
{
	return sources[source].bounds(tracker, out, err);
}

bool live_source_read(struct db *tracker, enum live_source source, int64_t after,
		      struct arena *arena, struct live_event_list *out, struct error *err)
{
	return sources[source].read(tracker, after, arena, out, err);
}
