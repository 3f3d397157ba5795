/* Puts together what a webhook's receiver gets, in MLflow's form:
 *
 *     {"entity": "…", "action": "…", "timestamp": "2026-03-01T12:00:00.123000+00:00", "data": {…}}
 *     X-MLflow-Delivery-Id, X-MLflow-Timestamp (seconds, of the attempt) and, when the webhook has a secret,
 *     X-MLflow-Signature over "id.timestamp.body" (outgoing/signature.h) */
#ifndef API_WEBHOOK_MESSAGE_H
#define API_WEBHOOK_MESSAGE_H

#include "api/webhook_url.h"
#include "base/arena.h"
#include "outgoing/http_client.h"
#include "store/webhook_deliveries.h"

/* Fills *out, which lives in the arena or beside it, from `message`. Everything it points to is in the arena. */
void webhook_message_build(const struct webhook_message *message, const struct webhook_rules *rules, int64_t now_ms,
			   struct arena *arena, struct outgoing *out);

#endif
