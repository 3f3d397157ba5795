/* Owns the job that reads events from the database. */
#include "api/live_read.h"

#include "api/live_source.h"
#include "limits.h"

static bool read_phase(struct job *job, struct job_context *context, struct error *err);
static bool read_source(struct live_read *read, struct db *tracker, enum live_source source,
			struct error *err);
static bool is_wanted(const struct live_read *read, const struct live_event *event);
static void deliver_on_loop(struct job *job);

static const struct job_phase phases[] = {{LANE_WORKER, read_phase}};

void live_read_init(struct live_read *read)
{
	*read = (struct live_read){0};
	arena_init(&read->arena, JOB_ARENA_BYTES_MAX);
	read->job.arena = &read->arena;
	read->job.phases = phases;
	read->job.phase_count = ARRAY_COUNT(phases);
	read->job.weight_bytes = sizeof(*read); /* while it waits; a worker has one at a time */
	read->job.deliver_on_loop = deliver_on_loop;
}

void live_read_deinit(struct live_read *read)
{
	arena_deinit(&read->arena);
}

bool live_read_begin(struct live_read *read, struct jobs *jobs, struct error *err)
{
	arena_reset(&read->arena);
	read->events = NULL;
	read->count = 0;
	return jobs_submit(jobs, &read->job, err);
}

static void deliver_on_loop(struct job *job)
{
	struct live_read *read = CONTAINER_OF(job, struct live_read, job);
	read->done_on_loop(read);
}

static bool read_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct live_read *read = CONTAINER_OF(job, struct live_read, job);
	for (int i = LIVE_FROM_MODELS; i < LIVE_SOURCES; i++) {
		if (read->is_wanted[i] &&
		    !read_source(read, context->tracker, (enum live_source)i, err))
			return false;
	}
	return true;
}

static bool read_source(struct live_read *read, struct db *tracker, enum live_source source,
			struct error *err)
{
	struct live_source_bounds bounds;
	int64_t after = read->after[source];
	if (!live_source_bounds(tracker, source, &bounds, err))
		return false;
	read->is_lost[source] = after >= 0 && (after > bounds.last_seq || after < bounds.gone_seq);
	read->is_end[source] = after < 0 || after >= bounds.last_seq;
	read->reached[source] = bounds.last_seq;
	if (read->is_end[source])
		return true;
	struct live_event_list list;
	if (!live_source_read(tracker, source, after, &read->arena, &list, err))
		return false;
	if (list.count > 0)
		read->reached[source] = list.items[list.count - 1].seq;
	read->is_end[source] = read->reached[source] >= bounds.last_seq;
	for (size_t i = 0; i < list.count; i++) {
		if (!is_wanted(read, &list.items[i]))
			continue;
		read->events = arena_list_room(&read->arena, read->events, read->count,
					       sizeof(*read->events));
		read->events[read->count++] = list.items[i];
	}
	return true;
}

static bool is_wanted(const struct live_read *read, const struct live_event *event)
{
	enum live_subject subject = live_source_subject(event->source);
	for (size_t i = 0; i < read->follow_count; i++) {
		const struct live_topic *topic = &read->follows[i].topic;
		if (topic->subject == subject &&
		    (slice_eq(topic->id, SLICE("*")) || slice_eq(topic->id, event->id) ||
		     (slice_is_present(event->former_or_absent) &&
		      slice_eq(topic->id, event->former_or_absent))))
			return true;
	}
	return read->follow_count == 0;
}
