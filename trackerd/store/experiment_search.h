/* Searches of experiments: filter, order and pages (spec/mlflow-api.md §4). */
#ifndef STORE_EXPERIMENT_SEARCH_H
#define STORE_EXPERIMENT_SEARCH_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"
#include "store/run_search.h"

struct experiment_search {
	struct slice filter; /* may be absent */
	const struct slice *order_by;
	size_t order_by_count; /* 0: creation_time DESC, experiment_id */
	enum search_view view;
	size_t rows_max; /* 1..SEARCH_EXPERIMENTS_MAX */
	struct slice page_token;
};

struct experiment_search_page {
	struct experiment *experiments; /* with their tags, sorted by key */
	size_t count;
	struct slice next_page_token; /* absent on the last page */
};

/* Reads one page. Fails with INVALID_PARAMETER_VALUE for a bad filter, order or token. *out lives in the
 * arena. */
MUST_CHECK bool experiment_search(struct db *db, const struct experiment_search *search,
				  struct arena *arena, struct experiment_search_page *out,
				  struct error *err);

#endif
