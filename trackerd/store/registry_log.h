/* Reading the registry's history event by event. On any connection. */
#ifndef STORE_REGISTRY_LOG_H
#define STORE_REGISTRY_LOG_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/registry_history.h"

struct registry_event_list {
	struct registry_event_row *items;
	size_t count;
};

/* Which events. Numbers include both ends. */
struct registry_log_query {
	int64_t model_seq;            /* of one model; 0: of all that were ever called `name_or_absent` */
	struct slice name_or_absent;  /* absent with model_seq 0: of all models */
	int64_t first_seq, last_seq;
	bool is_descending;
	size_t rows_max;
	size_t bytes_max;             /* of states and details: the row that reaches it is the last; 0: no limit */
};

/* In the arena; their sha256 is as it stands in the row, all zeros when that is no digest. */
MUST_CHECK bool registry_log_load(struct db *db, const struct registry_log_query *query, struct arena *arena,
				  struct registry_event_list *out, struct error *err);

#endif
