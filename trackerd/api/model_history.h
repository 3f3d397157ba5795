/* Endpoints of what the registry remembers: the events of a model, a model as it was, brought back, and whether the
 * memory is whole. */
#ifndef API_MODEL_HISTORY_H
#define API_MODEL_HISTORY_H

#include "api/endpoint.h"

extern const struct endpoint model_history_list;    /* GET  /api/trackerd/v1/models/{name}/history */
extern const struct endpoint model_history_at;      /* GET  /api/trackerd/v1/models/{name}/at */
extern const struct endpoint model_history_restore; /* POST /api/trackerd/v1/models/{name}/restore */
extern const struct endpoint registry_verify;       /* GET  /api/trackerd/v1/registry/verify */

#endif
