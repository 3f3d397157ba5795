/* Owns the reading of events that the database keeps. */
#include "api/live_source.h"

#include "api/deployment_json.h"
#include "api/registry_event_json.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/deployment_changes.h"
#include "store/registry_log.h"

/* ---- the registry's history --------------------------------------------------------------------- */

static bool model_bounds(struct db *tracker, struct live_source_bounds *out, struct error *err)
{
	struct registry_head head;
	if (!registry_head_load(tracker, &head, err))
		return false;
	*out = (struct live_source_bounds){.last_seq = head.event_seq};
	return true;
}

/* What a model was called that is renamed: who follows the old name hears of it, too. */
static bool former_name(const struct registry_event_row *row, struct arena *arena,
			struct slice *out, struct error *err)
{
	struct json_node before;
	*out = (struct slice){0};
	if (!slice_eq_cstr(row->kind, registry_kind_name(REGISTRY_MODEL_RENAMED)))
		return true;
	if (!json_read(row->before, arena, &before, err))
		return false;
	*out = json_node_string(json_node_member(before, SLICE("name")));
	return true;
}

static bool model_read(struct db *tracker, int64_t after, struct arena *arena,
		       struct live_event_list *out, struct error *err)
{
	const struct registry_log_query query = {.first_seq = after + 1,
						 .last_seq = INT64_MAX,
						 .rows_max = LIVE_READ_EVENTS_MAX,
						 .bytes_max = LIVE_READ_BYTES_MAX};
	struct registry_event_list rows;
	if (!registry_log_load(tracker, &query, arena, &rows, err))
		return false;
	struct live_event *events = ARENA_NEW(arena, struct live_event, rows.count + 1);
	for (size_t i = 0; i < rows.count; i++) {
		const struct registry_event_row *row = &rows.items[i];
		struct buffer data;
		struct json_writer w;
		buffer_init_in_arena(&data, arena, REPLY_BYTES_MAX);
		json_writer_init(&w, &data);
		registry_event_json(&w, row);
		events[i] = (struct live_event){.source = LIVE_FROM_MODELS,
						.seq = row->event_seq,
						.id = row->model,
						.data = buffer_slice(&data)};
		if (!former_name(row, arena, &events[i].former_or_absent, err))
			return false;
	}
	*out = (struct live_event_list){events, rows.count};
	return true;
}

/* ---- the history of deployments ------------------------------------------------------------------- */

static bool deployment_bounds(struct db *tracker, struct live_source_bounds *out, struct error *err)
{
	int64_t first_seq, last_seq;
	if (!deployment_changes_bounds(tracker, &first_seq, &last_seq, err))
		return false;
	*out = (struct live_source_bounds){.last_seq = last_seq,
					   .gone_seq = first_seq > 0 ? first_seq - 1 : 0};
	return true;
}

static bool deployment_read(struct db *tracker, int64_t after, struct arena *arena,
			    struct live_event_list *out, struct error *err)
{
	struct deployment_change_list rows;
	if (!deployment_changes_after(tracker, after, LIVE_READ_EVENTS_MAX, arena, &rows, err))
		return false;
	struct live_event *events = ARENA_NEW(arena, struct live_event, rows.count + 1);
	for (size_t i = 0; i < rows.count; i++) {
		const struct deployment *d = &rows.items[i].deployment;
		struct buffer data;
		struct json_writer w;
		buffer_init_in_arena(&data, arena, REPLY_BYTES_MAX);
		json_writer_init(&w, &data);
		deployment_json(&w, d);
		events[i] = (struct live_event){.source = LIVE_FROM_DEPLOYMENTS,
						.seq = d->change_seq,
						.id = d->deployment_id,
						.data = buffer_slice(&data)};
	}
	*out = (struct live_event_list){events, rows.count};
	return true;
}

/* ---- either ------------------------------------------------------------------------------------------ */

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
