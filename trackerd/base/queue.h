/* A bounded first-in-first-out queue between threads, by count and by bytes.
 *
 * Items embed a struct queue_node; the queue never allocates. Putting an item in hands over its
 * ownership: the putter must not touch it again. Any number of putters and takers. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct queue_node {
	struct queue_node *next_or_null;
	size_t weight_bytes; /* set by queue_put */
};

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct queue_node *first_or_null; /* under mutex, as all below */
	struct queue_node *last_or_null;
	size_t count;
	size_t bytes;
	size_t count_max;
	size_t bytes_max;
	bool closed;
};

void queue_init(struct queue *q, size_t count_max, size_t bytes_max);
/* The queue must be empty. */
void queue_deinit(struct queue *q);
/* False when the queue is full or closed; the item then still belongs to the caller. An item heavier
 * than bytes_max is taken when the queue is empty. Wakes one taker. Never blocks beyond the mutex. */
MUST_CHECK bool queue_put(struct queue *q, struct queue_node *item, size_t weight_bytes);
/* Like queue_put but takes the item even when full: for the later phases of a job that was already
 * admitted once. False only when closed. */
MUST_CHECK bool queue_put_admitted(struct queue *q, struct queue_node *item, size_t weight_bytes);
/* Blocks for an item; NULL once the queue is closed and empty. */
struct queue_node *queue_take(struct queue *q);
/* Blocks for at least one item, then takes up to `count_max` items and `bytes_max` bytes as a list
 * linked by next_or_null; NULL once closed and empty. `wait_ms` < 0 waits for ever; else NULL also
 * after that long without an item (check queue_is_finished). */
struct queue_node *queue_take_many(struct queue *q, size_t count_max, size_t bytes_max, int wait_ms);
/* No more puts; takers get what is left, then NULL. */
void queue_close(struct queue *q);
/* Closed and empty. */
bool queue_is_finished(struct queue *q);
size_t queue_count(struct queue *q);

#endif
