/* Endpoints that search runs and experiments, and find the best runs. */
#include "api/search.h"

#include "api/entity_json.h"
#include "api/validation.h"
#include "limits.h"
#include "store/experiment_search.h"
#include "store/experiments.h"
#include "store/run_best.h"
#include "store/run_search.h"
#include "store/search_page.h"
#include "store/snapshot.h"

enum { MAX_RESULTS_DEFAULT = 1000 };

struct runs_search_request {
	struct text_list experiment_ids;
	struct slice filter;
	struct opt_i64 run_view_type, max_results;
	struct text_list order_by;
	struct slice page_token;
};

struct experiments_search_request {
	struct opt_i64 max_results;
	struct slice page_token, filter;
	struct text_list order_by;
	struct opt_i64 view_type;
};

struct runs_best_request {
	struct slice experiment_id, experiment_name, metric;
	struct opt_i64 order, value, top;
	struct slice filter;
};

enum { BEST_ORDER_MIN, BEST_ORDER_MAX };

static const struct field_enum view_types[] = {
	{"ACTIVE_ONLY", SEARCH_VIEW_ACTIVE},
	{"DELETED_ONLY", SEARCH_VIEW_DELETED},
	{"ALL", SEARCH_VIEW_ALL},
	{NULL, 0},
};
static const struct field_enum best_orders[] = {
	{"min", BEST_ORDER_MIN},
	{"max", BEST_ORDER_MAX},
	{NULL, 0},
};
static const struct field_enum best_values[] = {
	{"last", RUN_BEST_LAST},
	{"min", RUN_BEST_MIN_OF_CURVE},
	{"max", RUN_BEST_MAX_OF_CURVE},
	{NULL, 0},
};

static const struct field runs_search_fields[] = {
	FIELD_TEXTS(struct runs_search_request, experiment_ids, FIELD_OPTIONAL),
	FIELD_TEXT(struct runs_search_request, filter, FIELD_OPTIONAL),
	FIELD_ENUM(struct runs_search_request, run_view_type, FIELD_OPTIONAL, view_types),
	FIELD_I64(struct runs_search_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXTS(struct runs_search_request, order_by, FIELD_OPTIONAL),
	FIELD_TEXT(struct runs_search_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};
static const struct field experiments_search_fields[] = {
	FIELD_I64(struct experiments_search_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct experiments_search_request, page_token, FIELD_OPTIONAL),
	FIELD_TEXT(struct experiments_search_request, filter, FIELD_OPTIONAL),
	FIELD_TEXTS(struct experiments_search_request, order_by, FIELD_OPTIONAL),
	FIELD_ENUM(struct experiments_search_request, view_type, FIELD_OPTIONAL, view_types),
	FIELDS_END,
};
static const struct field runs_best_fields[] = {
	FIELD_TEXT(struct runs_best_request, experiment_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct runs_best_request, experiment_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct runs_best_request, metric, FIELD_REQUIRED),
	FIELD_ENUM(struct runs_best_request, order, FIELD_OPTIONAL, best_orders),
	FIELD_ENUM(struct runs_best_request, value, FIELD_OPTIONAL, best_values),
	FIELD_I64(struct runs_best_request, top, FIELD_OPTIONAL),
	FIELD_TEXT(struct runs_best_request, filter, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool runs_search_execute(struct call *call, struct db *tracker, struct error *err);
static void runs_search_encode(const struct call *call, struct json_writer *w);
static bool experiments_search_execute(struct call *call, struct db *tracker, struct error *err);
static void experiments_search_encode(const struct call *call, struct json_writer *w);
static bool runs_best_check(struct call *call, struct error *err);
static bool runs_best_execute(struct call *call, struct db *tracker, struct error *err);
static void runs_best_encode(const struct call *call, struct json_writer *w);
static bool find_experiment(const struct runs_best_request *request, struct arena *arena,
			    struct db *tracker, int64_t *experiment_id_out, struct error *err);
static int64_t enum_or(struct opt_i64 given, int64_t otherwise);

const struct endpoint runs_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = runs_search_fields,
	.request_bytes = sizeof(struct runs_search_request),
	.execute = runs_search_execute,
	.encode = runs_search_encode,
	.summary = "Search runs by a filter, in an order, page by page",
};

const struct endpoint experiments_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = experiments_search_fields,
	.request_bytes = sizeof(struct experiments_search_request),
	.execute = experiments_search_execute,
	.encode = experiments_search_encode,
	.summary = "Search experiments by a filter, in an order, page by page",
};

const struct endpoint runs_best = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = runs_best_fields,
	.request_bytes = sizeof(struct runs_best_request),
	.check = runs_best_check,
	.execute = runs_best_execute,
	.encode = runs_best_encode,
	.summary = "The best runs of an experiment by one metric",
};

static bool runs_search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct runs_search_request *request = call->request;
	struct run_search search = {
		.experiment_ids = request->experiment_ids.items,
		.experiment_count = request->experiment_ids.count,
		.filter = request->filter,
		.order_by = request->order_by.items,
		.order_by_count = request->order_by.count,
		.view = (enum search_view)enum_or(request->run_view_type, SEARCH_VIEW_ACTIVE),
		.page_token = request->page_token,
	};
	struct run_search_page *page = ARENA_NEW(call->arena, struct run_search_page, 1);
	call->result = page;
	if (!search_page_rows_max(request->max_results.is_set, request->max_results.value,
				  MAX_RESULTS_DEFAULT, SEARCH_RUNS_MAX, &search.rows_max, err))
		return false;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	if (snapshot == NULL)
		return false;
	bool ok = run_search(tracker, &search, call->arena, page, err);
	snapshot_release(snapshot);
	return ok;
}

