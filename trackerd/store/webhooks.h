/* Webhooks in SQL (spec/mlflow-api.md §13): who wants to hear of what, and where. A missing webhook is
 * RESOURCE_DOES_NOT_EXIST "Webhook with ID X not found." everywhere.
 *
 * The secret is kept as it was given, since signing needs it; it leaves the database only towards signature.h. */
#ifndef STORE_WEBHOOKS_H
#define STORE_WEBHOOKS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/webhook_events.h"

struct webhook {
	int64_t webhook_pk;
	struct slice webhook_id, name, description, url, secret; /* none is absent once stored */
	bool is_active;
	int64_t creation_time_ms, last_updated_time_ms;
	const struct webhook_event_kind **events; /* by name, none twice */
	size_t event_count;
};
struct webhook_list {
	struct webhook *items;
	size_t count;
};

/* All but webhook_pk is set. Fails with REQUEST_LIMIT_EXCEEDED when there are WEBHOOKS_MAX. */
MUST_CHECK bool webhook_insert_in_txn(struct db *db, const struct webhook *new, struct error *err);
MUST_CHECK bool webhook_load(struct db *db, struct slice webhook_id, struct arena *arena, struct webhook *out,
			     struct error *err);
/* Writes all of a webhook that was loaded, and changed. */
MUST_CHECK bool webhook_save_in_txn(struct db *db, const struct webhook *webhook, struct error *err);
/* With its deliveries, and events that were nobody else's. */
MUST_CHECK bool webhook_delete_in_txn(struct db *db, int64_t webhook_pk, struct error *err);
/* A page, newest first. `page_token` is empty or absent for the first; *next_out is absent after the last. */
MUST_CHECK bool webhooks_list(struct db *db, size_t rows_max, struct slice page_token, struct arena *arena,
			      struct webhook_list *out, struct slice *next_out, struct error *err);

#endif
