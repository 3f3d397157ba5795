/* The rules for values that the field tables cannot express (mlflow-api.md §2): names, lengths,
 * ids, locations.
 *
 * All are pure, fail with INVALID_PARAMETER_VALUE, and may run on any thread. Lengths count
 * characters. */
#ifndef API_VALIDATION_H
#define API_VALIDATION_H

#include "api/fields.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "store/entities.h"

enum key_kind {
	KEY_METRIC,
	KEY_PARAM,
	KEY_TAG,
	KEY_KEPT_TAG, /* a tag whose value is refused when it is too long, instead of cut */
	KEY_FREE_TAG, /* a tag that a run is created with: MLflow takes any name there */
};

/* Fields of {"key", "value"}: a struct key_value. */
extern const struct field key_value_fields[];

/* Where a value stands in the request, for messages: "params[3].key", or "key" when list_or_null
 * is NULL. */
struct value_place {
	const char *list_or_null;
	size_t index;
};

/* First a letter or digit, then word characters and '-', at most 256. */
MUST_CHECK bool validate_run_id(struct slice run_id, struct error *err);
/* The same, at most LOGGED_MODEL_ID_LENGTH_MAX: where another tracker chose it, it becomes part of artifact paths. */
MUST_CHECK bool validate_logged_model_id(struct slice model_id, struct error *err);
/* "12" → 12; "Invalid experiment ID 'x'. Experiment ID must be a valid integer." */
MUST_CHECK bool validate_experiment_id(struct slice text, int64_t *out, struct error *err);
/* Not longer than length_max; `what` is "'name'" in "'name' exceeds the maximum length of 500
 * characters". */
MUST_CHECK bool validate_length(struct slice value, size_t length_max, const char *what,
				struct error *err);
/* The name grammar: word characters of any script, "_-./: ", at most KEY_LENGTH_MAX characters, and
 * the same text when taken as a relative path and normalised. */
MUST_CHECK bool validate_key(enum key_kind kind, struct slice key, struct value_place place,
			     struct error *err);
/* A name that is taken as a relative path must be the same once normalised, and lead nowhere else. For those that
 * validate_key is not asked about. */
MUST_CHECK bool validate_as_path(struct slice name, const char *parameter, struct error *err);
/* Values of absent texts become "", longer ones are cut to value_length_max characters or, of KEY_KEPT_TAG, refused;
 * keys are validated. Items are struct key_value. *out shares the list's memory, which is changed. */
MUST_CHECK bool validate_key_values(enum key_kind kind, const struct object_list *list,
				    const char *list_name, size_t value_length_max,
				    struct key_value_list *out, struct error *err);
/* The same for one. */
MUST_CHECK bool validate_key_value(enum key_kind kind, struct key_value *item,
				   struct value_place place, size_t value_length_max,
				   struct error *err);
/* A time a metric may have: not negative. */
MUST_CHECK bool validate_metric_timestamp(struct slice key, double value, int64_t timestamp_ms,
					  struct value_place place, struct error *err);
/* A location for an experiment's artifacts: no fragment, parameters, ".." in its query, or runs:/
 * scheme. A path without a scheme is made absolute from the working directory. *out is in the arena
 * or `location`. */
MUST_CHECK bool validate_artifact_location(struct slice location, struct arena *arena,
					   struct slice *out, struct error *err);

#endif
