/* Endpoints of registered models and their aliases, under /api/2.0/mlflow/registered-models/. */
#ifndef API_MODELS_H
#define API_MODELS_H

#include "api/endpoint.h"

extern const struct endpoint models_create;        /* POST create */
extern const struct endpoint models_get;           /* GET get */
extern const struct endpoint models_search;        /* GET search */
extern const struct endpoint models_rename;        /* POST rename */
extern const struct endpoint models_update;        /* PATCH update */
extern const struct endpoint models_delete;        /* DELETE delete */
extern const struct endpoint models_set_tag;       /* POST set-tag */
extern const struct endpoint models_delete_tag;    /* DELETE delete-tag */
extern const struct endpoint models_latest;        /* GET and POST get-latest-versions */
extern const struct endpoint models_set_alias;     /* POST alias */
extern const struct endpoint models_get_alias;     /* GET alias */
extern const struct endpoint models_delete_alias;  /* DELETE alias */

#endif
