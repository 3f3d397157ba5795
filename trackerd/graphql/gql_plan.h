/* What a document asks for, once fragments, variables, directives and equal keys are resolved against the schema: a
 * tree of fields in the order of the reply. Made once, followed for each object of the answer.
 *
 * The limits are those MLflow sets, so that a small query cannot make a big answer. Introspection is not offered. */
#ifndef GRAPHQL_GQL_PLAN_H
#define GRAPHQL_GQL_PLAN_H

#include "graphql/gql_document.h"
#include "graphql/gql_schema.h"
#include "json/json_reader.h"

enum {
	GQL_SELECTION_DEPTH_MAX = 10,
	GQL_FIELDS_MAX = 1000, /* of the whole document, with each use of a fragment */
	GQL_ROOT_FIELDS_MAX = 10,
	GQL_ALIASES_MAX = 10,  /* in one selection */
};

struct gql_plan {
	struct slice response_key;
	const struct gql_field *field_or_null; /* NULL: __typename */
	const struct gql_type *parent_type;
	struct slice input;                    /* of a root: the argument `input` as JSON; "{}" without one */
	struct gql_plan *children_or_null;
	struct gql_plan *next_or_null;
};

struct gql_request {
	const struct gql_document *document;
	struct slice operation_name; /* absent or empty: the only operation */
	struct json_node variables;  /* an object, or absent */
};

/* *out lives in the arena and borrows from the document. Fails with INVALID_PARAMETER_VALUE and a sentence as
 * GraphQL libraries word it: "Cannot query field 'x' on type 'Query'." */
MUST_CHECK bool gql_plan_make(const struct gql_request *request, struct arena *arena, struct gql_plan **out,
			      struct error *err);

#endif
