/* Delivers one run's spool to its server, request by request. The sender thread and trk_sync both
 * drive it.
 *
 *     gather up to 1000 points, 100 params, 100 tags (1 MB), or one record of another kind
 *       → send → 2xx: confirm up to the last one
 *              → network error, 408, 429, 5xx: RETRY, with the same records
 *              → other 4xx: is the run itself active? no: REFUSED, nothing moves
 *                           yes: send half of the batch; so on down to the one bad record,
 *                                which is set aside
 *
 * Everything before a confirmed record is confirmed, so a crash between two steps sends some
 * records again and never skips one. One thread at a time. */
#ifndef CLIENT_DELIVERY_H
#define CLIENT_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random_id.h"
#include "src/spool.h"
#include "src/spool_reader.h"
#include "src/transport.h"
#include "trk.h"

enum {
	DELIVERY_RECORDS_MAX = 1000,
	DELIVERY_PARAMS_MAX = 100,
	DELIVERY_TAGS_MAX = 100,
	DELIVERY_BATCH_BYTES_MAX = 1000 * 1000,
	DELIVERY_ARTIFACT_ROOT_BYTES = 1024,
};

/* Hears what a person may want to know. */
typedef void (*delivery_note_fn)(void *context, enum trk_log_level level, const char *sentence);

struct delivery {
	struct spool *spool; /* kept, as is the transport */
	struct transport *transport;
	delivery_note_fn note;
	void *note_context;
	struct spool_reader reader;
	char run_id[RANDOM_ID_HEX_LEN + 1];
	char artifact_root
		[DELIVERY_ARTIFACT_ROOT_BYTES]; /* "1/<run id>/artifacts"; "" until known */

	/* The batch at hand: records[first] to records[count - 1] are not confirmed. */
	struct record *records;
	bool *is_unreadable;
	size_t first, count;
	size_t params_count, tags_count, bytes;
	size_t suspect_end; /* a refused record is known to be before this index; 0: none known */
	struct record pending; /* read ahead, did not fit */
	bool has_pending, pending_is_unreadable;

	/* Of the last exchange. */
	struct buffer body;
	struct transport_reply reply;
	int64_t retry_after_ms; /* -1: the server did not say */
	bool server_is_foreign; /* it answered, but not as a trackerd: do not try again */

	uint64_t records_delivered;
	uint64_t records_rejected;
};

enum delivery_outcome {
	DELIVERY_PROGRESS,  /* something was confirmed or learned: go on */
	DELIVERY_EMPTY,	    /* nothing to send */
	DELIVERY_RETRY,	    /* err says why, delivery->retry_after_ms when */
	DELIVERY_REFUSED,   /* the server refuses the run; err says why */
	DELIVERY_CANCELLED, /* transport_cancel */
};

MUST_CHECK bool delivery_init(struct delivery *d, struct spool *spool, struct transport *transport,
			      const char *run_id, delivery_note_fn note, void *note_context,
			      struct error *err);
void delivery_deinit(struct delivery *d);
/* One request's worth. Blocks for it. */
enum delivery_outcome delivery_step(struct delivery *d, struct error *err);

#endif
