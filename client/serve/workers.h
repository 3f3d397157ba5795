/* The workers of one version, so many of them at all times.
 *
 *     STARTING ── all are ready ──▶ SERVING ── close ──▶ DRAINING ── the last has ended ──▶ freed
 *        └─────────── one fails ─── failed_cb, then close ─────▲
 *
 * While it serves, a worker that ends is replaced: at once the first time, later ones after a pause that doubles up
 * to ten seconds, until a worker answers a request. Draining lets workers finish what they are at; a worker that is
 * idle ends. Loop thread. */
#ifndef SERVE_WORKERS_H
#define SERVE_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "serve/answer.h"
#include "serve/requests.h"
#include "serve/served_model.h"

struct uv_loop_s;
struct workers;

enum { WORKERS_MAX = 256 };

struct workers_options {
	const char *command;
	size_t count;
	int64_t start_timeout_ms, timeout_ms;
	size_t answer_bytes_max, line_bytes_max;
	/* All are ready for the first time. */
	void (*ready_cb)(struct workers *ws, void *ctx);
	/* One failed before that. The workers stay, for workers_close. */
	void (*failed_cb)(struct workers *ws, const struct error *why, void *ctx);
	/* A worker can be asked. */
	void (*idle_cb)(struct workers *ws, void *ctx);
	/* A request is over: answered, or its worker was lost. The request is given back. */
	void (*answered_cb)(struct workers *ws, struct request *r, const struct answer *answer, void *ctx);
	void (*lost_cb)(struct workers *ws, struct request *r, const struct error *why, void *ctx);
	/* A worker of a serving version was lost. */
	void (*restart_cb)(struct workers *ws, const struct error *why, void *ctx);
	/* The last call: all workers have ended. */
	void (*closed_cb)(struct workers *ws, void *ctx);
	void *ctx;
};

/* Starts all workers; they have TRK_MODEL, TRK_VERSION, TRK_ALIAS, TRK_RUN_ID and TRK_MODEL_PATH in their
 * environment. A file serving_input_example.json in the model is the probe. Copies `model`, borrows options for the
 * call. Gives *out, for workers_close; no callback comes before it returns. */
MUST_CHECK bool workers_open(struct uv_loop_s *loop, const struct workers_options *options,
			     const struct served_model *model, struct workers **out, struct error *err);
const struct served_model *workers_model(const struct workers *ws);
/* When all were ready for the first time; 0 before. Milliseconds since 1970. */
int64_t workers_since_ms(const struct workers *ws);
size_t workers_ready_count(const struct workers *ws);
bool workers_have_idle(const struct workers *ws);
/* Hands the request to an idle worker. Keeps it until answered_cb or lost_cb. */
void workers_ask(struct workers *ws, struct request *r);
/* Ends all workers once they are done; still calls back for what they are at, then frees itself. */
void workers_close(struct workers *ws);
/* Ends all workers now, but for idle ones, which may end in order; also when it was closed before. */
void workers_kill(struct workers *ws);
/* Ends all workers, also those that are ending in order; closed_cb is called before it returns. */
void workers_abort(struct workers *ws);

#endif
