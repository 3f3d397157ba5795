/* Follows a plan: asks a resolver for what the roots name, and writes of the answers what was selected. */
#ifndef GRAPHQL_GQL_EXECUTION_H
#define GRAPHQL_GQL_EXECUTION_H

#include "base/json_writer.h"
#include "graphql/gql_plan.h"

struct gql_resolver {
	void *ctx;
	/* The JSON value of a field that is_resolved. `input` is the root's argument as JSON; `parent` is absent for a
	 * root. What it gives lives in the arena. */
	bool (*resolve)(void *ctx, const struct gql_field *field, struct slice input, struct json_node parent,
			struct json_node *out, struct error *err);
};

/* Writes {"data": …, "errors": null or [texts]} to `w`. A resolver's error gives null for its field, and its message
 * in errors. */
void gql_execute(const struct gql_plan *plan, const struct gql_resolver *resolver, struct arena *arena,
		 struct json_writer *w);
/* The reply to a document that cannot be answered: data null, one error. */
void gql_refuse(const struct error *err, struct json_writer *w);

#endif
