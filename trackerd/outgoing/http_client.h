/* The daemon as a client: POSTs to URLs that peers gave us, on a thread of its own.
 *
 * Many requests at once, each with its own time limits and bounds on what is read; nothing here waits for a slow peer
 * but this one thread. Redirects are not followed, proxies of the environment are not used, and unless a request
 * allows private addresses, every connection is refused whose address is not public (public_address.h). The check is
 * on the address that is connected to, so a name that resolves to another address a moment later gains nothing.
 *
 *     submit ──▶ waiting ──▶ under way (≤ HTTP_CLIENT_UNDER_WAY_MAX) ──▶ done_cb, exactly once, on this thread
 *
 * An answer counts once its head is there: what follows is kept up to OUTGOING_ANSWER_BYTES_MAX for the log, and a
 * body that is endless, slow or cut changes nothing. */
#ifndef OUTGOING_HTTP_CLIENT_H
#define OUTGOING_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/queue.h"
#include "base/slice.h"

enum {
	HTTP_CLIENT_UNDER_WAY_MAX = 64,
	OUTGOING_HEADERS_MAX = 8,
	OUTGOING_ANSWER_BYTES_MAX = 4096,
	OUTGOING_ERROR_BYTES_MAX = 256,
};

enum outgoing_outcome {
	OUTGOING_ANSWERED,  /* status is set */
	OUTGOING_FAILED,    /* no connection, no answer in time, not HTTP: may go better another time */
	OUTGOING_REFUSED,   /* by us: the address is not public */
	OUTGOING_CANCELLED, /* we are stopping; whether it arrived is not known */
};

/* One request. The submitter owns it before submit and from done_cb on. */
struct outgoing {
	struct queue_node node;
	/* What to send; everything is kept until done_cb. */
	const char *url;
	const char *schemes; /* "https" or "http,https" */
	const char *ca_file_or_null; /* whom to trust: PEM; NULL: whom the system trusts */
	const char *headers[OUTGOING_HEADERS_MAX]; /* "Name: value" */
	unsigned header_count;
	struct slice body;
	int64_t connect_timeout_ms;
	int64_t timeout_ms; /* of all */
	bool allows_private_addresses;
	void (*done_cb)(void *owner, void *item);
	void *owner, *item; /* for done_cb */
	/* What became of it. */
	enum outgoing_outcome outcome;
	int status;
	int64_t duration_ms;
	int64_t retry_after_ms; /* what the peer asked for; 0: nothing */
	size_t answer_bytes;
	char answer[OUTGOING_ANSWER_BYTES_MAX]; /* the first bytes of its body */
	char error[OUTGOING_ERROR_BYTES_MAX];   /* a sentence unless ANSWERED */
};

struct http_client;

/* Loads libcurl and starts the thread. `user_agent` is kept. Gives *out. */
MUST_CHECK bool http_client_open(const char *user_agent, struct http_client **out, struct error *err);
/* Hands a request over. Never blocks. Thread-safe. */
void http_client_submit(struct http_client *client, struct outgoing *outgoing);
/* Cancels all that was or will be submitted; returns at once. Thread-safe. */
void http_client_stop(struct http_client *client);
/* Stops, joins the thread, frees. NULL is allowed. */
void http_client_close(struct http_client *client_or_null);

#endif
