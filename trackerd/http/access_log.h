/* The line of the log about a request that is over. */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include "http/http_message.h"

/* With the figures of http_server_options.done_cb: warn from status 500 on, else debug. */
void access_log(const struct http_request *request, int status, int64_t received_bytes, int64_t sent_bytes,
		int64_t duration_us);

#endif
