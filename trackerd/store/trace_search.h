/* Searches of traces: filter, order and pages (mlflow-api.md §10). */
#ifndef STORE_TRACE_SEARCH_H
#define STORE_TRACE_SEARCH_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/trace_entities.h"

struct trace_search {
	const int64_t *experiment_ids;
	size_t experiment_count; /* 0: nothing is found */
	struct slice filter;     /* may be absent */
	const struct slice *order_by;
	size_t order_by_count; /* 0: timestamp_ms DESC, request_id */
	size_t rows_max;       /* 1..SEARCH_TRACES_MAX */
	struct slice page_token;
};

/* One page, in the arena; *token_out absent on the last. The default order of one experiment reads only its own rows.
 * Fails with INVALID_PARAMETER_VALUE for a bad filter, order or token. */
MUST_CHECK bool trace_search(struct db *db, const struct trace_search *search, struct arena *arena,
			     struct trace_list *out, struct slice *token_out, struct error *err);

#endif
