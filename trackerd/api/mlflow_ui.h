/* MLflow's own web page, served at /mlflow/ out of an installed `mlflow` package, unmodified, beside ours.
 *
 * The page asks for everything by relative paths, so below /mlflow/ our API answers, too (router.h): /mlflow/ajax-api/…
 * is /ajax-api/…, and so on. What it needs besides the REST API is /graphql (graphql.h). */
#ifndef API_MLFLOW_UI_H
#define API_MLFLOW_UI_H

#include "api/endpoint.h"

struct mlflow_ui;

/* Opens the folder of the page: `directory` is an installed package ("…/site-packages/mlflow"), or the page's own
 * folder, the one with index.html. Fails with a sentence that names what was looked for. Gives *out; blocks on the
 * file system, for start-up. Files are read when they are asked for. */
MUST_CHECK bool mlflow_ui_open(const char *directory, struct mlflow_ui **out, struct error *err);
/* NULL is fine. */
void mlflow_ui_close(struct mlflow_ui *ui_or_null);

extern const struct endpoint mlflow_ui_redirect; /* GET /mlflow */
extern const struct endpoint mlflow_ui_index;	 /* GET /mlflow/ */
extern const struct endpoint mlflow_ui_file;	 /* GET /mlflow/static-files/{path...} */

/* What the page asks of parts that are not here, so that it shows them as empty and switched off instead of broken. */
extern const struct endpoint mlflow_ui_gateway;	  /* GET and POST /api/2.0/mlflow/gateway-proxy */
extern const struct endpoint mlflow_ui_telemetry; /* GET and POST /api/3.0/mlflow/ui-telemetry */

#endif