static void runs_search_encode(const struct call *call, struct json_writer *w)
{
	const struct run_search_page *page = call->result;
	json_object_begin(w);
	if (page->count > 0) {
		json_key(w, "runs");
		json_array_begin(w);
		for (size_t i = 0; i < page->count; i++)
			entity_json_run(w, &page->runs[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->next_page_token);
	json_object_end(w);
}

static bool experiments_search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct experiments_search_request *request = call->request;
	struct experiment_search search = {
		.filter = request->filter,
		.order_by = request->order_by.items,
		.order_by_count = request->order_by.count,
		.view = (enum search_view)enum_or(request->view_type, SEARCH_VIEW_ACTIVE),
		.page_token = request->page_token,
	};
	struct experiment_search_page *page =
		ARENA_NEW(call->arena, struct experiment_search_page, 1);
	call->result = page;
	if (!search_page_rows_max(request->max_results.is_set, request->max_results.value,
				  MAX_RESULTS_DEFAULT, SEARCH_EXPERIMENTS_MAX, &search.rows_max,
				  err))
		return false;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	if (snapshot == NULL)
		return false;
	bool ok = experiment_search(tracker, &search, call->arena, page, err);
	snapshot_release(snapshot);
	return ok;
}

static void experiments_search_encode(const struct call *call, struct json_writer *w)
{
	const struct experiment_search_page *page = call->result;
	json_object_begin(w);
	if (page->count > 0) {
		json_key(w, "experiments");
		json_array_begin(w);
		for (size_t i = 0; i < page->count; i++)
			entity_json_experiment(w, &page->experiments[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->next_page_token);
	json_object_end(w);
}

static bool runs_best_check(struct call *call, struct error *err)
{
	const struct runs_best_request *request = call->request;
	if (request->experiment_id.len == 0 && request->experiment_name.len == 0)
		return fields_error_missing(err, "experiment_id");
	if (request->experiment_id.len > 0 && request->experiment_name.len > 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Only one of 'experiment_id' and 'experiment_name' can be given.");
	if (request->top.is_set && (request->top.value < 1 || request->top.value > RUN_BEST_MAX))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %lld for parameter 'top' supplied. It must be "
				 "between 1 and %d",
				 (long long)request->top.value, RUN_BEST_MAX);
	return true;
}

static bool runs_best_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct runs_best_request *request = call->request;
	struct run_best query = {
		.metric = request->metric,
		.value = (enum run_best_value)enum_or(request->value, RUN_BEST_LAST),
		.is_greatest = enum_or(request->order, BEST_ORDER_MIN) == BEST_ORDER_MAX,
		.runs_max = (size_t)enum_or(request->top, 1),
		.filter = request->filter,
	};
	struct run_best_list *list = ARENA_NEW(call->arena, struct run_best_list, 1);
	call->result = list;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	if (snapshot == NULL)
		return false;
	bool ok = find_experiment(request, call->arena, tracker, &query.experiment_id, err) &&
		  run_best(tracker, &query, call->arena, list, err);
	snapshot_release(snapshot);
	return ok;
}

static void runs_best_encode(const struct call *call, struct json_writer *w)
{
	const struct run_best_list *list = call->result;
	json_object_begin(w);
	if (list->count > 0) {
		json_key(w, "runs");
		json_array_begin(w);
		for (size_t i = 0; i < list->count; i++) {
			const struct run_best_entry *entry = &list->items[i];
			json_object_begin(w);
			json_key(w, "run");
			entity_json_run(w, &entry->run);
			json_key(w, "value");
			entity_json_metric_value(w, entry->value);
			json_put_int(w, "step", entry->step);
			if (entry->has_timestamp)
				json_put_int(w, "timestamp", entry->timestamp_ms);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

static bool find_experiment(const struct runs_best_request *request, struct arena *arena,
			    struct db *tracker, int64_t *experiment_id_out, struct error *err)
{
	struct experiment experiment;
	int64_t experiment_id;
	if (request->experiment_name.len > 0) {
		if (!experiment_load_by_name(tracker, request->experiment_name, arena, &experiment,
					     err))
			return false;
	} else if (!validate_experiment_id(request->experiment_id, &experiment_id, err) ||
		   !experiment_load(tracker, experiment_id, arena, &experiment, err)) {
		return false;
	}
	*experiment_id_out = experiment.experiment_id;
	return true;
}

static int64_t enum_or(struct opt_i64 given, int64_t otherwise)
{
	return given.is_set ? given.value : otherwise;
}
