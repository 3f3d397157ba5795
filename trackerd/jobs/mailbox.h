/* The way back to the loop: threads post finished jobs, the loop delivers them.
 *
 * uv_async_send coalesces, so each wake-up drains everything. */
#ifndef JOBS_MAILBOX_H
#define JOBS_MAILBOX_H

#include <uv.h>

#include "base/error.h"
#include "base/queue.h"

struct mailbox {
	uv_async_t async;
	struct queue queue;
	void (*deliver_cb)(struct queue_node *item, void *ctx);
	void *ctx;
	void (*closed_cb)(void *ctx);
};

MUST_CHECK bool mailbox_open(struct mailbox *mailbox, uv_loop_t *loop,
			     void (*deliver_cb)(struct queue_node *item, void *ctx), void *ctx,
			     struct error *err);
/* Gives the item to the loop. Any thread. */
void mailbox_post(struct mailbox *mailbox, struct queue_node *item);
/* The mailbox must be empty. closed_cb runs on the loop when its memory may be reused. */
void mailbox_close_on_loop(struct mailbox *mailbox, void (*closed_cb)(void *ctx));

#endif
