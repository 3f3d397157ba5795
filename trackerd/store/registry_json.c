/* Owns the JSON of states of the registry. */
#include "store/registry_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "limits.h"

void registry_json_tags(struct json_writer *w, struct key_value_list tags)
{
	json_key(w, "tags");
	json_array_begin(w);
	for (size_t i = 0; i < tags.count; i++) {
		json_object_begin(w);
		json_put_string(w, "key", tags.items[i].key);
		json_put_string(w, "value", slice_or_empty(tags.items[i].value));
		json_object_end(w);
	}
	json_array_end(w);
}

void registry_json_number(struct json_writer *w, const char *key, int64_t number)
{
	char text[24] = "";
	if (number != 0)
		(void)snprintf(text, sizeof(text), "%" PRId64, number);
	json_put_cstr(w, key, text);
}

static void begin(struct json_writer *w, struct buffer *b, struct arena *arena)
{
	/* Tags of many requests add up: the arena is what bounds them. */
	buffer_init_in_arena(b, arena, (size_t)JOB_ARENA_BYTES_MAX);
	json_writer_init(w, b);
	json_object_begin(w);
}

static struct slice end(struct json_writer *w, struct buffer *b)
{
	json_object_end(w);
	ASSERT(!b->failed);
	return buffer_slice(b);
}

struct slice registry_json_text(struct arena *arena, const char *name, struct slice text_or_absent)
{
	struct json_writer w;
	struct buffer b;
	if (!slice_is_present(text_or_absent))
		return text_or_absent;
	begin(&w, &b, arena);
	json_put_string(&w, name, text_or_absent);
	return end(&w, &b);
}

struct slice registry_json_alias(struct arena *arena, int64_t version)
{
	if (version == 0)
		return (struct slice){0};
	return arena_printf(arena, "{\"version\":\"%" PRId64 "\"}", version);
}

struct slice registry_json_model(struct arena *arena, const struct registered_model *model)
{
	struct json_writer w;
	struct buffer b;
	begin(&w, &b, arena);
	json_put_string(&w, "name", model->name);
	json_put_string(&w, "description", model->description);
	json_put_int(&w, "creation_time_ms", model->creation_time_ms);
	registry_json_tags(&w, model->tags);
	return end(&w, &b);
}

struct slice registry_json_version(struct arena *arena, const struct model_version *v)
{
	struct json_writer w;
	struct buffer b;
	begin(&w, &b, arena);
	json_put_string(&w, "description", v->description);
	json_put_string(&w, "stage", v->stage);
	json_put_string(&w, "source", v->source);
	json_put_string(&w, "storage_location", v->storage_location);
	json_put_string(&w, "run_id", v->run_id);
	json_put_string(&w, "run_link", v->run_link);
	json_put_string(&w, "user_id", v->user_id);
	json_put_string(&w, "status", v->status);
	json_put_string(&w, "status_message", v->status_message);
	json_put_string(&w, "model_id", v->model_id);
	json_put_int(&w, "creation_time_ms", v->creation_time_ms);
	registry_json_tags(&w, v->tags);
	return end(&w, &b);
}
