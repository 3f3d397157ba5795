/* The inside of the library's watch of a model (trk.h): the handle, which model_watch.c keeps, and its
 * thread, which model_follow.c runs.
 *
 * The thread alone touches directory, connection and arena. It publishes under the mutex, which nobody
 * holds while anything is read, written or awaited. */
#ifndef CLIENT_MODEL_WATCH_H
#define CLIENT_MODEL_WATCH_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#include "src/alias_poll.h"
#include "src/deploy_directory.h"
#include "src/model_source.h"
#include "src/reporter.h"
#include "src/transport_fetcher.h"
#include "trk.h"

/* A version in the directory. */
struct model_copy {
	struct trk_model shown; /* its texts are those below */
	char version[ALIAS_VERSION_BYTES];
	char tree_sha256[SHA256_HEX_LEN + 1];
	char name[DEPLOY_NAME_BYTES]; /* in versions/ */
	char path[DEPLOY_PATH_BYTES];
	unsigned uses; /* under the mutex */
	struct model_copy *older_or_null;
};

struct trk_model_watch {
	struct fork_mark *fork_mark;
	char *model, *alias;
	char *target, *environment; /* target "": the daemon is told nothing */
	size_t keep;
	int64_t wait_ms; /* of one long question */
	trk_model_fn load_or_null;
	void *load_context;
	trk_log_fn log_or_null;
	void *log_context;

	/* The thread's: */
	pthread_t thread;
	struct deploy_directory directory;
	struct transport *transport;
	struct transport_fetcher over;
	struct fetcher fetcher;
	struct alias_poll poll;
	struct arena arena; /* of one step */
	jmp_buf guard;	    /* where a step without memory ends */
	unsigned silences;  /* questions without an answer, one after the other */
	bool is_due;	    /* what the alias names is to be brought, from retry_at_ms on */
	unsigned failures;  /* of that version */
	int64_t retry_at_ms;
	struct reporter reporter;
	char deployment_id[DEPLOY_ID_BYTES];
	char version_before[ALIAS_VERSION_BYTES]; /* the current one */

	atomic_bool is_stopping;
	atomic_uint_fast64_t generation; /* of the current copy */

	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t changed;
	struct model_copy *copies_or_null; /* newest first */
	struct model_copy *current_or_null; /* is one of them */
	char last_error[ERROR_MESSAGE_BYTES_MAX];
};

/* The thread: follows the alias until is_stopping. */
void *model_follow_main(void *watch);
/* Tells the log; warnings and errors become the last error. */
void model_watch_note(struct trk_model_watch *w, enum trk_log_level level, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* Takes a copy, which becomes the current one. */
void model_watch_publish(struct trk_model_watch *w, struct model_copy *copy);
/* Takes copies that nobody uses and that are beyond `keep` off the list, and frees them. */
void model_watch_forget(struct trk_model_watch *w);
/* Is a copy of this name on the list? */
bool model_watch_has(struct trk_model_watch *w, const char *name);
/* Waits so long, or until is_stopping. */
void model_watch_rest(struct trk_model_watch *w, int64_t ms);

#endif
