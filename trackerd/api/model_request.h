/* What requests to the registry carry: one struct, of which each endpoint's fields fill a part. */
#ifndef API_MODEL_REQUEST_H
#define API_MODEL_REQUEST_H

#include "api/fields.h"
#include "store/model_search.h"

struct model_request {
	struct slice name, new_name, description, alias, version, stage, key, value, reason;
	struct slice source, run_id, run_link, model_id;
	struct slice filter, page_token;
	struct text_list order_by, stages;
	struct object_list tags; /* struct key_value */
	struct opt_i64 max_results;
	struct opt_bool archive_existing_versions;
	struct opt_bool force; /* of a deletion: also of what holds a protected alias */

	/* Set by check: */
	int64_t version_number;
	struct slice canonical_stage;
	struct key_value_list tag_list;
	size_t rows_max;
};

/* filter, max_results, order_by, page_token. */
extern const struct field model_search_fields[];

/* The search part of a request whose rows_max is set. */
static inline struct model_search model_request_search(const struct model_request *r)
{
	return (struct model_search){.filter = r->filter, .order_by = r->order_by.items,
				     .order_by_count = r->order_by.count, .rows_max = r->rows_max,
				     .page_token = r->page_token};
}

#endif
