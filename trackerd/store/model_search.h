/* Searches of registered models and of model versions: filter, order and pages (spec/mlflow-api.md §6).
 *
 * Prompts are registered models with the tag mlflow.prompt.is_prompt: they are left out unless the filter speaks of
 * that tag. */
#ifndef STORE_MODEL_SEARCH_H
#define STORE_MODEL_SEARCH_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

struct model_search {
	struct slice filter; /* may be absent */
	const struct slice *order_by;
	size_t order_by_count;
	size_t rows_max;
	struct slice page_token;
};

struct registered_model_list {
	struct registered_model *items;
	size_t count;
};

/* One page, in the arena; *token_out absent on the last. Fails with INVALID_PARAMETER_VALUE for a bad filter, order or
 * token. */
MUST_CHECK bool model_search_models(struct db *db, const struct model_search *search, struct arena *arena,
				    struct registered_model_list *out, struct slice *token_out, struct error *err);
MUST_CHECK bool model_search_versions(struct db *db, const struct model_search *search, struct arena *arena,
				      struct model_version_list *out, struct slice *token_out, struct error *err);

#endif
