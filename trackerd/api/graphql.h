/* POST /graphql: the queries that MLflow's own web page sends (mlflow-api.md §11), so that it can be served beside
 * ours.
 *
 * A root field is one of our endpoints: its `input` is decoded, checked and executed as the REST call's body would be,
 * and the selection is taken out of the REST reply. */
#ifndef API_GRAPHQL_H
#define API_GRAPHQL_H

#include "api/endpoint.h"

extern const struct endpoint graphql_post;

#endif
