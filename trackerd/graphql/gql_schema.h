/* The shape of GraphQL replies: types as tables of fields. mlflow_schema.c has MLflow's.
 *
 * A field's name is kept once, in the snake_case of the REST reply it is taken from; GraphQL writes it in camelCase. */
#ifndef GRAPHQL_GQL_SCHEMA_H
#define GRAPHQL_GQL_SCHEMA_H

#include <stdbool.h>

#include "base/slice.h"

enum gql_field_kind {
	GQL_TEXT,   /* absent: "" */
	GQL_LONG,   /* an int64, sent as a string since JavaScript has no such number; absent: "0" */
	GQL_DOUBLE, /* absent: 0; NaN and infinities: null */
	GQL_BOOL,   /* absent: false */
	GQL_ENUM,   /* a name; absent: null */
	GQL_OBJECT, /* absent: all its fields absent */
	GQL_NOTHING, /* an object that there never is: null */
};

struct gql_type;

struct gql_field {
	const char *name; /* snake_case; NULL ends a table */
	enum gql_field_kind kind;
	bool is_list;                     /* absent: [] */
	bool is_resolved;                 /* asked of the resolver instead of taken from the parent's JSON */
	const struct gql_type *type_or_null; /* of OBJECT and NOTHING */
};

struct gql_type {
	const char *name;
	const struct gql_field *fields;
};

/* MLflow's two roots. Each of their fields takes one argument, `input`, and is resolved. */
extern const struct gql_type mlflow_query_type;
extern const struct gql_type mlflow_mutation_type;

/* The field of that camelCase name; NULL if the type has none. */
const struct gql_field *gql_type_field(const struct gql_type *type, struct slice name);
/* MlflowGetRun for mlflow_get_run: "mlflowGetRun" into `out`; at most 63 bytes. Returns `out`. */
const char *gql_field_name(const struct gql_field *field, char out[64]);

#endif
