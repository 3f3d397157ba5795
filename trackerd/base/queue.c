/* Owns the order, the bounds and the waiting of a queue between threads. */
#include "base/queue.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

static void lock(struct queue *q);
static void unlock(struct queue *q);
static void append(struct queue *q, struct queue_node *item, size_t weight_bytes);
static struct queue_node *detach(struct queue *q, size_t count_max, size_t bytes_max);
static void wait_for_item(struct queue *q, int wait_ms);

void queue_init(struct queue *q, size_t count_max, size_t bytes_max)
{
	*q = (struct queue){.count_max = count_max, .bytes_max = bytes_max};
	pthread_condattr_t attributes;
	int rc = pthread_mutex_init(&q->mutex, NULL);
	rc |= pthread_condattr_init(&attributes);
	/* Waits are durations: a change of the wall clock must not stretch them. */
	rc |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	rc |= pthread_cond_init(&q->changed, &attributes);
	rc |= pthread_condattr_destroy(&attributes);
	ASSERT(rc == 0); /* on Linux these fail for wrong arguments only */
}

void queue_deinit(struct queue *q)
{
	ASSERT(q->count == 0);
	int rc = pthread_cond_destroy(&q->changed);
	rc |= pthread_mutex_destroy(&q->mutex);
	ASSERT(rc == 0);
}

bool queue_put(struct queue *q, struct queue_node *item, size_t weight_bytes)
{
	lock(q);
	bool has_room = q->count < q->count_max &&
			(q->count == 0 ||
			 (q->bytes <= q->bytes_max && weight_bytes <= q->bytes_max - q->bytes));
	bool taken = !q->closed && has_room;
	if (taken)
		append(q, item, weight_bytes);
	unlock(q);
	return taken;
}

bool queue_put_admitted(struct queue *q, struct queue_node *item, size_t weight_bytes)
{
	lock(q);
	bool taken = !q->closed;
	if (taken)
		append(q, item, weight_bytes);
	unlock(q);
	return taken;
}

struct queue_node *queue_take(struct queue *q)
{
	return queue_take_many(q, 1, SIZE_MAX, -1);
}

struct queue_node *queue_take_many(struct queue *q, size_t count_max, size_t bytes_max, int wait_ms)
{
	ASSERT(count_max > 0);
	lock(q);
	wait_for_item(q, wait_ms);
	struct queue_node *list = detach(q, count_max, bytes_max);
	unlock(q);
	return list;
}

void queue_close(struct queue *q)
{
	lock(q);
	q->closed = true;
	(void)pthread_cond_broadcast(&q->changed); /* cannot fail */
	unlock(q);
}

bool queue_is_finished(struct queue *q)
{
	lock(q);
	bool finished = q->closed && q->count == 0;
	unlock(q);
	return finished;
}

size_t queue_count(struct queue *q)
{
	lock(q);
	size_t count = q->count;
	unlock(q);
	return count;
}

static void lock(struct queue *q)
{
	int rc = pthread_mutex_lock(&q->mutex);
	ASSERT(rc == 0);
}

static void unlock(struct queue *q)
{
	int rc = pthread_mutex_unlock(&q->mutex);
	ASSERT(rc == 0);
}

static void append(struct queue *q, struct queue_node *item, size_t weight_bytes)
{
	item->next_or_null = NULL;
	item->weight_bytes = weight_bytes;
	if (q->last_or_null == NULL)
		q->first_or_null = item;
	else
		q->last_or_null->next_or_null = item;
	q->last_or_null = item;
	q->count++;
	q->bytes += weight_bytes;
	(void)pthread_cond_signal(&q->changed); /* cannot fail */
}

/* The first item always, further ones while they keep within both bounds. */
static struct queue_node *detach(struct queue *q, size_t count_max, size_t bytes_max)
{
	struct queue_node *first = q->first_or_null;
	struct queue_node *last = NULL;
	size_t count = 0, bytes = 0;
	for (struct queue_node *item = first; item != NULL && count < count_max;
	     item = item->next_or_null) {
		if (count > 0 && (bytes > bytes_max || item->weight_bytes > bytes_max - bytes))
			break;
		last = item;
		count++;
		bytes += item->weight_bytes;
	}
	if (last == NULL)
		return NULL;
	q->first_or_null = last->next_or_null;
	if (q->first_or_null == NULL)
		q->last_or_null = NULL;
	last->next_or_null = NULL;
	q->count -= count;
	q->bytes -= bytes;
	return first;
}

static void wait_for_item(struct queue *q, int wait_ms)
{
	struct timespec until;
	if (wait_ms >= 0) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until); /* the clock exists */
		until.tv_sec += wait_ms / 1000;
		until.tv_nsec += (wait_ms % 1000) * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
	}
	while (q->count == 0 && !q->closed) {
		int rc = wait_ms < 0 ? pthread_cond_wait(&q->changed, &q->mutex)
				     : pthread_cond_timedwait(&q->changed, &q->mutex, &until);
		if (rc == ETIMEDOUT)
			return;
		ASSERT(rc == 0);
	}
}
