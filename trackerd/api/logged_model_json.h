/* Logged models as MLflow's JSON shapes (spec/mlflow-api.md §3). */
#ifndef API_LOGGED_MODEL_JSON_H
#define API_LOGGED_MODEL_JSON_H

#include "api/fields.h"
#include "base/json_writer.h"
#include "store/logged_model_entities.h"

/* Statuses as the wire calls them: names for enum logged_model_status. */
extern const struct field_enum logged_model_statuses[];

/* One object: {"info": …, "data": …}. */
void logged_model_json(struct json_writer *w, const struct logged_model *model);
/* "metrics": […] under `name`; nothing when there are none. */
void logged_model_json_metrics(struct json_writer *w, const char *name, const struct logged_model *model);

#endif
