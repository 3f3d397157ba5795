/* Owns the JSON shapes of logged models. */
#include "api/logged_model_json.h"

#include "api/entity_json.h"

/* In order of their numbers. */
const struct field_enum logged_model_statuses[] = {
	{"LOGGED_MODEL_STATUS_UNSPECIFIED", LOGGED_MODEL_UNSPECIFIED},
	{"LOGGED_MODEL_PENDING", LOGGED_MODEL_PENDING},
	{"LOGGED_MODEL_READY", LOGGED_MODEL_READY},
	{"LOGGED_MODEL_UPLOAD_FAILED", LOGGED_MODEL_FAILED},
	{NULL, 0},
};

static void write_info(struct json_writer *w, const struct logged_model *model);
static void write_registrations(struct json_writer *w,
				const struct logged_model_registration_list *list);
static void write_metric(struct json_writer *w, const struct logged_model_metric *metric,
			 struct slice model_id);

void logged_model_json(struct json_writer *w, const struct logged_model *model)
{
	json_object_begin(w);
	json_key(w, "info");
	write_info(w, model);
	json_key(w, "data");
	json_object_begin(w);
	entity_json_key_values(w, "params", &model->params);
	logged_model_json_metrics(w, "metrics", model);
	json_object_end(w);
	json_object_end(w);
}

void logged_model_json_metrics(struct json_writer *w, const char *name,
			       const struct logged_model *model)
{
	if (model->metrics.count == 0)
		return;
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < model->metrics.count; i++)
		write_metric(w, &model->metrics.items[i], model->model_id);
	json_array_end(w);
}

static void write_info(struct json_writer *w, const struct logged_model *model)
{
	json_object_begin(w);
	json_put_string(w, "model_id", model->model_id);
	entity_json_put_id(w, "experiment_id", model->experiment_id);
	json_put_string(w, "name", model->name);
	json_put_int(w, "creation_timestamp_ms", model->creation_time_ms);
	json_put_int(w, "last_updated_timestamp_ms", model->last_updated_time_ms);
	json_put_string(w, "artifact_uri", model->artifact_uri);
	json_put_cstr(w, "status", logged_model_statuses[model->status].name);
	json_put_string(w, "model_type", model->model_type);
	json_put_string(w, "source_run_id", model->source_run_id);
	json_put_string(w, "status_message", model->status_message);
	entity_json_key_values(w, "tags", &model->tags);
	write_registrations(w, &model->registrations);
	json_object_end(w);
}

static void write_registrations(struct json_writer *w,
				const struct logged_model_registration_list *list)
{
	if (list->count == 0)
		return;
	json_key(w, "registrations");
	json_array_begin(w);
	for (size_t i = 0; i < list->count; i++) {
		json_object_begin(w);
		json_put_string(w, "name", list->items[i].name);
		entity_json_put_id(w, "version", list->items[i].version);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_metric(struct json_writer *w, const struct logged_model_metric *metric,
			 struct slice model_id)
{
	json_object_begin(w);
	entity_json_metric_members(w, &metric->point);
	if (metric->dataset_name.len > 0)
		json_put_string(w, "dataset_name", metric->dataset_name);
	if (metric->dataset_digest.len > 0)
		json_put_string(w, "dataset_digest", metric->dataset_digest);
	json_put_string(w, "model_id", model_id);
	json_put_string(w, "run_id", metric->run_id);
	json_object_end(w);
}
