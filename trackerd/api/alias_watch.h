/* Who waits for an alias to move: GET /api/trackerd/v1/models/{name}/aliases/{alias} with a revision and wait_ms.
 *
 *     request ─▶ its watch reads the alias (worker) ─┬─ another revision ──▶ 200, or 404 when it is not there
 *                  ▲                                 └─ the same ─▶ parked ─ time is over ─▶ 304
 *                  └────── an event of the model was committed ──────────┘
 *
 * All who ask for one alias share a watch, and what it reads: of a thousand waiters each is a list node and its
 * connection, and a move costs one read. A request is answered by a read that began after it came, so who wrote
 * before it asked sees what it wrote, and nothing is missed between the read and the parking.
 *
 * One per daemon, within live events (live.h). Loop thread. */
#ifndef API_ALIAS_WATCH_H
#define API_ALIAS_WATCH_H

#include "api/endpoint.h"

struct alias_watches;
struct clock;
struct http_exchange;
struct uv_loop_s;

/* Keeps `api` and `clock`. Gives *out. */
MUST_CHECK bool alias_watches_new(struct api *api, struct uv_loop_s *loop, const struct clock *clock,
				  struct alias_watches **out, struct error *err);
/* Answers all who wait, that nothing changed, and takes nobody new. NULL is allowed. */
void alias_watches_stop_on_loop(struct alias_watches *watches_or_null);
/* Stopped, and nothing in flight any more. NULL is allowed. */
void alias_watches_free(struct alias_watches *watches_or_null);
/* An event of this model was committed. */
void alias_watches_wake_on_loop(struct alias_watches *watches, struct slice model);
/* How many wait or are about to be answered. */
unsigned alias_watches_count(const struct alias_watches *watches);

struct alias_request {
	struct slice model, alias;
	bool has_revision;
	int64_t revision; /* that the peer knows; 0: the alias is not there */
	int64_t wait_ms;  /* for another one; 0: answer now */
};
/* Takes the exchange. Borrows the request. */
void alias_watches_ask_on_loop(struct alias_watches *watches, struct http_exchange *x,
			       const struct alias_request *request);

#endif
