/* Owns the queue of requests. */
#include "serve/requests.h"

#include <stdlib.h>

bool requests_are_full(const struct requests *q)
{
	return q->count >= q->count_max || q->bytes >= q->bytes_max;
}

void requests_append(struct requests *q, struct request *r)
{
	ASSERT(!requests_are_full(q) && !r->is_waiting);
	r->is_waiting = true;
	r->queue = q;
	r->next_or_null = NULL;
	r->previous_or_null = q->last_or_null;
	if (q->last_or_null != NULL)
		q->last_or_null->next_or_null = r;
	else
		q->first_or_null = r;
	q->last_or_null = r;
	q->count++;
	q->bytes += r->line.len;
}

struct request *requests_take(struct requests *q)
{
	struct request *first = q->first_or_null;
	if (first != NULL)
		requests_remove(q, first);
	return first;
}

void requests_remove(struct requests *q, struct request *r)
{
	ASSERT(r->is_waiting && q->count > 0);
	if (r->previous_or_null != NULL)
		r->previous_or_null->next_or_null = r->next_or_null;
	else
		q->first_or_null = r->next_or_null;
	if (r->next_or_null != NULL)
		r->next_or_null->previous_or_null = r->previous_or_null;
	else
		q->last_or_null = r->previous_or_null;
	r->is_waiting = false;
	q->count--;
	q->bytes -= r->line.len;
}

void request_free(struct request *r)
{
	ASSERT(!r->is_waiting);
	buffer_deinit(&r->line);
	free(r);
}
