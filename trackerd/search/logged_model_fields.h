/* What may be asked of logged models. Statements select from logged_models AS l. */
#ifndef SEARCH_LOGGED_MODEL_FIELDS_H
#define SEARCH_LOGGED_MODEL_FIELDS_H

#include "base/arena.h"
#include "search/search_table.h"

/* The first name of the family of metrics. */
#define LOGGED_MODEL_METRICS "metrics"

extern const struct search_table logged_model_search_table;

/* A copy whose comparisons of metrics look only at rows that `narrowing` lets through (search_table.h), in the arena.
 * Keeps `narrowing`. */
const struct search_table *logged_model_search_table_narrowed(const struct sql_builder *narrowing,
							      struct arena *arena);

#endif
