/* Parses GraphQL executable documents: operations and fragments (GraphQL specification, October 2021, section 2).
 *
 * What MLflow's web page sends is a small part of it, but the grammar is read whole, so that no query is misread: all
 * value kinds, aliases, directives, named and inline fragments, block strings, comments. Type definitions are refused.
 *
 * The tree lives in the arena and borrows from the text. Nesting is bounded by GQL_DEPTH_MAX, so that recursion is. */
#ifndef GRAPHQL_GQL_DOCUMENT_H
#define GRAPHQL_GQL_DOCUMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum { GQL_DEPTH_MAX = 32 };

enum gql_value_kind {
	GQL_VALUE_NULL,
	GQL_VALUE_NUMBER,
	GQL_VALUE_STRING,
	GQL_VALUE_BOOL,
	GQL_VALUE_ENUM,
	GQL_VALUE_LIST,
	GQL_VALUE_OBJECT,
	GQL_VALUE_VARIABLE,
};

/* Also an argument, or a field of an object: then `name` is its name. */
struct gql_value {
	enum gql_value_kind kind;
	struct slice name;
	struct slice text; /* STRING: escapes resolved; NUMBER, BOOL and ENUM: as written; VARIABLE: without the $ */
	struct gql_value *first_child_or_null; /* of LIST and OBJECT */
	struct gql_value *next_or_null;
};

struct gql_directive {
	struct slice name;
	struct gql_value *arguments_or_null;
	struct gql_directive *next_or_null;
};

enum gql_selection_kind {
	GQL_SELECTION_FIELD,
	GQL_SELECTION_SPREAD, /* ...name */
	GQL_SELECTION_INLINE, /* ... on Type { } */
};

struct gql_selection {
	enum gql_selection_kind kind;
	struct slice response_key; /* of a field: its alias, or its name */
	struct slice name;         /* of the field, of the fragment, or the type of an inline fragment (absent: any) */
	struct gql_value *arguments_or_null;
	struct gql_directive *directives_or_null;
	struct gql_selection *selections_or_null; /* what is in its braces */
	struct gql_selection *next_or_null;
};

struct gql_fragment {
	struct slice name, type;
	struct gql_selection *selections;
	struct gql_fragment *next_or_null;
};

struct gql_variable {
	struct slice name;
	bool is_required;                   /* the type ends with '!' */
	struct gql_value *default_or_null;
	struct gql_variable *next_or_null;
};

enum gql_operation_kind { GQL_QUERY, GQL_MUTATION };

struct gql_operation {
	enum gql_operation_kind kind;
	struct slice name; /* absent when it has none */
	struct gql_variable *variables_or_null;
	struct gql_selection *selections;
	struct gql_operation *next_or_null;
};

struct gql_document {
	struct gql_operation *operations; /* at least one */
	struct gql_fragment *fragments_or_null;
};

/* Fails with INVALID_PARAMETER_VALUE, "Syntax Error: … (line 2, column 7)". */
MUST_CHECK bool gql_parse(struct slice text, struct arena *arena, struct gql_document *out, struct error *err);

#endif
