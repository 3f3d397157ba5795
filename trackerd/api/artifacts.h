/* Endpoints of the artifact proxy and of artifact listings. Path rules: artifacts/artifact_path.h. */
#ifndef API_ARTIFACTS_H
#define API_ARTIFACTS_H

#include "api/endpoint.h"
#include "artifacts/artifact_tree.h"

extern const struct endpoint artifacts_put;      /* PUT    /api/2.0/mlflow-artifacts/artifacts/{path...} */
extern const struct endpoint artifacts_get;      /* GET    /api/2.0/mlflow-artifacts/artifacts/{path...} (and HEAD) */
extern const struct endpoint artifacts_delete;   /* DELETE /api/2.0/mlflow-artifacts/artifacts/{path...} */
extern const struct endpoint artifacts_list;     /* GET    /api/2.0/mlflow-artifacts/artifacts?path= */
extern const struct endpoint artifacts_list_run; /* GET    /api/2.0/mlflow/artifacts/list?run_id=&path= */
/* GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/directories?artifact_directory_path= */
extern const struct endpoint artifacts_list_logged_model;
/* GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/files?artifact_file_path= (and HEAD) */
extern const struct endpoint artifacts_get_logged_model;
extern const struct endpoint artifacts_get_run;  /* GET    /get-artifact?run_id=|run_uuid=&path= (and HEAD) */
extern const struct endpoint artifacts_get_version; /* GET /model-versions/get-artifact?name=&version=&path= */
/* Small files, from MLflow's page: POST /api/2.0/mlflow/upload-artifact?run_uuid=&path= */
extern const struct endpoint artifacts_upload_run;

/* The file at `path`. Fails with RESOURCE_DOES_NOT_EXIST when there is none, with INVALID_PARAMETER_VALUE when it
 * is a directory. Any thread. */
MUST_CHECK bool artifacts_find_file(struct db *tracker, struct slice path, struct artifact_file *out,
				    struct error *err);

#endif
