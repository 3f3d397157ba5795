/* Owns how entities look in replies. */
#include "api/entity_json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void write_data(struct json_writer *w, const struct run *run);
static void write_inputs(struct json_writer *w, const struct run *run);
static void write_outputs(struct json_writer *w, const struct model_output_list *outputs);
static void write_dataset_input(struct json_writer *w, const struct dataset_input *input);
static struct slice lifecycle_stage(bool is_deleted);

void entity_json_experiment(struct json_writer *w, const struct experiment *experiment)
{
	json_object_begin(w);
	entity_json_put_id(w, "experiment_id", experiment->experiment_id);
	json_put_string(w, "name", experiment->name);
	json_put_string(w, "artifact_location", experiment->artifact_location);
	json_put_string(w, "lifecycle_stage", lifecycle_stage(experiment->is_deleted));
	json_put_int(w, "last_update_time", experiment->last_update_time_ms);
	json_put_int(w, "creation_time", experiment->creation_time_ms);
	entity_json_key_values(w, "tags", &experiment->tags);
	json_object_end(w);
}

void entity_json_run(struct json_writer *w, const struct run *run)
{
	json_object_begin(w);
	json_key(w, "info");
	entity_json_run_info(w, run);
	json_key(w, "data");
	write_data(w, run);
	json_key(w, "inputs");
	write_inputs(w, run);
	json_key(w, "outputs");
	write_outputs(w, &run->model_outputs);
	json_object_end(w);
}

void entity_json_run_info(struct json_writer *w, const struct run *run)
{
	json_object_begin(w);
	json_put_string(w, "run_id", run->run_id);
	json_put_string(w, "run_uuid", run->run_id);
	json_put_string(w, "run_name", run->name);
	entity_json_put_id(w, "experiment_id", run->experiment_id);
	json_put_string(w, "user_id", run->user_id);
	json_put_string(w, "status", run->status);
	json_put_int(w, "start_time", run->start_time_ms);
	if (run->has_end_time)
		json_put_int(w, "end_time", run->end_time_ms);
	json_put_string(w, "artifact_uri", run->artifact_uri);
	json_put_string(w, "lifecycle_stage", lifecycle_stage(run->is_deleted));
	json_object_end(w);
}

void entity_json_metric(struct json_writer *w, const struct metric *metric)
{
	json_object_begin(w);
	entity_json_metric_members(w, metric);
	json_object_end(w);
}

void entity_json_metric_members(struct json_writer *w, const struct metric *metric)
{
	json_put_string(w, "key", metric->key);
	json_key(w, "value");
	entity_json_metric_value(w, metric->value);
	json_put_int(w, "timestamp", metric->timestamp_ms);
	json_put_int(w, "step", metric->step);
}

void entity_json_metric_value(struct json_writer *w, double value)
{
	json_double(w, isinf(value) ? copysign(DBL_MAX, value) : value);
}

void entity_json_put_id(struct json_writer *w, const char *key, int64_t id)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%" PRId64, id);
	json_put_cstr(w, key, text);
}

void entity_json_put_id_or_empty(struct json_writer *w, const char *key, int64_t id_or_0)
{
	if (id_or_0 == 0)
		json_put_cstr(w, key, "");
	else
		entity_json_put_id(w, key, id_or_0);
}

void entity_json_key_values(struct json_writer *w, const char *name,
			    const struct key_value_list *list)
{
	if (list->count == 0)
		return;
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < list->count; i++) {
		json_object_begin(w);
		json_put_string(w, "key", list->items[i].key);
		json_put_string(w, "value", list->items[i].value);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_data(struct json_writer *w, const struct run *run)
{
	json_object_begin(w);
	if (run->metrics.count > 0) {
		json_key(w, "metrics");
		json_array_begin(w);
		for (size_t i = 0; i < run->metrics.count; i++)
			entity_json_metric(w, &run->metrics.items[i]);
		json_array_end(w);
	}
	entity_json_key_values(w, "params", &run->params);
	entity_json_key_values(w, "tags", &run->tags);
	json_object_end(w);
}

static void write_inputs(struct json_writer *w, const struct run *run)
{
	const struct dataset_input_list *inputs = &run->inputs;
	json_object_begin(w);
	if (inputs->count > 0) {
		json_key(w, "dataset_inputs");
		json_array_begin(w);
		for (size_t i = 0; i < inputs->count; i++)
			write_dataset_input(w, &inputs->items[i]);
		json_array_end(w);
	}
	if (run->model_inputs.count > 0) {
		json_key(w, "model_inputs");
		json_array_begin(w);
		for (size_t i = 0; i < run->model_inputs.count; i++) {
			json_object_begin(w);
			json_put_string(w, "model_id", run->model_inputs.items[i]);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

static void write_outputs(struct json_writer *w, const struct model_output_list *outputs)
{
	json_object_begin(w);
	if (outputs->count > 0) {
		json_key(w, "model_outputs");
		json_array_begin(w);
		for (size_t i = 0; i < outputs->count; i++) {
			json_object_begin(w);
			json_put_string(w, "model_id", outputs->items[i].model_id);
			json_put_int(w, "step", outputs->items[i].step);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

static void write_dataset_input(struct json_writer *w, const struct dataset_input *input)
{
	json_object_begin(w);
	entity_json_key_values(w, "tags", &input->tags);
	json_key(w, "dataset");
	json_object_begin(w);
	json_put_string(w, "name", input->name);
	json_put_string(w, "digest", input->digest);
	json_put_string(w, "source_type", input->source_type);
	json_put_string(w, "source", input->source);
	json_put_string(w, "schema", input->schema);
	json_put_string(w, "profile", input->profile);
	json_object_end(w);
	json_object_end(w);
}

static struct slice lifecycle_stage(bool is_deleted)
{
	return is_deleted ? SLICE("deleted") : SLICE("active");
}
