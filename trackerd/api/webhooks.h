/* Endpoints of webhooks, under /api/2.0/mlflow/webhooks, and of the log of their deliveries, under
 * /api/trackerd/v1/webhooks/{webhook_id}/deliveries. */
#ifndef API_WEBHOOKS_H
#define API_WEBHOOKS_H

#include "api/endpoint.h"

extern const struct endpoint webhooks_create; /* POST */
extern const struct endpoint webhooks_search; /* GET */
extern const struct endpoint webhooks_get;    /* GET {webhook_id} */
extern const struct endpoint webhooks_update; /* PATCH {webhook_id} */
extern const struct endpoint webhooks_delete; /* DELETE {webhook_id} */
extern const struct endpoint webhooks_test;   /* POST {webhook_id}/test */

extern const struct endpoint webhook_log_list;   /* GET */
extern const struct endpoint webhook_log_replay; /* POST {delivery_id}/replay */

#endif
