/* Owns the endpoints that read the points of metrics one by one. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/entity_json.h"
#include "api/metrics.h"
#include "limits.h"
#include "search/page_token.h"
#include "store/metric_history.h"
#include "store/metric_interval.h"
#include "store/names.h"
#include "store/runs.h"
#include "store/snapshot.h"

enum { BULK_RUNS_MAX = 100, INTERVAL_RESULTS_MAX = 2500 };

/* Rows of one run in a reply. */
struct run_rows {
	struct slice run_id;
	struct metric_samples samples;
};

static void encode_rows(struct slice key, const struct run_rows *rows, bool with_run_id,
			struct json_writer *w);

/* ---- get-history ---- */

struct history_request {
	struct slice run_id, metric_key, page_token;
	struct opt_i64 max_results;
};

struct history_result {
	struct run_rows rows;
	struct slice next_page_token; /* absent on the last page */
};

static const struct field history_fields[] = {
	FIELD_TEXT(struct history_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct history_request, metric_key, FIELD_REQUIRED),
	FIELD_I64(struct history_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct history_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

/* The order of a history, for its page tokens: the place of the last point. A NaN is a NULL there. */
static const struct search_field order_fields[] = {
	{.name = "timestamp", .type = SEARCH_INTEGER},
	{.name = "step", .type = SEARCH_INTEGER},
	{.name = "value", .type = SEARCH_REAL, .is_nullable = true},
};
static const struct search_family order_family = {.names = {"point"},
						  .kind = FAMILY_ATTRIBUTES,
						  .fields = order_fields,
						  .field_count = ARRAY_COUNT(order_fields)};
static const struct search_table order_table = {
	.name = "metric_history", .families = &order_family, .family_count = 1};

static struct slice token_encode(uint64_t query, const struct metric_sample *last,
				 struct arena *arena)
{
	const struct order_key keys[] = {
		{.kind = ORDER_KEY_INTEGER, .integer = last->timestamp_ms},
		{.kind = ORDER_KEY_INTEGER, .integer = last->step},
		{.kind = isnan(last->value) ? ORDER_KEY_NULL : ORDER_KEY_REAL, .real = last->value},
	};
	return page_token_encode(query, keys, ARRAY_COUNT(keys), arena);
}

/* *has_place_out false: the first page. */
static bool token_decode(struct slice token, uint64_t query, struct arena *arena,
			 bool *has_place_out, struct metric_sample *out, struct error *err)
{
	struct order_term terms[ARRAY_COUNT(order_fields)];
	for (size_t i = 0; i < ARRAY_COUNT(terms); i++)
		terms[i] = (struct order_term){.family = &order_family, .field = &order_fields[i]};
	const struct order_by order = {&order_table, terms, ARRAY_COUNT(terms)};
	const struct order_key *keys;
	if (!page_token_decode(token, query, &order, arena, &keys, err))
		return false;
	*has_place_out = keys != NULL;
	if (keys != NULL)
		*out = (struct metric_sample){keys[0].integer, keys[1].integer,
					      keys[2].kind == ORDER_KEY_NULL
						      ? (double)NAN
						      : metric_value_normal(keys[2].real)};
	return true;
}

static bool check_max_results(struct opt_i64 *max_results, int64_t greatest, struct error *err)
{
	if (max_results->is_set && max_results->value < 1)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %" PRId64
				 " for parameter 'max_results' supplied: it must be"
				 " a positive integer.",
				 max_results->value);
	if (max_results->is_set && max_results->value > greatest)
		max_results->value = greatest;
	return true;
}

static bool history_check(struct call *call, struct error *err)
{
	struct history_request *request = call->request;
	return check_max_results(&request->max_results, HISTORY_POINTS_MAX, err);
}

static bool read_history(struct call *call, struct db *tracker, struct error *err)
{
	const struct history_request *request = call->request;
	struct history_result *result = ARENA_NEW(call->arena, struct history_result, 1);
	struct run_ref run;
	struct metric_series_key key;
	bool found = false, has_place = false, more = false;
	if (!run_find(tracker, request->run_id, &run, err) ||
	    !names_find(tracker, request->metric_key, &key.name_pk, &found, err))
		return false;
	key.run_pk = run.pk;
	uint64_t query = page_query_begin(order_table.name);
	query = page_query_text(query, request->run_id);
	query = page_query_text(query, request->metric_key);
	struct metric_sample place;
	if (!token_decode(request->page_token, query, call->arena, &has_place, &place, err))
		return false;
	size_t count_max =
		request->max_results.is_set ? (size_t)request->max_results.value : SIZE_MAX;
	result->rows.run_id = request->run_id;
	struct metric_samples *samples = &result->rows.samples;
	if (found && !metric_history_read(tracker, key, has_place ? &place : NULL, count_max,
					  call->arena, samples, &more, err))
		return false;
	if (more)
		result->next_page_token =
			token_encode(query, &samples->items[samples->count - 1], call->arena);
	call->result = result;
	return true;
}

static bool history_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && read_history(call, tracker, err);
	snapshot_release(snapshot);
	return ok;
}

