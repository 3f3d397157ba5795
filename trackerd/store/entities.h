/* The things the store gives out, as plain structs in the caller's arena. Absent texts have ptr NULL. */
#ifndef STORE_ENTITIES_H
#define STORE_ENTITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Row numbers, wrapped so that the compiler tells them apart. */
struct run_pk {
	int64_t value;
};
struct name_pk {
	int64_t value;
};

/* A tag or a parameter. */
struct key_value {
	struct slice key, value;
};
struct key_value_list {
	struct key_value *items;
	size_t count;
};

struct experiment {
	int64_t experiment_id;
	struct slice name, artifact_location;
	bool is_deleted;
	int64_t creation_time_ms, last_update_time_ms;
	struct key_value_list tags;
};

/* Latest value of one metric of a run. */
struct metric {
	struct slice key;
	double value; /* may be NaN or infinite */
	int64_t timestamp_ms, step;
};
struct metric_list {
	struct metric *items;
	size_t count;
};

struct dataset_input {
	struct slice name, digest, source_type, source, schema, profile; /* last two may be absent */
	struct key_value_list tags;
};
struct dataset_input_list {
	struct dataset_input *items;
	size_t count;
};

/* A logged model that a run made. */
struct model_output {
	struct slice model_id;
	int64_t step;
};
struct model_output_list {
	struct model_output *items; /* sorted by id */
	size_t count;
};

/* Ids of logged models that a run took in, sorted. */
struct model_input_list {
	struct slice *items;
	size_t count;
};

struct run {
	struct run_pk pk;
	struct slice run_id; /* 32 hexadecimal digits */
	int64_t experiment_id;
	struct slice name, user_id, status, artifact_uri;
	int64_t start_time_ms;
	bool has_end_time;
	int64_t end_time_ms;
	bool is_deleted;
	struct metric_list metrics; /* sorted by key */
	struct key_value_list params, tags; /* sorted by key */
	struct dataset_input_list inputs;
	struct model_input_list model_inputs; /* only where run_model_inputs_load was called */
	struct model_output_list model_outputs;
};

#endif
