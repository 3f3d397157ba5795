/* Endpoints of the assessments of a trace. */
#ifndef API_ASSESSMENTS_H
#define API_ASSESSMENTS_H

#include "api/endpoint.h"

extern const struct endpoint assessments_create; /* POST   /api/3.0/mlflow/traces/{trace_id}/assessments */
extern const struct endpoint assessments_get;    /* GET    …/assessments/{assessment_id} */
extern const struct endpoint assessments_update; /* PATCH  …/assessments/{assessment_id} */
extern const struct endpoint assessments_delete; /* DELETE …/assessments/{assessment_id} */

#endif
