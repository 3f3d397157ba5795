/* The handle behind trk.h, for the files that implement it. */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <pthread.h>
#include <sys/types.h>

#include "src/sender.h"
#include "src/spool.h"
#include "trk.h"

struct trk_run {
	char run_id[RANDOM_ID_HEX_LEN + 1];
	struct fork_mark *fork_mark; /* says whether this process made the handle */
	struct spool *spool;
	struct transport *transport_or_null; /* NULL offline */
	struct sender sender;		     /* running if there is a transport */
	trk_log_fn log_or_null;
	void *log_context;
	pthread_mutex_t note_mutex; /* guards the rest, and the log callback */
	char last_error[ERROR_MESSAGE_BYTES_MAX];
	uint64_t rejected_reported; /* by the last flush */
};

/* TRK_OK if the handle can be used here: TRK_INVALID_ARGUMENT for NULL, TRK_FORKED in a child. */
enum trk_status run_check(const struct trk_run *run);
/* Keeps the sentence for trk_run_last_error and returns the status of its code. */
enum trk_status run_failed(struct trk_run *run, const struct error *err);
/* A delivery_note_fn: keeps warnings and errors, and tells the caller's log. */
void run_note(void *context, enum trk_log_level level, const char *sentence);

#endif
