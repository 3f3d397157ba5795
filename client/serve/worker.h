/* One worker: a process that answers requests, one at a time, in lines of JSON over its standard input and output
 * (inputs.h, answer.h); what it says on standard error goes to the log.
 *
 *     STARTING ── answers the probe ──▶ IDLE ⇄ BUSY
 *        └──────────── ends, hangs, or talks nonsense ────┴──▶ ENDING ──▶ freed
 *                                       IDLE ── finish ──────▶ ENDING
 *
 * It leads a process group of its own: what it started goes with it. It ends by the end of its input; one that does
 * not is killed after a while. Loop thread. */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "serve/answer.h"

struct uv_loop_s;
struct worker;

/* Of all workers of a version. Texts and callbacks are kept until the last of them is freed. */
struct worker_settings {
	const char *command; /* run by sh */
	char **environment;  /* ends with NULL */
	const char *version; /* for the log */
	struct slice probe;  /* a line, newline included, with id 0 */
	int64_t start_timeout_ms;
	int64_t timeout_ms; /* for an answer */
	size_t answer_bytes_max;
	/* It answered the probe. */
	void (*ready_cb)(struct worker *w, void *owner);
	/* It answered `request`, and is idle again. */
	void (*answered_cb)(struct worker *w, void *owner, void *request, const struct answer *answer);
	/* It is no more: died, or was killed for what `why` says (REQUEST_TIMEOUT when it was too slow), or was told to
	 * finish. `request_or_null` got no answer. The last call; the worker frees itself. */
	void (*ended_cb)(struct worker *w, void *owner, void *request_or_null, const struct error *why);
};

/* Starts one, and sends it the probe. Borrows settings and owner as they say; gives *out, until ended_cb. */
MUST_CHECK bool worker_start(struct uv_loop_s *loop, const struct worker_settings *settings, void *owner,
			     struct worker **out, struct error *err);
bool worker_is_idle(const struct worker *w);
bool worker_is_ready(const struct worker *w); /* idle or busy */
bool worker_is_finishing(const struct worker *w);
/* Hands an idle worker a request: `id`, and the line, whose content is taken. */
void worker_ask(struct worker *w, uint64_t id, struct buffer *line, void *request);
/* Lets an idle one, or one that is starting, end in order. */
void worker_finish(struct worker *w);
/* Ends it now. */
void worker_kill(struct worker *w);

#endif
