/* Owns the endpoints for charts and tables: downsampled curves, and what is known of curves without reading them. */
#include "api/metrics.h"

#include <inttypes.h>

#include "limits.h"
#include "store/metric_curves.h"
#include "store/metric_summary.h"
#include "store/names.h"
#include "store/runs.h"
#include "store/snapshot.h"

enum { BUCKETS_DEFAULT = 500, X_STEP = 0, X_TIME = 1 };

/* ---- curves ---- */

struct curves_request {
	struct text_list run_ids, metric_keys;
	struct opt_i64 buckets, x, start, end;
};

/* Curves by run, then by metric, as asked; repeats are left out. */
struct curves_result {
	struct metric_curves_query query;
	struct slice *run_ids, *metric_keys; /* of query.keys[i] */
	struct metric_curve *curves;
};

static const struct field_enum x_names[] = {
	{"step", X_STEP},
	{"time", X_TIME},
	{NULL, 0},
};

static const struct field curves_fields[] = {
	FIELD_TEXTS(struct curves_request, run_ids, FIELD_REQUIRED),
	FIELD_TEXTS(struct curves_request, metric_keys, FIELD_REQUIRED),
	FIELD_I64(struct curves_request, buckets, FIELD_OPTIONAL),
	FIELD_ENUM(struct curves_request, x, FIELD_OPTIONAL, x_names),
	FIELD_I64(struct curves_request, start, FIELD_OPTIONAL),
	FIELD_I64(struct curves_request, end, FIELD_OPTIONAL),
	FIELDS_END,
};

static size_t drop_repeats(struct slice *texts, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;
		while (j < kept && !slice_eq(texts[j], texts[i]))
			j++;
		if (j == kept)
			texts[kept++] = texts[i];
	}
	return kept;
}

static bool curves_check(struct call *call, struct error *err)
{
	struct curves_request *request = call->request;
	if (!request->buckets.is_set)
		request->buckets.value = BUCKETS_DEFAULT;
	if (request->buckets.value < 1 || request->buckets.value > CURVE_BUCKETS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid value %" PRId64
				 " for parameter 'buckets' supplied: it must be"
				 " between 1 and %d.",
				 request->buckets.value, CURVE_BUCKETS_MAX);
	size_t runs = request->run_ids.count, keys = request->metric_keys.count;
	if (runs > CURVES_MAX || keys > CURVES_MAX || runs * keys > CURVES_MAX)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"%zu run_ids and %zu metric_keys are %zu curves; at most %d are given at a"
			" time.",
			runs, keys, runs * keys, CURVES_MAX);
	if (request->start.is_set && request->end.is_set &&
	    request->start.value > request->end.value)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "start must not be greater than end. Found start=%" PRId64
				 " and end=%" PRId64 ".",
				 request->start.value, request->end.value);
	request->run_ids.count = drop_repeats(request->run_ids.items, runs);
	request->metric_keys.count = drop_repeats(request->metric_keys.items, keys);
	return true;
}

/* Names that were never logged have no curves. */
static bool find_names(const struct curves_request *request, struct db *tracker,
		       struct arena *arena, struct slice **texts_out, struct name_pk **names_out,
		       size_t *count_out, struct error *err)
{
	struct slice *texts = ARENA_NEW(arena, struct slice, request->metric_keys.count);
	struct name_pk *names = ARENA_NEW(arena, struct name_pk, request->metric_keys.count);
	size_t count = 0;
	for (size_t i = 0; i < request->metric_keys.count; i++) {
		bool found = false;
		texts[count] = request->metric_keys.items[i];
		if (!names_find(tracker, texts[count], &names[count], &found, err))
			return false;
		count += found ? 1 : 0;
	}
	*texts_out = texts;
	*names_out = names;
	*count_out = count;
	return true;
}

static bool read_curves(struct call *call, struct db *tracker, struct error *err)
{
	const struct curves_request *request = call->request;
	struct curves_result *result = ARENA_NEW(call->arena, struct curves_result, 1);
	struct slice *texts;
	struct name_pk *names;
	size_t name_count;
	if (!find_names(request, tracker, call->arena, &texts, &names, &name_count, err))
		return false;
	size_t room = request->run_ids.count * name_count, count = 0;
	struct metric_series_key *keys = ARENA_NEW(call->arena, struct metric_series_key, room);
	result->run_ids = ARENA_NEW(call->arena, struct slice, room);
	result->metric_keys = ARENA_NEW(call->arena, struct slice, room);
	for (size_t r = 0; r < request->run_ids.count; r++) {
		struct run_ref run;
		if (!run_find(tracker, request->run_ids.items[r], &run, err))
			return false;
		for (size_t n = 0; n < name_count; n++, count++) {
			keys[count] = (struct metric_series_key){run.pk, names[n]};
			result->run_ids[count] = request->run_ids.items[r];
			result->metric_keys[count] = texts[n];
		}
	}
	result->query = (struct metric_curves_query){
		.keys = keys,
		.key_count = count,
		.by_time = request->x.value == X_TIME,
		.start = request->start.is_set ? request->start.value : INT64_MIN,
		.end = request->end.is_set ? request->end.value : INT64_MAX,
		.bucket_count = (size_t)request->buckets.value,
	};
	result->curves = ARENA_NEW(call->arena, struct metric_curve, count);
	call->result = result;
	return metric_curves_read(tracker, &result->query, call->arena, result->curves, err);
}

static bool curves_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && read_curves(call, tracker, err);
	snapshot_release(snapshot);
	return ok;
}