static void history_encode(const struct call *call, struct json_writer *w)
{
	const struct history_request *request = call->request;
	const struct history_result *result = call->result;
	json_object_begin(w);
	if (result->rows.samples.count > 0) {
		json_key(w, "metrics");
		json_array_begin(w);
		encode_rows(request->metric_key, &result->rows, false, w);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", result->next_page_token);
	json_object_end(w);
}

const struct endpoint metrics_get_history = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = history_fields,
	.request_bytes = sizeof(struct history_request),
	.check = history_check,
	.execute = history_execute,
	.encode = history_encode,
	.summary = "The points of one metric of a run, page by page",
};

/* ---- get-history-bulk and -bulk-interval ---- */

struct bulk_request {
	struct text_list run_id;
	struct slice metric_key;
	struct opt_i64 max_results;
};

struct interval_request {
	struct text_list run_ids;
	struct slice metric_key;
	struct opt_i64 start_step, end_step, max_results;
};

struct bulk_result {
	struct slice metric_key;
	struct run_rows *runs; /* by run_id */
	size_t run_count;
};

static const struct field bulk_fields[] = {
	FIELD_TEXTS(struct bulk_request, run_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct bulk_request, metric_key, FIELD_OPTIONAL),
	FIELD_I64(struct bulk_request, max_results, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field interval_fields[] = {
	FIELD_TEXTS(struct interval_request, run_ids, FIELD_REQUIRED),
	FIELD_TEXT(struct interval_request, metric_key, FIELD_REQUIRED),
	FIELD_I64(struct interval_request, start_step, FIELD_OPTIONAL),
	FIELD_I64(struct interval_request, end_step, FIELD_OPTIONAL),
	FIELD_I64(struct interval_request, max_results, FIELD_OPTIONAL),
	FIELDS_END,
};

static int compare_texts(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Looks up the runs, sorted and each once; a run that does not exist has no rows. */
static bool bulk_begin(struct call *call, struct db *tracker, const struct text_list *run_ids,
		       struct slice metric_key, struct metric_series_key **keys_out,
		       struct error *err)
{
	struct bulk_result *result = ARENA_NEW(call->arena, struct bulk_result, 1);
	struct metric_series_key *keys =
		ARENA_NEW(call->arena, struct metric_series_key, run_ids->count);
	struct name_pk name_pk;
	bool is_name = false;
	result->metric_key = metric_key;
	result->runs = ARENA_NEW(call->arena, struct run_rows, run_ids->count);
	call->result = result;
	*keys_out = keys;
	if (!names_find(tracker, metric_key, &name_pk, &is_name, err))
		return false;
	if (!is_name)
		return true;
	qsort(run_ids->items, run_ids->count, sizeof(run_ids->items[0]), compare_texts);
	for (size_t i = 0; i < run_ids->count; i++) {
		struct run_ref run;
		bool found = false;
		if (i > 0 && slice_eq(run_ids->items[i], run_ids->items[i - 1]))
			continue;
		if (!run_find_if_any(tracker, run_ids->items[i], &run, &found, err))
			return false;
		if (!found)
			continue;
		keys[result->run_count] = (struct metric_series_key){run.pk, name_pk};
		result->runs[result->run_count++].run_id = run_ids->items[i];
	}
	return true;
}

static bool bulk_check(struct call *call, struct error *err)
{
	struct bulk_request *request = call->request;
	if (request->run_id.count == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "GetMetricHistoryBulk request must specify at least one run_id.");
	if (request->run_id.count > BULK_RUNS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "GetMetricHistoryBulk request cannot specify more than %d run_ids."
				 " Received %zu run_ids.",
				 BULK_RUNS_MAX, request->run_id.count);
	if (request->metric_key.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "GetMetricHistoryBulk request must specify a metric_key.");
	return check_max_results(&request->max_results, HISTORY_POINTS_MAX, err);
}

static bool read_bulk(struct call *call, struct db *tracker, struct error *err)
{
	const struct bulk_request *request = call->request;
	struct metric_series_key *keys;
	if (!bulk_begin(call, tracker, &request->run_id, request->metric_key, &keys, err))
		return false;
	struct bulk_result *result = call->result;
	size_t left = request->max_results.is_set ? (size_t)request->max_results.value
						  : HISTORY_POINTS_MAX;
	for (size_t i = 0; i < result->run_count && left > 0; i++) {
		bool more;
		if (!metric_history_read(tracker, keys[i], NULL, left, call->arena,
					 &result->runs[i].samples, &more, err))
			return false;
		left -= result->runs[i].samples.count;
	}
	return true;
}

static bool bulk_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && read_bulk(call, tracker, err);
	snapshot_release(snapshot);
	return ok;
}

static void encode_bulk(const struct bulk_result *result, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "metrics");
	json_array_begin(w);
	for (size_t i = 0; i < result->run_count; i++)
		encode_rows(result->metric_key, &result->runs[i], true, w);
	json_array_end(w);
	json_object_end(w);
}

/* Not one of MLflow's messages, whose empty lists are left out: its page wants the list. */
static void bulk_encode(const struct call *call, struct json_writer *w)
{
	encode_bulk(call->result, w);
}

const struct endpoint metrics_history_bulk = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = bulk_fields,
	.request_bytes = sizeof(struct bulk_request),
	.check = bulk_check,
	.execute = bulk_execute,
	.encode = bulk_encode,
	.summary = "The points of one metric of many runs",
};

