/* Owns the way of a job through the HTTP client. */
#include "jobs/sender.h"

#include <stdio.h>

#include "base/log.h"
#include "jobs/job_run.h"

void sender_init(struct sender *sender, struct jobs *jobs, const char *user_agent)
{
	*sender = (struct sender){.jobs = jobs, .user_agent = user_agent};
	(void)pthread_mutex_init(&sender->mutex, NULL); /* cannot fail with default attributes */
}

void sender_deinit(struct sender *sender)
{
	http_client_close(sender->client_or_null);
	(void)pthread_mutex_destroy(&sender->mutex);
}

static void done_on_client(void *owner, void *item)
{
	struct sender *sender = owner;
	struct job *job = item;
	jobs_forward(sender->jobs, job);
}

/* The client, or NULL with the outcome in `outgoing`. */
static struct http_client *open_client(struct sender *sender, struct outgoing *outgoing)
{
	struct error err;
	char quoted[256];
	(void)pthread_mutex_lock(&sender->mutex);
	bool is_stopped = sender->is_stopped;
	bool ok = !is_stopped &&
		  (sender->client_or_null != NULL ||
		   http_client_open(sender->user_agent, &sender->client_or_null, &err));
	struct http_client *client = ok ? sender->client_or_null : NULL;
	(void)pthread_mutex_unlock(&sender->mutex);
	if (client != NULL)
		return client;
	outgoing->outcome = is_stopped ? OUTGOING_CANCELLED : OUTGOING_FAILED;
	(void)snprintf(outgoing->error, sizeof(outgoing->error), "%.*s",
		       OUTGOING_ERROR_BYTES_MAX - 1,
		       is_stopped ? "the server is stopping" : err.message);
	if (!is_stopped)
		log_event(LOG_ERROR, "sender_failed", "message=%s",
			  log_quote(slice_from_cstr(err.message), quoted, sizeof(quoted)));
	return NULL;
}

void sender_take(struct sender *sender, struct job *job)
{
	struct outgoing *outgoing = job->outgoing_or_null;
	job_state_move(job, JOB_RUNNING);
	struct http_client *client = outgoing != NULL ? open_client(sender, outgoing) : NULL;
	if (client == NULL) {
		jobs_forward(sender->jobs, job);
		return;
	}
	outgoing->done_cb = done_on_client;
	outgoing->owner = sender;
	outgoing->item = job;
	http_client_submit(client, outgoing);
}

void sender_stop(struct sender *sender)
{
	(void)pthread_mutex_lock(&sender->mutex);
	sender->is_stopped = true;
	if (sender->client_or_null != NULL)
		http_client_stop(sender->client_or_null);
	(void)pthread_mutex_unlock(&sender->mutex);
}
