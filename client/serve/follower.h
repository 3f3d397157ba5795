/* The process that follows the registry for the server: it asks where the alias points, downloads and verifies what
 * is new, and reports what is served. All of that waits for others, so none of it is done in the process that answers
 * requests; and a process, unlike a thread, gives back its memory and cannot take the server with it.
 *
 * It is a fork of the server without exec, which is sound because the server has one thread; it keeps nothing open
 * but the two pipes and standard error. It ends with the server, by SIGTERM, or at the end of
 * its input. One that ends
 * by itself is started again after a pause. Loop thread. */
#ifndef SERVE_FOLLOWER_H
#define SERVE_FOLLOWER_H

#include "base/error.h"
#include "serve/follow_message.h"

struct uv_loop_s;
struct follower;

struct follower_options {
	/* What the process does, with lines of follow_message.h; `active_name` is the version that is served already,
	 * "" for none. Its result is the exit status. */
	int (*run)(void *run_ctx, int input_fd, int output_fd, const char *active_name, const char *address);
	void *run_ctx;
	const char *address; /* where is served, as a URL */
	/* What is served; asked before each start. Borrowed for that long. */
	const char *(*active_name)(void *ctx);
	/* A message came; borrowed for the call. */
	void (*message_cb)(const struct follow_message *m, void *ctx);
	void *ctx;
};

/* Starts it. Copies options; what they point to is kept. Gives *out, for follower_stop. */
MUST_CHECK bool follower_start(struct uv_loop_s *loop, const struct follower_options *options,
			       struct follower **out, struct error *err);
/* Tells it the verdict on its offer; `reason` is "" for an accepted one. */
void follower_tell(struct follower *f, bool is_accepted, const char *reason);
/* Ends it; no call of message_cb comes any more. It frees itself. */
void follower_stop(struct follower *f);

#endif
