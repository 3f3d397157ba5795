/* Owns the endpoints that log metrics and parameters, one or many at a time. */
#include "api/batch.h"

#include "api/validation.h"
#include "limits.h"
#include "store/key_values.h"
#include "store/logged_model_metrics.h"
#include "store/metrics.h"
#include "store/params.h"
#include "store/runs.h"
#include "store/tags.h"

/* ---- log-metric ------------------------------------------------------------------------------- */

struct metric_request {
	struct slice run_id, key;
	struct opt_double value;
	struct opt_i64 timestamp, step;
	struct slice model_id, dataset_name, dataset_digest;
	struct model_point point; /* made by check */
};

// clang-format off
static const struct field metric_fields[] = {
	FIELD_TEXT(struct metric_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct metric_request, key, FIELD_REQUIRED),
	FIELD_DOUBLE(struct metric_request, value, FIELD_REQUIRED),
	FIELD_I64(struct metric_request, timestamp, FIELD_REQUIRED),
	FIELD_I64(struct metric_request, step, FIELD_OPTIONAL),
	FIELD_TEXT(struct metric_request, model_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct metric_request, dataset_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct metric_request, dataset_digest, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool check_model_point(const struct model_point *point, struct error *err)
{
	if ((point->dataset_name.len > 0) != (point->dataset_digest.len > 0))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Both dataset_name and dataset_digest must be provided if one is "
				 "provided");
	return validate_length(point->model_id, LOGGED_MODEL_ID_LENGTH_MAX, "'model_id'", err) &&
	       validate_length(point->dataset_name, DATASET_NAME_LENGTH_MAX, "'dataset_name'",
			       err) &&
	       validate_length(point->dataset_digest, DATASET_DIGEST_LENGTH_MAX, "'dataset_digest'",
			       err);
}

static bool log_metric_check(struct call *call, struct error *err)
{
	struct metric_request *request = call->request;
	request->point = (struct model_point){
		.point = {.name = request->key,
			  .value = request->value.value,
			  .timestamp_ms = request->timestamp.value,
			  .step = request->step.value}, /* 0 when it is not given */
		.model_id = request->model_id,
		.dataset_name = request->dataset_name,
		.dataset_digest = request->dataset_digest,
	};
	return check_model_point(&request->point, err) &&
	       validate_key(KEY_METRIC, request->key, (struct value_place){0}, err) &&
	       validate_metric_timestamp(request->key, request->value.value,
					 request->timestamp.value, (struct value_place){0}, err);
}

static bool log_metric_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct metric_request *request = call->request;
	struct run_ref ref;
	return call_change_run(call, tracker, request->run_id, LIVE_METRICS, &ref, err) &&
	       metrics_append_in_txn(tracker, ref.pk, ref.experiment_id, &request->point.point, 1,
				     call->arena, err) &&
	       logged_model_metrics_log_in_txn(tracker, ref.pk, &request->point, 1, err);
}

const struct endpoint runs_log_metric = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = metric_fields,
	.request_bytes = sizeof(struct metric_request),
	.check = log_metric_check,
	.execute = log_metric_execute,
	.summary = "Log one point of a metric",
};

/* ---- log-parameter ---------------------------------------------------------------------------- */

struct param_request {
	struct slice run_id, key, value;
	struct key_value param;
};

// clang-format off
static const struct field param_fields[] = {
	FIELD_TEXT(struct param_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct param_request, key, FIELD_REQUIRED),
	FIELD_TEXT(struct param_request, value, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool log_parameter_check(struct call *call, struct error *err)
{
	struct param_request *request = call->request;
	request->param = (struct key_value){request->key, request->value};
	return validate_key_value(KEY_PARAM, &request->param, (struct value_place){0},
				  PARAM_VALUE_LENGTH_MAX, err);
}

static bool log_parameter_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct param_request *request = call->request;
	struct run_ref ref;
	return call_change_run(call, tracker, request->run_id, LIVE_PARAMS, &ref, err) &&
	       param_log_in_txn(tracker, ref.pk, request->run_id, &request->param, call->arena,
				err);
}

const struct endpoint runs_log_parameter = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = param_fields,
	.request_bytes = sizeof(struct param_request),
	.check = log_parameter_check,
	.execute = log_parameter_execute,
	.summary = "Log a parameter",
};

/* ---- log-batch -------------------------------------------------------------------------------- */

struct batch_request {
	struct slice run_id;
	struct object_list metrics, params, tags;
	/* Made by check: validated and, where it matters, sorted by key. */
	struct metric_point *points;
	struct model_point *model_points; /* those of points that name a model */
	size_t model_point_count;
	struct key_value_list params_sorted, tags_checked;
};

// clang-format off
#define BATCH_METRIC_FIELDS \
	FIELD_TEXT(struct batch_metric, key, FIELD_REQUIRED), \
	FIELD_DOUBLE(struct batch_metric, value, FIELD_REQUIRED), \
	FIELD_I64(struct batch_metric, timestamp, FIELD_REQUIRED), \
	FIELD_I64(struct batch_metric, step, FIELD_OPTIONAL)

const struct field batch_metric_fields[] = {BATCH_METRIC_FIELDS, FIELDS_END};

