/* Searches of logged models: filter, datasets, order and pages (spec/mlflow-api.md §7).
 *
 * A comparison of a metric holds if it holds for any point of it that was logged for the model; with datasets, any
 * point on one of them; with datasets and no comparison of a metric, a model must have a point on one of them. An
 * order by a metric goes by its newest point, on the dataset of that order when it names one. */
#ifndef STORE_LOGGED_MODEL_SEARCH_H
#define STORE_LOGGED_MODEL_SEARCH_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "db/sql_builder.h"
#include "store/logged_model_entities.h"

/* Names absent or empty: any. */
struct logged_model_dataset {
	struct slice name, digest;
};

struct logged_model_order {
	struct slice field; /* "name", "metrics.rmse" */
	bool is_descending;
	struct logged_model_dataset dataset; /* of a metric */
};

struct logged_model_search {
	const int64_t *experiment_ids;
	size_t experiment_count; /* 0: nothing is found */
	struct slice filter;     /* may be absent */
	const struct logged_model_dataset *datasets;
	size_t dataset_count; /* 0: all */
	const struct logged_model_order *order_by;
	size_t order_by_count; /* 0: creation_timestamp DESC, model_id */
	size_t rows_max;       /* > 0 */
	struct slice page_token;
};

struct logged_model_page {
	struct logged_model *models;
	size_t count;
	struct slice next_page_token; /* absent on the last page */
};

/* Reads one page; deleted models are never found. Fails with INVALID_PARAMETER_VALUE for a bad filter, order or token.
 * *out lives in the arena. */
MUST_CHECK bool logged_model_search(struct db *db, const struct logged_model_search *search, struct arena *arena,
				    struct logged_model_page *out, struct error *err);

/* The statement that it runs, for tests that ask the database for its plan. */
MUST_CHECK bool logged_model_search_statement(const struct logged_model_search *search, struct arena *arena,
					      struct sql_builder *b, struct error *err);

#endif
