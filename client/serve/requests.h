/* The requests that wait for a worker: first come, first served, and no more than so many, nor many more
 * bytes than a bound. Loop thread. */
#ifndef SERVE_REQUESTS_H
#define SERVE_REQUESTS_H

#include <stdint.h>

#include "base/buffer.h"

struct http_exchange;
struct requests;

/* One request for predictions, from its body to its reply. */
struct request {
	struct http_exchange *exchange_or_null; /* NULL when nobody waits for the reply any more */
	uint64_t id;				/* from 1 on */
	struct buffer line;			/* for the worker */
	int64_t since_ms;			/* of the loop's clock: when it began to wait */
	struct requests *queue;			/* where it waits, or did */
	bool is_waiting;			/* in the queue, else with a worker */
	struct request *previous_or_null, *next_or_null;
};

struct requests {
	struct request *first_or_null, *last_or_null;
	size_t count, count_max;
	size_t bytes, bytes_max; /* of their lines; the last may pass the bound */
};

bool requests_are_full(const struct requests *q);
/* At the end of the queue; it must not be full. */
void requests_append(struct requests *q, struct request *r);
/* Takes the first out; NULL if there is none. */
struct request *requests_take(struct requests *q);
/* Takes out one that waits. */
void requests_remove(struct requests *q, struct request *r);
/* Frees the request, which is in no queue. */
void request_free(struct request *r);

#endif
