/* Endpoints of uploads in parts (artifacts/multipart.h). A part's URL holds the upload's id, which nobody can
 * guess; its ETag is the SHA-256 of its bytes.
 *
 *     create ─▶ PUT each part to its URL ─▶ complete with all ETags
 *
 * A part may be sent again and replaces what was there. GET says which parts there are, for whoever goes on after
 * an interruption. An upload that nobody touches for --upload-expiry-ms is given up. */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include "api/endpoint.h"

extern const struct endpoint multipart_create;   /* POST /api/2.0/mlflow-artifacts/mpu/create/{path...} */
extern const struct endpoint multipart_complete; /* POST /api/2.0/mlflow-artifacts/mpu/complete/{path...} */
extern const struct endpoint multipart_abort;    /* POST /api/2.0/mlflow-artifacts/mpu/abort/{path...} */
extern const struct endpoint multipart_get;      /* GET  /api/trackerd/v1/uploads/{upload_id} */
extern const struct endpoint multipart_put_part; /* PUT  /api/trackerd/v1/uploads/{upload_id}/parts/{part_number} */

/* The path of the file that a client names by a directory, from the URL, and the file's name where the client has
 * it: only what is behind the last '/' or '\' of that counts. */
MUST_CHECK bool multipart_target_path(struct slice directory, struct slice local_file, struct arena *arena,
				      struct slice *out, struct error *err);

#endif
