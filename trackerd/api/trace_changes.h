/* Endpoints that change traces: tags, links, deletion. The same for both versions of the API. */
#ifndef API_TRACE_CHANGES_H
#define API_TRACE_CHANGES_H

#include "api/endpoint.h"

extern const struct endpoint traces_set_tag;      /* PATCH  /api/2.0|3.0/mlflow/traces/{trace_id}/tags */
extern const struct endpoint traces_delete_tag;   /* DELETE /api/2.0|3.0/mlflow/traces/{trace_id}/tags */
extern const struct endpoint traces_link_run;     /* POST   /api/2.0/mlflow/traces/link-to-run */
extern const struct endpoint traces_link_prompts; /* POST   /api/2.0/mlflow/traces/link-prompts */
/* Deletes the artifacts as well, as far as they are held here. In steps of TRACE_DELETE_STEP; what was deleted before
 * a failure stays so. */
extern const struct endpoint traces_delete;       /* POST   /api/2.0|3.0/mlflow/traces/delete-traces */

#endif
