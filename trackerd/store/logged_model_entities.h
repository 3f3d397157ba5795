/* Logged models as the store gives them out, in the caller's arena. */
#ifndef STORE_LOGGED_MODEL_ENTITIES_H
#define STORE_LOGGED_MODEL_ENTITIES_H

#include "store/entities.h"

struct logged_model_pk {
	int64_t value;
};

/* Numbers as on the wire. */
enum logged_model_status {
	LOGGED_MODEL_UNSPECIFIED,
	LOGGED_MODEL_PENDING,
	LOGGED_MODEL_READY,
	LOGGED_MODEL_FAILED,
};
enum { LOGGED_MODEL_STATUS_COUNT = LOGGED_MODEL_FAILED + 1 };

/* A point that was logged for a model. */
struct logged_model_metric {
	struct metric point;
	struct slice run_id;
	struct slice dataset_name, dataset_digest; /* empty when none was named */
};
struct logged_model_metric_list {
	struct logged_model_metric *items; /* by name, time, step */
	size_t count;
};

/* A version that was registered from a model. */
struct logged_model_registration {
	struct slice name;
	int64_t version;
};
struct logged_model_registration_list {
	struct logged_model_registration *items; /* by name, version */
	size_t count;
};

struct logged_model {
	struct logged_model_pk pk;
	struct slice model_id; /* "m-" and 32 hexadecimal digits */
	int64_t experiment_id;
	struct slice name, artifact_uri;
	struct slice model_type, source_run_id; /* empty when not known */
	enum logged_model_status status;
	struct slice status_message;            /* may be absent */
	int64_t creation_time_ms, last_updated_time_ms;
	bool is_deleted;
	struct key_value_list tags, params; /* sorted by key */
	struct logged_model_metric_list metrics;
	struct logged_model_registration_list registrations;
};

#endif
