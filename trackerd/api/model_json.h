/* Registry entities as MLflow's JSON shapes (spec/mlflow-api.md §3). Each writes one object. */
#ifndef API_MODEL_JSON_H
#define API_MODEL_JSON_H

#include "base/json_writer.h"
#include "store/model_entities.h"

void model_json_model(struct json_writer *w, const struct registered_model *model);
void model_json_version(struct json_writer *w, const struct model_version *version);
/* "model_versions": […]; nothing when the list is empty. */
void model_json_versions(struct json_writer *w, const char *name, const struct model_version_list *list);

#endif
