/* Endpoints of the artifact proxy and of artifact listings. Path rules: artifacts/artifact_path.h. */
#ifndef API_ARTIFACTS_H
#define API_ARTIFACTS_H

#include "api/endpoint.h"

extern const struct endpoint artifacts_put;      /* PUT    /api/2.0/mlflow-artifacts/artifacts/{path...} */
extern const struct endpoint artifacts_get;      /* GET    /api/2.0/mlflow-artifacts/artifacts/{path...} (and HEAD) */
extern const struct endpoint artifacts_delete;   /* DELETE /api/2.0/mlflow-artifacts/artifacts/{path...} */
extern const struct endpoint artifacts_list;     /* GET    /api/2.0/mlflow-artifacts/artifacts?path= */
extern const struct endpoint artifacts_list_run; /* GET    /api/2.0/mlflow/artifacts/list?run_id=&path= */
extern const struct endpoint artifacts_get_run;  /* GET    /get-artifact?run_id=|run_uuid=&path= (and HEAD) */
/* 501, so that MLflow's clients fall back to PUT and GET:
 * POST /api/2.0/mlflow-artifacts/mpu/create|complete|abort/{path...} */
extern const struct endpoint artifacts_multipart;
/* GET /api/2.0/mlflow-artifacts/presigned/{path...}, POST /api/2.0/mlflow/artifacts/presigned-upload-url */
extern const struct endpoint artifacts_presigned;

#endif
