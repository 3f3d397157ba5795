/* Endpoints of model versions, under /api/2.0/mlflow/model-versions/. */
#ifndef API_MODEL_VERSIONS_H
#define API_MODEL_VERSIONS_H

#include "api/endpoint.h"

extern const struct endpoint model_versions_create;       /* POST create */
extern const struct endpoint model_versions_get;          /* GET get */
extern const struct endpoint model_versions_search;       /* GET search */
extern const struct endpoint model_versions_update;       /* PATCH update */
extern const struct endpoint model_versions_delete;       /* DELETE delete */
extern const struct endpoint model_versions_set_tag;      /* POST set-tag */
extern const struct endpoint model_versions_delete_tag;   /* DELETE delete-tag */
extern const struct endpoint model_versions_download_uri; /* GET get-download-uri */
extern const struct endpoint model_versions_transition;   /* POST transition-stage */

#endif
