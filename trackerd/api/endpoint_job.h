/* The bridge between an exchange and the job system for endpoints of kind READ and WRITE. */
#ifndef API_ENDPOINT_JOB_H
#define API_ENDPOINT_JOB_H

#include "api/api.h"

/* Collects the body, runs check, execute and encode on their lanes, replies, releases the exchange. */
void endpoint_job_begin_on_loop(struct api *api, struct http_exchange *x, const struct route_match *match);

#endif
