/* Owns the log of requests. */
#include "http/access_log.h"

#include "base/log.h"

void access_log(const struct http_request *request, int status, int64_t received_bytes,
		int64_t sent_bytes, int64_t duration_us)
{
	char quoted[256];
	enum log_level level = status >= 500 ? LOG_WARN : LOG_DEBUG;
	if (!log_is_enabled(level))
		return;
	log_event(level, "request_answered",
		  "request_id=%s peer=%.*s method=%s path=%s status=%d received=%lld sent=%lld "
		  "us=%lld",
		  request->id, SLICE_FMT(request->peer), http_method_name(request->method),
		  log_quote(request->path, quoted, sizeof(quoted)), status,
		  (long long)received_bytes, (long long)sent_bytes, (long long)duration_us);
}
