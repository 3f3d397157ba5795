/* Deliveries: one event on its way to one webhook, its attempts, and the log of both.
 *
 *     emitted ──▶ PENDING ──attempt──▶ DELIVERED
 *                  │  ▲ └──────────▶ FAILED    refused, or tried for WEBHOOK_RETRY_HOURS
 *          attempt └──┘                │
 *            failed   ◀──── replay ────┘  (also from DELIVERED)
 *
 * Each webhook gets its deliveries in order: only the first that is PENDING may be sent, and those behind it wait. What
 * ended stays in the log for WEBHOOK_LOG_DAYS, at most WEBHOOK_ENDED_MAX a webhook. Functions ending in _in_txn run
 * inside the caller's transaction. */
#ifndef STORE_WEBHOOK_DELIVERIES_H
#define STORE_WEBHOOK_DELIVERIES_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

/* ---- sending ------------------------------------------------------------------------------------ */

/* The delivery that a webhook is to get next. */
struct webhook_head {
	int64_t webhook_pk, delivery_pk;
	int64_t next_attempt_ms;
};
struct webhook_head_list {
	struct webhook_head *items; /* one for each active webhook with something PENDING */
	size_t count;
};
MUST_CHECK bool webhook_deliveries_heads(struct db *db, struct arena *arena, struct webhook_head_list *out,
					 struct error *err);

/* What is sent, and where. */
struct webhook_message {
	struct slice url, secret;
	struct slice delivery_id;
	struct slice entity, action, data;
	int64_t time_ms; /* of the event */
	int64_t queued_ms;
	int64_t attempt_count; /* so far */
};
/* *found_out is false when it is not to be sent now (any more): it ended, its time has not come, or its webhook was
 * deleted or disabled. */
MUST_CHECK bool webhook_message_load(struct db *db, int64_t delivery_pk, int64_t now_ms, struct arena *arena,
				     struct webhook_message *out, bool *found_out, struct error *err);

struct webhook_attempt {
	int64_t attempt; /* 1, 2, … */
	int64_t time_ms, duration_ms;
	int64_t response_status;    /* 0: no answer */
	struct slice response_body; /* any bytes: what is not text is replaced */
	struct slice error_message;
};
/* How an attempt ended: "PENDING" with the time of the next one, "DELIVERED" or "FAILED". */
struct webhook_verdict {
	struct slice state;
	int64_t next_attempt_ms;
};
/* Writes the attempt and the state. A delivery that was deleted meanwhile is passed over. */
MUST_CHECK bool webhook_attempt_record_in_txn(struct db *db, int64_t delivery_pk,
					      const struct webhook_attempt *attempt,
					      const struct webhook_verdict *verdict, struct arena *arena,
					      struct error *err);

/* ---- the log ------------------------------------------------------------------------------------ */

struct webhook_attempt_list {
	struct webhook_attempt *items;
	size_t count;
};
struct webhook_delivery {
	int64_t delivery_pk, position;
	struct slice delivery_id, entity, action, state;
	int64_t event_time_ms, next_attempt_ms;
	struct webhook_attempt_list attempts;
};
struct webhook_delivery_list {
	struct webhook_delivery *items;
	size_t count;
};
/* A page, those queued last first; tokens as in webhooks_list. */
MUST_CHECK bool webhook_deliveries_list(struct db *db, int64_t webhook_pk, size_t rows_max, struct slice page_token,
					struct arena *arena, struct webhook_delivery_list *out,
					struct slice *next_out, struct error *err);
/* RESOURCE_DOES_NOT_EXIST when the webhook has no such delivery. */
MUST_CHECK bool webhook_delivery_load(struct db *db, int64_t webhook_pk, struct slice delivery_id,
				      struct arena *arena, struct webhook_delivery *out, struct error *err);
/* Queues it again, as the last, under the same id and with time anew; one that is PENDING is to be tried at once. */
MUST_CHECK bool webhook_delivery_replay_in_txn(struct db *db, int64_t webhook_pk, struct webhook_delivery *delivery,
					       int64_t now_ms, struct error *err);

/* ---- for webhook_events.c ----------------------------------------------------------------------- */

/* Adds to the webhook's counts. */
MUST_CHECK bool webhook_deliveries_count_in_txn(struct db *db, int64_t webhook_pk, int pending, int ended,
						struct error *err);
/* Deletes up to two deliveries that ended and that the log keeps no longer: more than come at a time. */
MUST_CHECK bool webhook_deliveries_prune_in_txn(struct db *db, int64_t webhook_pk, int64_t now_ms,
						struct error *err);

#endif
