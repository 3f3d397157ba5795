/* Owns the JSON that goes to the server. */
#include "src/request.h"

#include "base/json_writer.h"

static void put_pair(struct json_writer *w, const struct record_pair *pair);
static void put_metrics(struct json_writer *w, const struct record *records, size_t count);
static void put_pairs(struct json_writer *w, const char *key, enum record_type type,
		      const struct record *records, size_t count);

void request_create_experiment(struct buffer *out, struct slice name)
{
	struct json_writer w;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_string(&w, "name", name);
	json_object_end(&w);
}

void request_create_run(struct buffer *out, const char *run_id, const char *experiment_id,
			const struct record_start *start)
{
	struct json_writer w;
	struct slice tags = start->tags;
	struct record_pair pair;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "run_id", run_id);
	json_put_cstr(&w, "experiment_id", experiment_id);
	json_put_string(&w, "user_id", start->user_or_absent);
	json_put_string(&w, "run_name", start->run_name_or_absent);
	json_put_int(&w, "start_time", start->time_ms);
	json_key(&w, "tags");
	json_array_begin(&w);
	while (record_next_pair(&tags, &pair))
		put_pair(&w, &pair);
	json_array_end(&w);
	json_object_end(&w);
}

void request_update_run(struct buffer *out, const char *run_id, struct slice status,
			int64_t end_time_ms)
{
	struct json_writer w;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "run_id", run_id);
	json_put_string(&w, "status", status);
	if (end_time_ms >= 0)
		json_put_int(&w, "end_time", end_time_ms);
	json_object_end(&w);
}

void request_log_batch(struct buffer *out, const char *run_id, const struct record *records,
		       size_t count)
{
	struct json_writer w;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "run_id", run_id);
	put_metrics(&w, records, count);
	put_pairs(&w, "params", RECORD_PARAM, records, count);
	put_pairs(&w, "tags", RECORD_TAG, records, count);
	json_object_end(&w);
}

void request_log_tags(struct buffer *out, const char *run_id, struct slice *tags,
		      uint32_t count_max)
{
	struct json_writer w;
	struct record_pair pair;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "run_id", run_id);
	json_key(&w, "tags");
	json_array_begin(&w);
	for (uint32_t i = 0; i < count_max && record_next_pair(tags, &pair); i++)
		put_pair(&w, &pair);
	json_array_end(&w);
	json_object_end(&w);
}

void request_log_dataset(struct buffer *out, const char *run_id,
			 const struct record_dataset *dataset)
{
	struct json_writer w;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "run_id", run_id);
	json_key(&w, "datasets");
	json_array_begin(&w);
	json_object_begin(&w);
	if (slice_is_present(dataset->context_or_absent)) {
		struct record_pair context = {SLICE("mlflow.data.context"),
					      dataset->context_or_absent};
		json_key(&w, "tags");
		json_array_begin(&w);
		put_pair(&w, &context);
		json_array_end(&w);
	}
	json_key(&w, "dataset");
	json_object_begin(&w);
	json_put_string(&w, "name", dataset->name);
	json_put_string(&w, "digest", dataset->digest);
	json_put_string(&w, "source_type", dataset->source_type);
	json_put_string(&w, "source", dataset->source);
	json_object_end(&w);
	json_object_end(&w);
	json_array_end(&w);
	json_object_end(&w);
}

static void put_pair(struct json_writer *w, const struct record_pair *pair)
{
	json_object_begin(w);
	json_put_string(w, "key", pair->key);
	json_put_string(w, "value", pair->value);
	json_object_end(w);
}

static void put_metrics(struct json_writer *w, const struct record *records, size_t count)
{
	json_key(w, "metrics");
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		const struct record_metric *metric = &records[i].metric;
		if (records[i].type != RECORD_METRIC && records[i].type != RECORD_METRIC_NAMED)
			continue;
		json_object_begin(w);
		json_put_string(w, "key", metric->name);
		json_put_double(w, "value", metric->value);
		json_put_int(w, "timestamp", metric->time_ms);
		json_put_int(w, "step", metric->step);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_pairs(struct json_writer *w, const char *key, enum record_type type,
		      const struct record *records, size_t count)
{
	json_key(w, key);
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		if (records[i].type == type)
			put_pair(w, &records[i].pair);
	}
	json_array_end(w);
}
