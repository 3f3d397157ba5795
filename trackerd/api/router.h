/* Finds the route of a method and path. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/endpoint.h"

struct route {
	enum http_method method;
	/* Literal segments, "{name}" for one segment, "{name...}" for the rest (may contain slashes, may be empty).
	 * A path under /api/ is also served under /ajax-api/; and all but MLflow's own page, which asks by relative
	 * paths, also under /mlflow/. */
	const char *path;
	const struct endpoint *endpoint;
};

/* THE table (routes.c). */
extern const struct route routes[];
extern const size_t routes_count;

struct route_match {
	const struct route *route;
	struct slice arguments
		[PATH_ARGUMENTS_MAX]; /* raw: still percent-encoded; live as long as the request */
	unsigned argument_count;
};

struct router;

/* Builds the index once at start. Aborts on a table that is wrong (two equal rows). */
struct router *router_new(void);
void router_free(struct router *router);
/* Fails with ENDPOINT_NOT_FOUND, or METHOD_NOT_ALLOWED for a known path. HEAD finds the GET row. Pure. */
MUST_CHECK bool router_find(const struct router *router, enum http_method method, struct slice path,
			    struct route_match *out, struct error *err);
/* The methods that a path knows, "GET, PUT", for Allow and CORS; empty when unknown. */
void router_methods(const struct router *router, struct slice path, char text[64]);

#endif
