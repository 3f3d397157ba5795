/* Owns the thread that delivers while the program runs, and its patience. */
#include "src/sender.h"

#include <signal.h>
#include <stdio.h>

#include "base/random_id.h"

static void *sender_main(void *context);
static void tell_trouble(struct sender *s, const struct error *err);
static void tell_recovery(struct sender *s);

bool sender_start(struct sender *s, struct spool *spool, struct transport *transport,
		  const char *run_id, delivery_note_fn note, void *note_context, struct error *err)
{
	sigset_t all;
	sigset_t before;
	s->is_troubled = false;
	if (!delivery_init(&s->delivery, spool, transport, run_id, note, note_context, err))
		return false;
	/* The program's signals are for the program's threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&s->thread, NULL, sender_main, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		return true;
	delivery_deinit(&s->delivery);
	return error_set(err, ERR_INTERNAL_ERROR, "the system has no thread for the sender");
}

void sender_stop(struct sender *s)
{
	spool_stop(s->delivery.spool);
	transport_cancel(s->delivery.transport);
	(void)pthread_join(s->thread, NULL); /* the thread was made and is joined once */
	delivery_deinit(&s->delivery);
}

int64_t sender_pause_ms(unsigned failures)
{
	int64_t pause_ms = SENDER_PAUSE_MS_MIN;
	while (failures-- > 0 && pause_ms < SENDER_PAUSE_MS_MAX)
		pause_ms *= 2;
	if (pause_ms > SENDER_PAUSE_MS_MAX)
		pause_ms = SENDER_PAUSE_MS_MAX;
	return pause_ms / 2 + (int64_t)random_below((uint64_t)pause_ms / 2 + 1);
}

static void *sender_main(void *context)
{
	struct sender *s = context;
	struct delivery *d = &s->delivery;
	unsigned failures = 0;
	uint64_t seen = spool_confirmed(d->spool);
	(void)pthread_setname_np(pthread_self(), "trk-sender");
	while (spool_wait_for_records(d->spool, seen, SENDER_LINGER_MS)) {
		struct error err;
		struct spool_counts counts;
		spool_counts(d->spool, &counts);
		enum delivery_outcome outcome = delivery_step(d, &err);
		if (outcome == DELIVERY_CANCELLED)
			break;
		/* Nothing to send although not all is confirmed: a damaged spool. Only new records
		 * can change that. */
		seen = outcome == DELIVERY_EMPTY ? counts.last_sequence : spool_confirmed(d->spool);
		if (outcome == DELIVERY_PROGRESS || outcome == DELIVERY_EMPTY) {
			failures = 0;
			tell_recovery(s);
			continue;
		}
		tell_trouble(s, &err);
		spool_set_state(d->spool, outcome == DELIVERY_REFUSED ? SPOOL_REFUSED : SPOOL_AWAY);
		int64_t pause_ms = outcome == DELIVERY_REFUSED ? SENDER_PAUSE_MS_MAX
							       : sender_pause_ms(failures++);
		bool may_hurry = outcome == DELIVERY_RETRY && d->retry_after_ms < 0;
		if (d->retry_after_ms > pause_ms)
			pause_ms = d->retry_after_ms;
		if (!spool_pause(d->spool, pause_ms, may_hurry))
			break;
	}
	return NULL;
}

static void tell_trouble(struct sender *s, const struct error *err)
{
	char sentence[ERROR_MESSAGE_BYTES_MAX];
	struct spool_counts counts;
	if (s->is_troubled)
		return;
	s->is_troubled = true;
	spool_counts(s->delivery.spool, &counts);
	(void)snprintf(sentence, sizeof sentence, "%.900s (%llu records wait in the spool)",
		       err->message, (unsigned long long)counts.waiting);
	s->delivery.note(s->delivery.note_context, TRK_LOG_WARN, sentence);
}

static void tell_recovery(struct sender *s)
{
	if (!s->is_troubled)
		return;
	s->is_troubled = false;
	s->delivery.note(s->delivery.note_context, TRK_LOG_INFO, "the server answers again");
}
