/* Endpoints of deployments, under /api/trackerd/v1/deployments: targets report what runs there and that they are there,
 * everybody else looks. */
#ifndef API_DEPLOYMENTS_H
#define API_DEPLOYMENTS_H

#include "api/endpoint.h"

extern const struct endpoint deployments_search;    /* GET */
extern const struct endpoint deployments_get;	    /* GET {deployment_id} */
extern const struct endpoint deployments_report;    /* PUT {deployment_id} */
extern const struct endpoint deployments_heartbeat; /* POST {deployment_id}/heartbeat */
extern const struct endpoint deployments_history;   /* GET {deployment_id}/history */
extern const struct endpoint deployments_forget;    /* DELETE {deployment_id} */

#endif
