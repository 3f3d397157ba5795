/* Owns the queue of finished jobs and the async handle that wakes the loop for them. */
#include "jobs/mailbox.h"

#include <stdint.h>

static void drain_on_loop(uv_async_t *async)
{
	struct mailbox *mailbox = CONTAINER_OF(async, struct mailbox, async);
	struct queue_node *item = queue_take_many(&mailbox->queue, SIZE_MAX, SIZE_MAX, 0);
	while (item != NULL) {
		struct queue_node *next = item->next_or_null;
		mailbox->deliver_cb(item, mailbox->ctx);
		item = next;
	}
}

bool mailbox_open(struct mailbox *mailbox, uv_loop_t *loop,
		  void (*deliver_cb)(struct queue_node *item, void *ctx), void *ctx,
		  struct error *err)
{
	int failed = uv_async_init(loop, &mailbox->async, drain_on_loop);
	if (failed != 0)
		return error_set(err, ERR_INTERNAL_ERROR, "no wake-up handle: %s",
				 uv_strerror(failed));
	queue_init(&mailbox->queue, SIZE_MAX, SIZE_MAX);
	mailbox->deliver_cb = deliver_cb;
	mailbox->ctx = ctx;
	mailbox->closed_cb = NULL;
	return true;
}

void mailbox_post(struct mailbox *mailbox, struct queue_node *item)
{
	bool taken = queue_put_admitted(&mailbox->queue, item, 0);
	ASSERT(taken);
	int failed = uv_async_send(&mailbox->async);
	ASSERT(failed == 0);
}

static void closed_on_loop(uv_handle_t *handle)
{
	struct mailbox *mailbox = CONTAINER_OF((uv_async_t *)handle, struct mailbox, async);
	queue_deinit(&mailbox->queue);
	mailbox->closed_cb(mailbox->ctx);
}

void mailbox_close_on_loop(struct mailbox *mailbox, void (*closed_cb)(void *ctx))
{
	mailbox->closed_cb = closed_cb;
	uv_close((uv_handle_t *)&mailbox->async, closed_on_loop);
}
