/* The endpoints of logged models: making, finalizing, reading, tagging, deleting (spec/mlflow-api.md §7). */
#ifndef API_LOGGED_MODELS_H
#define API_LOGGED_MODELS_H

#include "api/endpoint.h"
#include "store/entities.h"

extern const struct endpoint logged_models_create;
extern const struct endpoint logged_models_get;
extern const struct endpoint logged_models_finalize;
extern const struct endpoint logged_models_delete;
extern const struct endpoint logged_models_set_tags;
extern const struct endpoint logged_models_delete_tag;
extern const struct endpoint logged_models_log_params;

/* Checks lengths; values of absent texts become "". Items are struct key_value. *out shares the list's memory. */
MUST_CHECK bool logged_model_pairs_check(const struct object_list *list, const char *list_name,
					 struct key_value_list *out, struct error *err);

#endif
