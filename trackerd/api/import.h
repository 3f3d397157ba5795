/* Endpoints of /api/trackerd/v1/import/: what another tracker kept, with its ids, times and states (store/import.h).
 * `trk import` calls them; all can be called again. */
#ifndef API_IMPORT_H
#define API_IMPORT_H

#include "api/endpoint.h"
#include "store/import.h"

extern const struct endpoint import_experiment;	   /* POST import/experiment */
extern const struct endpoint import_run_get_state; /* GET  import/run */
extern const struct endpoint import_run;	   /* POST import/run */
extern const struct endpoint import_logged_model;  /* POST import/logged-model */
extern const struct endpoint import_model;	   /* POST import/model */
extern const struct endpoint import_model_version; /* POST import/model-version */

/* A time that the source does not have is not sent, or negative; `otherwise` then. */
int64_t import_time(struct opt_i64 time_ms, int64_t otherwise);
/* "active" or "deleted"; absent is active. */
MUST_CHECK bool import_check_lifecycle(struct slice stage, bool *is_deleted_out, struct error *err);
/* "NONE", "PARTIAL", "WHOLE" or "OTHER". Static text. */
const char *import_state_name(enum import_run_state state);

#endif
