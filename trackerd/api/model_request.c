/* Owns the fields that searches of the registry share. */
#include "api/model_request.h"

const struct field model_search_fields[] = {
	FIELD_TEXT(struct model_request, filter, FIELD_OPTIONAL),
	FIELD_I64(struct model_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXTS(struct model_request, order_by, FIELD_OPTIONAL),
	FIELD_TEXT(struct model_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};
