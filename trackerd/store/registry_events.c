/* Owns the shapes of events of the registry. */
#include "store/registry_events.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "limits.h"
#include "search/model_fields.h"
#include "store/key_values.h"
#include "store/models.h"

/* A request's body, in which each byte may have to be escaped: "\u0001". */
enum { DATA_BYTES_MAX = 6 * BODY_BYTES_MAX + 1024 };

#define PROMPT_TEXT_TAG "mlflow.prompt.text"
#define PROMPT_TYPE_TAG "_mlflow_prompt_type"

/* Of a model and of a prompt; 0: nobody is told. */
static const enum webhook_entity entities[][2] = {
	[REGISTRY_MODEL] = {WEBHOOK_REGISTERED_MODEL, WEBHOOK_PROMPT},
	[REGISTRY_VERSION] = {WEBHOOK_MODEL_VERSION, WEBHOOK_PROMPT_VERSION},
	[REGISTRY_MODEL_TAG] = {0, WEBHOOK_PROMPT_TAG},
	[REGISTRY_VERSION_TAG] = {WEBHOOK_MODEL_VERSION_TAG, WEBHOOK_PROMPT_VERSION_TAG},
	[REGISTRY_ALIAS] = {WEBHOOK_MODEL_VERSION_ALIAS, WEBHOOK_PROMPT_ALIAS},
};

/* What is made says itself whether it is a prompt; what changes is what its model is. */
static bool find_is_prompt(struct db *db, const struct registry_event *event, bool *out,
			   struct error *err)
{
	if (event->subject != REGISTRY_MODEL && event->subject != REGISTRY_VERSION)
		return model_is_prompt(db, event->name, out, err);
	*out = model_tags_make_prompt(event->tags);
	return true;
}

/* Tags by which MLflow keeps prompts are no business of the receiver. */
static bool is_internal(const struct registry_event *event, struct slice key)
{
	return slice_eq(key, SLICE(PROMPT_TAG)) || slice_eq(key, SLICE(PROMPT_TYPE_TAG)) ||
	       (event->subject == REGISTRY_VERSION && slice_eq(key, SLICE(PROMPT_TEXT_TAG)));
}

static void put_tags(struct json_writer *w, const struct registry_event *event, bool is_prompt)
{
	json_key(w, "tags");
	json_object_begin(w);
	for (size_t i = 0; i < event->tags.count; i++) {
		const struct key_value *tag = &event->tags.items[i];
		if (is_prompt && is_internal(event, tag->key))
			continue;
		struct slice value = tag->value;
		json_key_slice(w, tag->key);
		json_string(w, slice_is_present(value) ? value : SLICE(""));
	}
	json_object_end(w);
}

static void put_text_or_null(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	if (text.len > 0)
		json_string(w, text);
	else
		json_null(w);
}

static void put_text(struct json_writer *w, const char *key, struct slice text)
{
	json_put_string(w, key, slice_is_present(text) ? text : SLICE(""));
}

static void put_version(struct json_writer *w, int64_t version)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRId64, version);
	json_put_cstr(w, "version", text);
}

static void put_created_version(struct json_writer *w, const struct registry_event *event,
				bool is_prompt)
{
	const struct key_value *text = key_values_find(event->tags, SLICE(PROMPT_TEXT_TAG));
	put_version(w, event->version);
	if (is_prompt) {
		put_text_or_null(w, "template", text != NULL ? text->value : SLICE(""));
	} else {
		put_text(w, "source", event->source);
		put_text_or_null(w, "run_id", event->run_id);
	}
	put_tags(w, event, is_prompt);
	put_text_or_null(w, "description", event->description);
}

static void write_data(struct json_writer *w, const struct registry_event *event, bool is_prompt)
{
	json_object_begin(w);
	put_text(w, "name", event->name);
	switch (event->subject) {
	case REGISTRY_MODEL:
		put_tags(w, event, is_prompt);
		put_text(w, "description", event->description);
		break;
	case REGISTRY_VERSION:
		put_created_version(w, event, is_prompt);
		break;
	case REGISTRY_MODEL_TAG:
	case REGISTRY_VERSION_TAG:
		if (event->subject == REGISTRY_VERSION_TAG)
			put_version(w, event->version);
		put_text(w, "key", event->key);
		if (event->action == WEBHOOK_SET)
			put_text(w, "value", event->value);
		break;
	case REGISTRY_ALIAS:
		put_text(w, "alias", event->alias);
		if (event->action == WEBHOOK_CREATED)
			put_version(w, event->version);
		break;
	}
	json_object_end(w);
}

static bool emit(struct db *db, const struct registry_event *event, bool is_prompt,
		 struct webhook_event *told, struct error *err)
{
	struct json_writer w;
	struct buffer data;
	buffer_init(&data, (size_t)DATA_BYTES_MAX);
	json_writer_init(&w, &data);
	write_data(&w, event, is_prompt);
	told->data = buffer_slice(&data);
	bool ok = buffer_check(&data, "The event", err) && webhook_event_emit_in_txn(db, told, err);
	buffer_deinit(&data);
	return ok;
}

bool registry_event_emit_in_txn(struct db *db, const struct registry_event *event,
				struct arena *arena, bool *emitted_out, struct error *err)
{
	struct webhook_event told = {.time_ms = event->time_ms};
	bool is_prompt = false;
	*emitted_out = false;
	if (!find_is_prompt(db, event, &is_prompt, err))
		return false;
	enum webhook_entity entity = entities[event->subject][is_prompt];
	if (entity == 0)
		return true;
	told.entity = slice_from_cstr(webhook_entity_name(entity));
	told.action = slice_from_cstr(webhook_action_name(event->action));
	if (!webhook_event_is_wanted(db, told.entity, told.action, emitted_out, err))
		return false;
	if (!*emitted_out)
		return true;
	struct registry_event unique = *event;
	unique.tags = key_values_sorted_unique(event->tags, arena);
	return emit(db, &unique, is_prompt, &told, err);
}
