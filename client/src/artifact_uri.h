/* Where artifacts are: the URIs that MLflow gives, and the paths behind the artifact proxy. */
#ifndef CLIENT_ARTIFACT_URI_H
#define CLIENT_ARTIFACT_URI_H

#include "base/error.h"
#include "base/slice.h"

/* "mlflow-artifacts:/1/ab…/artifacts" as "1/ab…/artifacts", a part of `uri`. INVALID_PARAMETER_VALUE for
 * artifacts that are not behind the server. */
MUST_CHECK bool artifact_uri_path(struct slice uri, struct slice *path_out, struct error *err);

#endif
