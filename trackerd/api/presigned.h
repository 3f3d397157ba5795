/* Endpoints that say under which URL a file can be read or written directly: with us, the proxy's own. */
#ifndef API_PRESIGNED_H
#define API_PRESIGNED_H

#include "api/endpoint.h"

extern const struct endpoint presigned_get;      /* GET  /api/2.0/mlflow-artifacts/presigned/{path...} */
extern const struct endpoint presigned_upload;   /* POST /api/2.0/mlflow/artifacts/presigned-upload-url */
extern const struct endpoint presigned_download; /* POST /api/2.0/mlflow/artifacts/presigned-download-url */

#endif
