/* Owns the index over the routing table. */
#include "api/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table has about a hundred rows. A hash of the literal prefix up to the first '{' would be quicker than the
 * sorted scan below only for paths with arguments; literal paths, the hot ones, are found by binary search. */
struct router {
	const struct route **literal; /* sorted by path, then method */
	size_t literal_count;
	const struct route **patterns; /* in table order */
	size_t pattern_count;
};

static int compare_routes(const void *a, const void *b)
{
	const struct route *left = *(const struct route *const *)a;
	const struct route *right = *(const struct route *const *)b;
	int order = strcmp(left->path, right->path);
	return order != 0 ? order : (int)left->method - (int)right->method;
}

struct router *router_new(void)
{
	struct router *router = calloc(1, sizeof(*router));
	ASSERT(router != NULL);
	router->literal = calloc(routes_count, sizeof(const struct route *));
	router->patterns = calloc(routes_count, sizeof(const struct route *));
	ASSERT(router->literal != NULL && router->patterns != NULL);
	for (size_t i = 0; i < routes_count; i++) {
		if (strchr(routes[i].path, '{') == NULL)
			router->literal[router->literal_count++] = &routes[i];
		else
			router->patterns[router->pattern_count++] = &routes[i];
	}
	qsort(router->literal, router->literal_count, sizeof(const struct route *), compare_routes);
	for (size_t i = 1; i < router->literal_count; i++)
		ASSERT(compare_routes(&router->literal[i - 1], &router->literal[i]) != 0);
	return router;
}

void router_free(struct router *router)
{
	free(router->literal);
	free(router->patterns);
	free(router);
}

/* What the index knows paths by: "/ajax-api/…" is "/api/…". Returns the part after the prefix and sets *is_api. */
static struct slice without_prefix(struct slice path, bool *is_api)
{
	const struct slice prefixes[] = {SLICE("/api/"), SLICE("/ajax-api/")};
	for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
		if (slice_starts_with(path, prefixes[i])) {
			*is_api = true;
			return slice_from(path, prefixes[i].len);
		}
	}
	*is_api = false;
	return path;
}

static int compare_path(struct slice path, const struct route *route)
{
	bool path_is_api, route_is_api;
	struct slice rest = without_prefix(path, &path_is_api);
	struct slice route_rest = without_prefix(slice_from_cstr(route->path), &route_is_api);
	if (path_is_api != route_is_api)
		return slice_compare(path_is_api ? SLICE("/api/") : path,
				     route_is_api ? SLICE("/api/") : slice_from_cstr(route->path));
	return slice_compare(rest, route_rest);
}

/* Does the path fit the pattern? Fills the arguments. */
static bool match_pattern(const char *pattern, struct slice path, struct route_match *match)
{
	bool path_is_api, pattern_is_api;
	struct slice rest = without_prefix(path, &path_is_api);
	struct slice expected = without_prefix(slice_from_cstr(pattern), &pattern_is_api);
	struct slice part, expected_part;
	match->argument_count = 0;
	if (path_is_api != pattern_is_api)
		return false;
	while (slice_next(&expected, '/', &expected_part)) {
		if (slice_ends_with(expected_part, SLICE("...}"))) {
			match->arguments[match->argument_count++] =
				slice_is_present(rest) ? rest : SLICE("");
			return true;
		}
		if (!slice_next(&rest, '/', &part))
			return false;
		if (slice_starts_with(expected_part, SLICE("{"))) {
			if (part.len == 0)
				return false;
			ASSERT(match->argument_count < PATH_ARGUMENTS_MAX);
			match->arguments[match->argument_count++] = part;
		} else if (!slice_eq(part, expected_part)) {
			return false;
		}
	}
	return !slice_is_present(rest);
}

/* The literal rows of the path: *count_out of them from the returned one on. */
static const struct route *const *find_literal(const struct router *router, struct slice path,
					       size_t *count_out)
{
	size_t low = 0, high = router->literal_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_path(path, router->literal[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t count = 0;
	while (low + count < router->literal_count &&
	       compare_path(path, router->literal[low + count]) == 0)
		count++;
	*count_out = count;
	return (const struct route *const *)&router->literal[low];
}

/* Without /mlflow where what follows is ours to answer, not MLflow's page (mlflow_ui.h) or a file of it. */
static struct slice without_page(struct slice path)
{
	const struct slice prefix = SLICE("/mlflow/");
	struct slice rest = slice_from(path, prefix.len - 1);
	if (!slice_starts_with(path, prefix) || rest.len == 1 ||
	    slice_starts_with(rest, SLICE("/static-files/")))
		return path;
	return rest;
}

/* Calls each row whose path fits; stops when visit returns true. */
static bool for_each_fit(const struct router *router, struct slice path,
			 bool (*visit)(const struct route_match *match, void *ctx), void *ctx)
{
	struct route_match match = {0};
	size_t count;
	path = without_page(path);
	const struct route *const *literal = find_literal(router, path, &count);
	for (size_t i = 0; i < count; i++) {
		match.route = literal[i];
		if (visit(&match, ctx))
			return true;
	}
	for (size_t i = 0; i < router->pattern_count; i++) {
		match.route = router->patterns[i];
		if (match_pattern(router->patterns[i]->path, path, &match) && visit(&match, ctx))
			return true;
	}
	return false;
}

/* The page takes any path, but makes none known. */
static bool is_page(const struct route *route)
{
	return strcmp(route->path, "/{path...}") == 0;
}

struct find {
	enum http_method method;
	struct route_match *out;
};

static bool visit_find(const struct route_match *match, void *ctx)
{
	struct find *find = ctx;
	if (match->route->method != find->method)
		return false;
	*find->out = *match;
	return true;
}

static bool visit_list(const struct route_match *match, void *ctx)
{
	char *text = ctx;
	const char *name = http_method_name(match->route->method);
	if (is_page(match->route) || strstr(text, name) != NULL)
		return false;
	size_t len = strlen(text);
	(void)snprintf(text + len, 64 - len, "%s%s", len > 0 ? ", " : "", name);
	return false;
}

void router_methods(const struct router *router, struct slice path, char text[64])
{
	text[0] = '\0';
	(void)for_each_fit(router, path, visit_list, text);
}

bool router_find(const struct router *router, enum http_method method, struct slice path,
		 struct route_match *out, struct error *err)
{
	char methods[64], quoted[200];
	struct find find = {method == HTTP_HEAD ? HTTP_GET : method, out};
	bool found = for_each_fit(router, path, visit_find, &find);
	if (found && !is_page(out->route))
		return true;
	router_methods(router, path, methods);
	if (found && methods[0] == '\0')
		return true;
	(void)error_quote(path, quoted, sizeof(quoted));
	if (methods[0] != '\0')
		return error_set(err, ERR_METHOD_NOT_ALLOWED,
				 "%s does not take this method; it takes %s.", quoted, methods);
	return error_set(err, ERR_ENDPOINT_NOT_FOUND, "There is no endpoint %s.", quoted);
}
