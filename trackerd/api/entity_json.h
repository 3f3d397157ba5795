/* Entities as MLflow's JSON shapes (spec/mlflow-api.md §3). Each writes one object. */
#ifndef API_ENTITY_JSON_H
#define API_ENTITY_JSON_H

#include "base/json_writer.h"
#include "store/entities.h"

void entity_json_experiment(struct json_writer *w, const struct experiment *experiment);
void entity_json_run(struct json_writer *w, const struct run *run);
void entity_json_run_info(struct json_writer *w, const struct run *run);
/* Key "metrics" etc. are the caller's; infinities are written as ±DBL_MAX (MLflow's wire), NaN as
 * "NaN". */
void entity_json_metric(struct json_writer *w, const struct metric *metric);
/* Its members alone, for an object that has more. */
void entity_json_metric_members(struct json_writer *w, const struct metric *metric);
void entity_json_metric_value(struct json_writer *w, double value);
/* A number that is a string on the wire: "experiment_id": "0". */
void entity_json_put_id(struct json_writer *w, const char *key, int64_t id);
/* Likewise; "" for 0: there is none. */
void entity_json_put_id_or_empty(struct json_writer *w, const char *key, int64_t id_or_0);
/* "tags": [{"key","value"}…] under `name`; nothing when the list is empty. */
void entity_json_key_values(struct json_writer *w, const char *name, const struct key_value_list *list);

#endif
