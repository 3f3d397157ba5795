/* Which URLs webhooks may have. Pure; any thread. */
#ifndef API_WEBHOOK_URL_H
#define API_WEBHOOK_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* The daemon's options. */
struct webhook_rules {
	const char *allowed_schemes; /* "https" or "http,https" */
	const char *ca_file_or_null; /* certificates to trust instead of the system's: PEM */
	bool allows_private_addresses;
	int64_t timeout_ms; /* for an answer */
};

/* Checks what the text of a URL says, with MLflow's sentences: its scheme, that it has a host, and that the host is
 * not an address or a name that is known to be private. Where a name leads is checked when it is connected to
 * (outgoing/http_client.h), since only then it is decided. */
MUST_CHECK bool webhook_url_check(struct slice url, const struct webhook_rules *rules, struct error *err);

#endif
