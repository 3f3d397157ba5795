/* Searches of runs: filter, order and pages (spec/mlflow-api.md §5.12). */
#ifndef STORE_RUN_SEARCH_H
#define STORE_RUN_SEARCH_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "db/sql_builder.h"
#include "store/entities.h"

/* MLflow's ViewType. */
enum search_view { SEARCH_VIEW_ACTIVE = 1, SEARCH_VIEW_DELETED = 2, SEARCH_VIEW_ALL = 3 };

struct run_search {
	const struct slice *experiment_ids; /* as given; those that are no number match nothing */
	size_t experiment_count;            /* 0: nothing is found */
	struct slice filter;                /* may be absent */
	const struct slice *order_by;
	size_t order_by_count; /* 0: start_time DESC, run_id */
	enum search_view view;
	size_t rows_max; /* 1..SEARCH_RUNS_MAX */
	struct slice page_token;
};

struct run_search_page {
	struct run *runs;
	size_t count;
	struct slice next_page_token; /* absent on the last page */
};

/* Reads one page. The filter, order and token are checked even where nothing can be found. A page costs
 * the same wherever it lies in the order; the default order of one experiment reads only its own rows.
 * Fails with INVALID_PARAMETER_VALUE for a bad filter, order or token. *out lives in the arena. */
MUST_CHECK bool run_search(struct db *db, const struct run_search *search, struct arena *arena,
			   struct run_search_page *out, struct error *err);

/* The statement that run_search runs for this page, for tests that ask the database for its plan. */
MUST_CHECK bool run_search_statement(const struct run_search *search, struct arena *arena,
				     struct sql_builder *b, struct error *err);

#endif