static const struct field model_metric_fields[] = {
	BATCH_METRIC_FIELDS,
	FIELD_TEXT(struct batch_metric, model_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct batch_metric, dataset_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct batch_metric, dataset_digest, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field batch_fields[] = {
	FIELD_TEXT(struct batch_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_OBJECTS(struct batch_request, metrics, FIELD_OPTIONAL, model_metric_fields, struct batch_metric),
	FIELD_OBJECTS(struct batch_request, params, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELD_OBJECTS(struct batch_request, tags, FIELD_OPTIONAL, key_value_fields, struct key_value),
	FIELDS_END,
};
// clang-format on

static bool check_count(const char *what, size_t count, size_t count_max, struct error *err)
{
	if (count <= count_max)
		return true;
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"A batch logging request can contain at most %zu %s. Got %zu %s. Please split up %s"
		" across multiple requests and try again.",
		count_max, what, count, what, what);
}

static bool check_counts(const struct batch_request *request, struct error *err)
{
	size_t item_count = request->metrics.count + request->params.count + request->tags.count;
	return check_count("metrics", request->metrics.count, BATCH_METRICS_MAX, err) &&
	       check_count("params", request->params.count, BATCH_PARAMS_MAX, err) &&
	       check_count("tags", request->tags.count, BATCH_TAGS_MAX, err) &&
	       check_count("metrics, params, and tags", item_count, BATCH_ITEMS_MAX, err);
}

bool batch_metrics_check(const struct object_list *list, struct arena *arena,
			 struct metric_point **out, struct error *err)
{
	const struct batch_metric *metrics = list->items;
	struct metric_point *points = NULL;
	if (list->count > 0)
		points = ARENA_NEW(arena, struct metric_point, list->count);
	for (size_t i = 0; i < list->count; i++) {
		const struct batch_metric *metric = &metrics[i];
		const struct value_place place = {"metrics", i};
		if (!validate_key(KEY_METRIC, metric->key, place, err) ||
		    !validate_metric_timestamp(metric->key, metric->value.value,
					       metric->timestamp.value, place, err))
			return false;
		points[i] = (struct metric_point){
			.name = metric->key,
			.value = metric->value.value,
			.timestamp_ms = metric->timestamp.value,
			.step = metric->step.value,
		};
	}
	*out = points;
	return true;
}

/* Says which keys come more than once, if any do. */
static bool check_params_are_distinct(struct key_value_list sorted, struct arena *arena,
				      struct error *err)
{
	enum { KEYS_TEXT_BYTES_MAX = 800 };
	struct slice keys = {0};
	for (size_t i = 1; i < sorted.count; i++) {
		struct slice key = sorted.items[i].key;
		bool is_repeat = slice_eq(sorted.items[i - 1].key, key);
		bool is_told = i >= 2 && slice_eq(sorted.items[i - 2].key, key);
		if (!is_repeat || is_told)
			continue;
		keys = arena_printf(arena, "%.*s%s'%.*s'", SLICE_FMT(keys),
				    keys.len > 0 ? ", " : "", SLICE_FMT(key));
		if (keys.len > KEYS_TEXT_BYTES_MAX)
			break;
	}
	if (keys.len == 0)
		return true;
	char quoted[KEYS_TEXT_BYTES_MAX];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Duplicate parameter keys have been submitted: [%s]. Please ensure the "
			 "request contains"
			 " only one param value per param key.",
			 error_quote(keys, quoted, sizeof(quoted)));
}

/* Remembers the points that name a model. */
static bool take_model_points(struct batch_request *request, struct arena *arena, struct error *err)
{
	const struct batch_metric *metrics = request->metrics.items;
	for (size_t i = 0; i < request->metrics.count; i++) {
		const struct model_point point = {request->points[i], metrics[i].model_id,
						  metrics[i].dataset_name,
						  metrics[i].dataset_digest};
		if (!check_model_point(&point, err))
			return false;
		if (point.model_id.len == 0)
			continue;
		request->model_points =
			arena_list_room(arena, request->model_points, request->model_point_count,
					sizeof(*request->model_points));
		request->model_points[request->model_point_count++] = point;
	}
	return true;
}

static bool log_batch_check(struct call *call, struct error *err)
{
	struct batch_request *request = call->request;
	struct key_value_list params = {0};
	if (!validate_run_id(request->run_id, err) || !check_counts(request, err) ||
	    !batch_metrics_check(&request->metrics, call->arena, &request->points, err) ||
	    !take_model_points(request, call->arena, err) ||
	    !validate_key_values(KEY_PARAM, &request->params, "params", PARAM_VALUE_LENGTH_MAX,
				 &params, err) ||
	    !validate_key_values(KEY_TAG, &request->tags, "tags", RUN_TAG_VALUE_LENGTH_MAX,
				 &request->tags_checked, err))
		return false;
	request->params_sorted = key_values_sorted(params, call->arena);
	return check_params_are_distinct(request->params_sorted, call->arena, err);
}

static bool log_batch_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct batch_request *request = call->request;
	unsigned what = (request->metrics.count > 0 ? LIVE_METRICS : 0U) |
			(request->params_sorted.count > 0 ? LIVE_PARAMS : 0U) |
			(request->tags_checked.count > 0 ? LIVE_TAGS : 0U);
	struct run_ref ref;
	if (!call_change_run(call, tracker, request->run_id, what, &ref, err) ||
	    !params_log_in_txn(tracker, ref.pk, request->run_id, request->params_sorted,
			       call->arena, err))
		return false;
	if (request->metrics.count > 0 &&
	    !metrics_append_in_txn(tracker, ref.pk, ref.experiment_id, request->points,
				   request->metrics.count, call->arena, err))
		return false;
	if (!logged_model_metrics_log_in_txn(tracker, ref.pk, request->model_points,
					     request->model_point_count, err))
		return false;
	return run_tags_set_in_txn(tracker, ref.pk, request->tags_checked, call->arena, err);
}

const struct endpoint runs_log_batch = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = batch_fields,
	.request_bytes = sizeof(struct batch_request),
	.check = log_batch_check,
	.execute = log_batch_execute,
	.summary = "Log a batch of metrics, parameters and tags",
};
