/* The lane that sends: takes jobs with an outgoing request, and forwards them when its outcome is there.
 *
 * The client behind it, with its thread and its library, is opened with the first request. Thread-safe, but for init
 * and deinit. */
#ifndef JOBS_SENDER_H
#define JOBS_SENDER_H

#include <pthread.h>

#include "jobs/job.h"

struct jobs;

struct sender {
	struct jobs *jobs;
	const char *user_agent;
	pthread_mutex_t mutex;
	struct http_client *client_or_null; /* under mutex, as what follows */
	bool is_stopped;
};

void sender_init(struct sender *sender, struct jobs *jobs, const char *user_agent);
/* Nothing may be in flight. */
void sender_deinit(struct sender *sender);
/* Takes a queued job. It goes on to its next phase whatever becomes of the request; a client that cannot be opened is
 * an outcome too. */
void sender_take(struct sender *sender, struct job *job);
/* Cancels what is under way and what comes later. */
void sender_stop(struct sender *sender);

#endif