static void interval_encode(const struct call *call, struct json_writer *w)
{
	const struct bulk_result *result = call->result;
	size_t row_count = 0;
	for (size_t i = 0; i < result->run_count; i++)
		row_count += result->runs[i].samples.count;
	if (row_count > 0) {
		encode_bulk(result, w);
		return;
	}
	json_object_begin(w);
	json_object_end(w);
}

static bool interval_check(struct call *call, struct error *err)
{
	struct interval_request *request = call->request;
	if (request->run_ids.count > BULK_RUNS_MAX)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"GetMetricHistoryBulkInterval request must specify at most %d run_ids."
			" Received %zu run_ids.",
			BULK_RUNS_MAX, request->run_ids.count);
	if (!request->max_results.is_set)
		request->max_results.value = INTERVAL_RESULTS_MAX;
	if (request->max_results.value < 1 || request->max_results.value > INTERVAL_RESULTS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "max_results must be between 1 and %d.", INTERVAL_RESULTS_MAX);
	if (request->start_step.is_set != request->end_step.is_set)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"If either start step or end step are specified, both must be specified.");
	if (request->start_step.is_set && request->start_step.value > request->end_step.value)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"end_step must be greater than start_step. Found start_step=%" PRId64
			" and end_step=%" PRId64 ".",
			request->start_step.value, request->end_step.value);
	return true;
}

static bool read_interval(struct call *call, struct db *tracker, struct error *err)
{
	const struct interval_request *request = call->request;
	struct metric_series_key *keys;
	if (!bulk_begin(call, tracker, &request->run_ids, request->metric_key, &keys, err))
		return false;
	struct bulk_result *result = call->result;
	const struct metric_interval interval = {
		.start_step = request->start_step.is_set ? request->start_step.value : INT64_MIN,
		.end_step = request->end_step.is_set ? request->end_step.value : INT64_MAX,
		.count_max = (size_t)request->max_results.value,
	};
	struct metric_samples *samples =
		ARENA_NEW(call->arena, struct metric_samples, result->run_count);
	if (!metric_interval_read(tracker, keys, result->run_count, &interval, call->arena, samples,
				  err))
		return false;
	for (size_t i = 0; i < result->run_count; i++)
		result->runs[i].samples = samples[i];
	return true;
}

static bool interval_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && read_interval(call, tracker, err);
	snapshot_release(snapshot);
	return ok;
}

const struct endpoint metrics_history_bulk_interval = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = interval_fields,
	.request_bytes = sizeof(struct interval_request),
	.check = interval_check,
	.execute = interval_execute,
	.encode = interval_encode,
	.summary = "The points of one metric of many runs at some evenly spaced steps",
};

static void encode_rows(struct slice key, const struct run_rows *rows, bool with_run_id,
			struct json_writer *w)
{
	for (size_t i = 0; i < rows->samples.count; i++) {
		const struct metric_sample *sample = &rows->samples.items[i];
		json_object_begin(w);
		json_put_string(w, "key", key);
		json_key(w, "value");
		entity_json_metric_value(w, sample->value);
		json_put_int(w, "timestamp", sample->timestamp_ms);
		json_put_int(w, "step", sample->step);
		if (with_run_id)
			json_put_string(w, "run_id", rows->run_id);
		json_object_end(w);
	}
}
