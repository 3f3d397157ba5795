/* Owns the endpoint of GraphQL queries: which of our endpoints answers which root field. */
#include "api/graphql.h"

#include "api/artifacts.h"
#include "api/dataset_search.h"
#include "api/experiments.h"
#include "api/metrics.h"
#include "api/model_versions.h"
#include "api/runs.h"
#include "api/search.h"
#include "graphql/gql_execution.h"
#include "limits.h"

/* A query is a few kilobytes; its variables can be lists of run ids. */
enum { GRAPHQL_BODY_BYTES_MAX = 1024 * 1024 };

struct graphql_request {
	struct slice query, operation_name, variables;
};

// clang-format off
static const struct field graphql_fields[] = {
	FIELD_TEXT(struct graphql_request, query, FIELD_REQUIRED),
	FIELD_TEXT(struct graphql_request, operation_name, FIELD_OPTIONAL),
	FIELD_RAW(struct graphql_request, variables, FIELD_OPTIONAL),
	FIELDS_END,
};

/* Fields that are resolved: the endpoint, and the member of its reply that is the value (NULL: all of it). */
static const struct answer {
	const char *field;
	const struct endpoint *endpoint;
	const char *member_or_null;
} answers[] = {
	{"mlflow_get_experiment",                   &experiments_get,              NULL},
	{"mlflow_get_metric_history_bulk_interval", &metrics_history_bulk_interval, NULL},
	{"mlflow_get_run",                          &runs_get,                     NULL},
	{"mlflow_list_artifacts",                   &artifacts_list_run,           NULL},
	{"mlflow_search_model_versions",            &model_versions_search,        NULL},
	{"mlflow_search_runs",                      &runs_search,                  NULL},
	{"mlflow_search_datasets",                  &datasets_search,              NULL},
	{"experiment",                              &experiments_get,              "experiment"},
	{"model_versions",                          &model_versions_search,        "model_versions"},
};
// clang-format on

struct graphql {
	const struct call *call;
	struct db *tracker;
};

/* Runs a READ endpoint as if `body` had been sent to it, and reads its reply. */
static bool ask_endpoint(const struct graphql *g, const struct endpoint *endpoint,
			 struct slice body, struct json_node *out, struct error *err)
{
	struct arena *arena = g->call->arena;
	struct call call = {.arena = arena,
			    .now_ms = g->call->now_ms,
			    .api = g->call->api,
			    .http = g->call->http};
	struct buffer reply;
	struct json_writer w;
	ASSERT(endpoint->kind == ENDPOINT_READ);
	call.request = arena_alloc(arena, 1, endpoint->request_bytes);
	if (!fields_decode_json(endpoint->fields_or_null, body, arena, call.request, err) ||
	    (endpoint->check != NULL && !endpoint->check(&call, err)) ||
	    !endpoint->execute(&call, g->tracker, err))
		return false;
	buffer_init_in_arena(&reply, arena, REPLY_BYTES_MAX);
	json_writer_init(&w, &reply);
	endpoint->encode(&call, &w);
	return buffer_check(&reply, "The reply", err) &&
	       json_read(buffer_slice(&reply), arena, out, err);
}

/* What a run's nested fields ask for; a root's input is its argument. */
static struct slice nested_input(const struct gql_field *field, struct json_node run,
				 struct arena *arena)
{
	struct json_node info = json_node_member(run, SLICE("info"));
	bool is_experiment = strcmp(field->name, "experiment") == 0;
	struct slice id = json_node_string(
		json_node_member(info, is_experiment ? SLICE("experiment_id") : SLICE("run_id")));
	/* Both ids are made of letters and digits. */
	return is_experiment ? arena_printf(arena, "{\"experiment_id\":\"%.*s\"}", SLICE_FMT(id))
			     : arena_printf(arena, "{\"filter\":\"run_id='%.*s'\"}", SLICE_FMT(id));
}

static bool resolve(void *ctx, const struct gql_field *field, struct slice input,
		    struct json_node parent, struct json_node *out, struct error *err)
{
	const struct graphql *g = ctx;
	const struct answer *answer = answers;
	while (strcmp(answer->field, field->name) != 0) {
		answer++;
		ASSERT(answer < answers + ARRAY_COUNT(answers));
	}
	if (answer->member_or_null != NULL)
		input = nested_input(field, parent, g->call->arena);
	if (!ask_endpoint(g, answer->endpoint, input, out, err))
		return false;
	if (answer->member_or_null != NULL)
		*out = json_node_member(*out, slice_from_cstr(answer->member_or_null));
	return true;
}

static bool make_plan(const struct call *call, struct gql_plan **out, struct error *err)
{
	const struct graphql_request *request = call->request;
	struct gql_document document;
	struct gql_request gql = {.document = &document, .operation_name = request->operation_name};
	if (slice_is_present(request->variables) &&
	    !json_read(request->variables, call->arena, &gql.variables, err))
		return false;
	return gql_parse(request->query, call->arena, &document, err) &&
	       gql_plan_make(&gql, call->arena, out, err);
}

/* A mistake in the query is a reply like any other, as GraphQL clients expect. */
static bool graphql_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct graphql g = {.call = call, .tracker = tracker};
	const struct gql_resolver resolver = {.ctx = &g, .resolve = resolve};
	struct gql_plan *plan;
	struct error mistake;
	struct buffer reply;
	struct json_writer w;
	buffer_init_in_arena(&reply, call->arena, REPLY_BYTES_MAX);
	json_writer_init(&w, &reply);
	if (make_plan(call, &plan, &mistake))
		gql_execute(plan, &resolver, call->arena, &w);
	else
		gql_refuse(&mistake, &w);
	call->content_type = "application/json";
	call->text = buffer_slice(&reply);
	return buffer_check(&reply, "The reply", err);
}

const struct endpoint graphql_post = {
	.kind = ENDPOINT_READ,
	.fields_or_null = graphql_fields,
	.request_bytes = sizeof(struct graphql_request),
	.body_bytes_max = GRAPHQL_BODY_BYTES_MAX,
	.execute = graphql_execute,
	.summary = "Answer a GraphQL query of MLflow's web page",
};
