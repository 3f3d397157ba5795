/* Tests the router on the real table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/router.h"

static const struct {
	enum http_method method;
	const char *path;
	enum error_code code;
	const char *expected_path;     /* of the row */
	const char *argument_or_null;
} cases[] = {
	{HTTP_GET, "/health", ERR_NONE, "/health", NULL},
	{HTTP_HEAD, "/health", ERR_NONE, "/health", NULL},
	{HTTP_POST, "/api/2.0/mlflow/runs/create", ERR_NONE, "/api/2.0/mlflow/runs/create", NULL},
	{HTTP_POST, "/ajax-api/2.0/mlflow/runs/create", ERR_NONE, "/api/2.0/mlflow/runs/create", NULL},
	{HTTP_GET, "/api/2.0/mlflow/runs/create", ERR_METHOD_NOT_ALLOWED, NULL, NULL},
	{HTTP_POST, "/api/3.0/mlflow/runs/create", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_POST, "/api/2.0/mlflow/runs/create/", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_POST, "/api/2.0/mlflow/runs", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_GET, "/api/2.0/mlflow/unknown", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_GET, "/api/", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_GET, "/", ERR_NONE, "/{path...}", ""},
	{HTTP_GET, "/views/run.js", ERR_NONE, "/{path...}", "views/run.js"},
	{HTTP_POST, "/views/run.js", ERR_ENDPOINT_NOT_FOUND, NULL, NULL},
	{HTTP_GET, "/graphql", ERR_METHOD_NOT_ALLOWED, NULL, NULL},
	{HTTP_GET, "/graphql/x", ERR_NONE, "/{path...}", "graphql/x"},
	{HTTP_GET, "/api/2.0/mlflow-artifacts/artifacts", ERR_NONE, "/api/2.0/mlflow-artifacts/artifacts", NULL},
	{HTTP_GET, "/api/2.0/mlflow-artifacts/artifacts/1/a%2Fb/c", ERR_NONE,
	 "/api/2.0/mlflow-artifacts/artifacts/{path...}", "1/a%2Fb/c"},
	{HTTP_PATCH, "/api/2.0/mlflow-artifacts/artifacts/1/a", ERR_METHOD_NOT_ALLOWED, NULL, NULL},
	{HTTP_DELETE, "/ajax-api/2.0/mlflow-artifacts/artifacts/1/a", ERR_NONE,
	 "/api/2.0/mlflow-artifacts/artifacts/{path...}", "1/a"},
};

static void test_every_row_of_the_cases(void **state)
{
	struct router *router = router_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct route_match match;
		struct error err = {ERR_NONE, ""};
		bool found = router_find(router, cases[i].method, slice_from_cstr(cases[i].path), &match, &err);
		if (err.code != cases[i].code)
			fail_msg("%s: %s", cases[i].path, error_code_name(err.code));
		if (!found)
			continue;
		assert_string_equal(match.route->path, cases[i].expected_path);
		assert_int_equal(match.argument_count, cases[i].argument_or_null != NULL);
		if (cases[i].argument_or_null != NULL)
			assert_true(slice_eq_cstr(match.arguments[0], cases[i].argument_or_null));
	}
	router_free(router);
}

static void test_every_row_of_the_table_is_found_under_its_own_path(void **state)
{
	struct router *router = router_new();
	(void)state;
	for (size_t i = 0; i < routes_count; i++) {
		struct route_match match;
		struct error err;
		assert_true(router_find(router, routes[i].method, slice_from_cstr(routes[i].path), &match, &err));
		assert_ptr_equal(match.route, &routes[i]);
		assert_non_null(routes[i].endpoint->summary);
	}
	router_free(router);
}

static void test_methods_are_listed_for_allow(void **state)
{
	struct router *router = router_new();
	char text[64];
	(void)state;
	router_methods(router, SLICE("/api/2.0/mlflow-artifacts/artifacts/x"), text);
	assert_string_equal(text, "PUT, GET, DELETE");
	router_methods(router, SLICE("/nowhere"), text);
	assert_string_equal(text, "");
	router_free(router);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_of_the_cases),
		cmocka_unit_test(test_every_row_of_the_table_is_found_under_its_own_path),
		cmocka_unit_test(test_methods_are_listed_for_allow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
