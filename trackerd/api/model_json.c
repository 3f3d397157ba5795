/* Owns the JSON shapes of registered models and model versions. */
#include "api/model_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/entity_json.h"
#include "api/logged_model_json.h"

/* Version numbers are strings on the wire. */
static void put_version(struct json_writer *w, int64_t version)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRId64, version);
	json_put_cstr(w, "version", text);
}

/* What the model that was registered was made with, and how good it is. */
static void put_logged_model(struct json_writer *w, const struct logged_model *model)
{
	if (model->params.count > 0) {
		json_key(w, "model_params");
		json_array_begin(w);
		for (size_t i = 0; i < model->params.count; i++) {
			json_object_begin(w);
			json_put_string(w, "name", model->params.items[i].key);
			json_put_string(w, "value", model->params.items[i].value);
			json_object_end(w);
		}
		json_array_end(w);
	}
	logged_model_json_metrics(w, "model_metrics", model);
}

void model_json_version(struct json_writer *w, const struct model_version *v)
{
	json_object_begin(w);
	json_put_string(w, "name", v->name);
	put_version(w, v->version);
	json_put_int(w, "creation_timestamp", v->creation_time_ms);
	json_put_int(w, "last_updated_timestamp", v->last_updated_time_ms);
	if (v->user_id.len > 0)
		json_put_string(w, "user_id", v->user_id);
	json_put_string(w, "current_stage", v->stage);
	json_put_string(w, "description", v->description);
	json_put_string(w, "source", v->source);
	json_put_string(w, "run_id", v->run_id);
	json_put_string(w, "status", v->status);
	if (v->status_message.len > 0)
		json_put_string(w, "status_message", v->status_message);
	json_put_string(w, "run_link", v->run_link);
	if (v->model_id.len > 0)
		json_put_string(w, "model_id", v->model_id);
	if (v->logged_model_or_null != NULL)
		put_logged_model(w, v->logged_model_or_null);
	entity_json_key_values(w, "tags", &v->tags);
	if (v->aliases.count > 0) {
		json_key(w, "aliases");
		json_array_begin(w);
		for (size_t i = 0; i < v->aliases.count; i++)
			json_string(w, v->aliases.items[i].alias);
		json_array_end(w);
	}
	json_object_end(w);
}

void model_json_versions(struct json_writer *w, const char *name,
			 const struct model_version_list *list)
{
	if (list->count == 0)
		return;
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < list->count; i++)
		model_json_version(w, &list->items[i]);
	json_array_end(w);
}

void model_json_model(struct json_writer *w, const struct registered_model *model)
{
	json_object_begin(w);
	json_put_string(w, "name", model->name);
	json_put_int(w, "creation_timestamp", model->creation_time_ms);
	json_put_int(w, "last_updated_timestamp", model->last_updated_time_ms);
	if (model->description.len > 0)
		json_put_string(w, "description", model->description);
	model_json_versions(w, "latest_versions", &model->latest_versions);
	entity_json_key_values(w, "tags", &model->tags);
	if (model->aliases.count > 0) {
		json_key(w, "aliases");
		json_array_begin(w);
		for (size_t i = 0; i < model->aliases.count; i++) {
			json_object_begin(w);
			json_put_string(w, "alias", model->aliases.items[i].alias);
			put_version(w, model->aliases.items[i].version);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}