/* The columns of a curve, each an array with one item a bucket. */
struct column {
	const char *name;
	enum { COLUMN_I64, COLUMN_DOUBLE } type;
	size_t offset;
};
static const struct column columns[] = {
	{"steps", COLUMN_I64, offsetof(struct metric_bucket, first.step)},
	{"last_steps", COLUMN_I64, offsetof(struct metric_bucket, last.step)},
	{"timestamps", COLUMN_I64, offsetof(struct metric_bucket, first.timestamp_ms)},
	{"last_timestamps", COLUMN_I64, offsetof(struct metric_bucket, last.timestamp_ms)},
	{"firsts", COLUMN_DOUBLE, offsetof(struct metric_bucket, first.value)},
	{"lasts", COLUMN_DOUBLE, offsetof(struct metric_bucket, last.value)},
	{"mins", COLUMN_DOUBLE, offsetof(struct metric_bucket, min)},
	{"maxs", COLUMN_DOUBLE, offsetof(struct metric_bucket, max)},
	{"counts", COLUMN_I64, offsetof(struct metric_bucket, point_count)},
	{"nan_counts", COLUMN_I64, offsetof(struct metric_bucket, nan_count)},
};

static void encode_column(const struct column *column, const struct metric_curve *curve,
			  struct json_writer *w)
{
	json_key(w, column->name);
	json_array_begin(w);
	for (size_t i = 0; i < curve->bucket_count; i++) {
		const char *item = (const char *)&curve->buckets[i] + column->offset;
		int64_t integer;
		double real;
		if (column->type == COLUMN_I64) {
			memcpy(&integer, item, sizeof(integer));
			json_int(w, integer);
		} else {
			memcpy(&real, item, sizeof(real));
			json_double(w, real);
		}
	}
	json_array_end(w);
}

static void curves_encode(const struct call *call, struct json_writer *w)
{
	const struct curves_result *result = call->result;
	bool is_begun = false;
	json_object_begin(w);
	for (size_t i = 0; i < result->query.key_count; i++) {
		const struct metric_curve *curve = &result->curves[i];
		if (curve->point_count == 0)
			continue;
		if (!is_begun) {
			json_key(w, "curves");
			json_array_begin(w);
			is_begun = true;
		}
		json_object_begin(w);
		json_put_string(w, "run_id", result->run_ids[i]);
		json_put_string(w, "metric_key", result->metric_keys[i]);
		json_put_int(w, "point_count", curve->point_count);
		json_put_bool(w, "is_exact", curve->is_exact);
		for (size_t c = 0; c < ARRAY_COUNT(columns); c++)
			encode_column(&columns[c], curve, w);
		json_object_end(w);
	}
	if (is_begun)
		json_array_end(w);
	json_object_end(w);
}

const struct endpoint metrics_curves = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = curves_fields,
	.request_bytes = sizeof(struct curves_request),
	.check = curves_check,
	.execute = curves_execute,
	.encode = curves_encode,
	.summary = "Curves of many runs and metrics, cut into buckets",
};

/* ---- summary ---- */

struct summary_request {
	struct text_list run_ids;
};

struct summary_result {
	struct metric_summary_list *lists; /* of run_ids.items[i] */
};

static const struct field summary_fields[] = {
	FIELD_TEXTS(struct summary_request, run_ids, FIELD_REQUIRED),
	FIELDS_END,
};

static bool summary_check(struct call *call, struct error *err)
{
	struct summary_request *request = call->request;
	if (request->run_ids.count > CURVES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "%zu run_ids were sent; at most %d are taken at a time.",
				 request->run_ids.count, CURVES_MAX);
	request->run_ids.count = drop_repeats(request->run_ids.items, request->run_ids.count);
	return true;
}

static bool summary_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct summary_request *request = call->request;
	struct summary_result *result = ARENA_NEW(call->arena, struct summary_result, 1);
	result->lists = ARENA_NEW(call->arena, struct metric_summary_list, request->run_ids.count);
	for (size_t i = 0; i < request->run_ids.count; i++) {
		struct run_ref run;
		if (!run_find(tracker, request->run_ids.items[i], &run, err) ||
		    !metric_summary_read(tracker, run.pk, call->arena, &result->lists[i], err))
			return false;
	}
	call->result = result;
	return true;
}

static void encode_summary(const struct metric_summary *summary, struct json_writer *w)
{
	const struct metric_series *series = &summary->series;
	json_object_begin(w);
	json_put_string(w, "key", summary->name);
	json_put_int(w, "point_count", series->point_count);
	json_put_double(w, "last", series->last.value);
	json_put_int(w, "last_step", series->last.step);
	json_put_int(w, "last_timestamp", series->last.timestamp_ms);
	json_put_double(w, "min", series->min);
	json_put_int(w, "min_step", series->min_step);
	json_put_double(w, "max", series->max);
	json_put_int(w, "max_step", series->max_step);
	json_put_int(w, "first_step", series->step_least);
	json_put_int(w, "first_timestamp", series->timestamp_least_ms);
	json_object_end(w);
}

static void summary_encode(const struct call *call, struct json_writer *w)
{
	const struct summary_request *request = call->request;
	const struct summary_result *result = call->result;
	json_object_begin(w);
	json_key(w, "runs");
	json_array_begin(w);
	for (size_t i = 0; i < request->run_ids.count; i++) {
		json_object_begin(w);
		json_put_string(w, "run_id", request->run_ids.items[i]);
		if (result->lists[i].count > 0) {
			json_key(w, "metrics");
			json_array_begin(w);
			for (size_t m = 0; m < result->lists[i].count; m++)
				encode_summary(&result->lists[i].items[m], w);
			json_array_end(w);
		}
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}

const struct endpoint metrics_summary = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = summary_fields,
	.request_bytes = sizeof(struct summary_request),
	.check = summary_check,
	.execute = summary_execute,
	.encode = summary_encode,
	.summary = "First, last, least and greatest value of each metric of runs",
};
