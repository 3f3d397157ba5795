/* The sender: the thread that delivers a run's spool while its program runs.
 *
 * It waits for records, gives a batch 200 ms to fill, and drives the delivery; after a failure it
 * pauses 0.25 to 30 s, doubling, with jitter, or as long as the server says. It tells of changes
 * only: trouble begins, trouble ends. All signals are blocked in it. */
#ifndef CLIENT_SENDER_H
#define CLIENT_SENDER_H

#include <pthread.h>

#include "src/delivery.h"

enum {
	SENDER_LINGER_MS = 200,
	SENDER_PAUSE_MS_MIN = 250,
	SENDER_PAUSE_MS_MAX = 30 * 1000,
};

struct sender {
	pthread_t thread;
	struct delivery delivery; /* the thread's */
	bool is_troubled;	  /* the thread's: the last step failed */
};

/* Keeps spool, transport and note until sender_stop. Fails with INTERNAL_ERROR when there is no
 * thread to have. */
MUST_CHECK bool sender_start(struct sender *s, struct spool *spool, struct transport *transport,
			     const char *run_id, delivery_note_fn note, void *note_context,
			     struct error *err);
/* Breaks off the exchange at hand and waits for the thread's end; takes milliseconds. */
void sender_stop(struct sender *s);
/* The pause before attempt number `failures` + 1, jittered: within its upper half. */
int64_t sender_pause_ms(unsigned failures);

#endif
