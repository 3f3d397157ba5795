/* Owns the rules by which deliveries are tried again. */
#include "api/webhook_retry.h"

#include "limits.h"

#define RETRY_MS ((int64_t)WEBHOOK_RETRY_HOURS * 60 * 60 * 1000)

static bool may_go_better(const struct outgoing *outgoing)
{
	if (outgoing->outcome == OUTGOING_ANSWERED)
		return outgoing->status == 429 ||
		       (outgoing->status >= 500 && outgoing->status <= 599);
	return outgoing->outcome == OUTGOING_FAILED;
}

static int64_t wait_ms(int64_t attempt, uint32_t random)
{
	int64_t longest = WEBHOOK_WAIT_FIRST_MS;
	for (int64_t i = 1; i < attempt && longest < WEBHOOK_WAIT_MAX_MS; i++)
		longest *= 2;
	if (longest > WEBHOOK_WAIT_MAX_MS)
		longest = WEBHOOK_WAIT_MAX_MS;
	return longest / 2 + (int64_t)(random % (uint32_t)(longest / 2 + 1));
}

struct webhook_verdict webhook_retry_decide(const struct outgoing *outgoing, int64_t attempt,
					    int64_t queued_ms, int64_t now_ms, uint32_t random)
{
	if (outgoing->outcome == OUTGOING_ANSWERED && outgoing->status >= 200 &&
	    outgoing->status <= 299)
		return (struct webhook_verdict){SLICE("DELIVERED"), now_ms};
	int64_t wait = wait_ms(attempt, random);
	if (wait < outgoing->retry_after_ms)
		wait = outgoing->retry_after_ms;
	if (!may_go_better(outgoing) || now_ms + wait > queued_ms + RETRY_MS)
		return (struct webhook_verdict){SLICE("FAILED"), now_ms};
	return (struct webhook_verdict){SLICE("PENDING"), now_ms + wait};
}
