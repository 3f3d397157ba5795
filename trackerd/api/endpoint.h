/* An endpoint: what a route does, in straight-line functions that never see a socket, a thread or a lock.
 *
 *     check    pure: validates and completes the decoded request          worker; for small writes the committer
 *     execute  READ: on a worker with a read-only db. WRITE: on the committer, leaving all or nothing; may run
 *              again, so it touches only the db and the call's arena
 *     (SEND: call->outgoing_or_null, which execute made, is sent, and its outcome is there for encode)
 *     encode   writes the JSON reply from what execute left in call->result      worker
 *
 * Any may be NULL; without encode the reply is {}. To add one: define a struct endpoint in the file of its resource,
 * declare it in that file's header, add its row to routes.c, describe it in schema/openapi.yaml, add its transcript to
 * tests/contract/. */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "api/fields.h"
#include "api/live_notes.h"
#include "artifacts/artifact_tree.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "db/db.h"
#include "http/http_message.h"

struct api;
struct outgoing;
struct route_match;

enum endpoint_kind {
	ENDPOINT_READ,
	ENDPOINT_WRITE,
	ENDPOINT_SEND, /* a READ that asks somebody else before it replies */
	ENDPOINT_TAKE_OVER, /* take_over_on_loop gets the exchange: uploads, downloads, plain-text pages */
};

enum { PATH_ARGUMENTS_MAX = 4 };

/* One request on its way through an endpoint. */
struct call {
	struct arena *arena;
	void *request;       /* the struct that the endpoint's fields fill, zeroed before */
	void *result;        /* execute's, in the arena; NULL until then */
	int64_t now_ms;      /* wall time when the request came: the same when execute runs twice */
	struct db *blobs;    /* artifacts.db, read-only, for execute of a READ; else NULL */
	struct slice path_arguments[PATH_ARGUMENTS_MAX]; /* {…} parts of the path, decoded, in order */
	struct slice if_none_match; /* header; absent if not sent */
	struct outgoing *outgoing_or_null; /* SEND: set by execute, in the arena */
	bool wakes_webhooks; /* set by execute: the webhook service has something to do now */
	bool wakes_deployments; /* likewise: the watch over deployments has to look anew */
	const struct api *api;      /* what the daemon was started with: its constant members only */
	const struct http_request *http; /* the head of the request */
	/* Set by encode or execute, to answer otherwise than 200 application/json: */
	int status;                 /* 0 = 200 */
	const char *content_type;   /* NULL = application/json; else `text` is the body and encode is not called */
	struct slice text;
	struct slice etag;          /* with quotes; sent as ETag, and 304 when it equals if_none_match */
	/* Set by execute of a write: */
	struct blob_pk_list released; /* blobs that lost a reference; swept once the write is committed */
	struct live_notes live; /* what was changed: call_tell of live_notes.h */
	bool has_more; /* it was too long for one transaction: what it did is committed, then execute is called again */
	unsigned step; /* how many times that has happened */
};

struct endpoint {
	enum endpoint_kind kind;
	const struct field *fields_or_null; /* JSON body, or query string for GET and HEAD (and DELETE without body) */
	size_t request_bytes;               /* sizeof the request struct */
	bool shows_revision;                /* READ: the reply follows from request and tracker.db alone; revision.h */
	bool takes_raw_path; /* path_arguments are not decoded: `check` does so by rules of its own */
	size_t body_bytes_max;              /* 0 = BODY_BYTES_MAX of limits.h */
	bool (*check)(struct call *call, struct error *err);
	bool (*execute)(struct call *call, struct db *tracker, struct error *err);
	void (*encode)(const struct call *call, struct json_writer *w);
	/* ENDPOINT_TAKE_OVER: owns the exchange from here; see api/api.h for what it may use. */
	void (*take_over_on_loop)(struct api *api, struct http_exchange *x, const struct route_match *match);
	const char *summary; /* one line, equal to the summary in schema/openapi.yaml */
};

#endif
