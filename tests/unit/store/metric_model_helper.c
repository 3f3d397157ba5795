/* Owns the naive model of the metric store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/store/metric_model_helper.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random_id.h"
#include "store/metric_curves.h"
#include "store/metric_history.h"
#include "store/metrics.h"
#include "store/names.h"

static const char *const names[MODEL_NAMES] = {"loss", "acc/val", "lr", "m"};
static const char *const run_ids[MODEL_RUNS] = {RUN_1, RUN_2};

void metric_model_init(struct metric_model *model, struct tracker_db *t)
{
	*model = (struct metric_model){.t = t};
	const char *seed_text = getenv("METRICS_SEED");
	random_bytes(&model->random, sizeof(model->random));
	if (seed_text != NULL && !slice_parse_u64(slice_from_cstr(seed_text), &model->random))
		fail_msg("METRICS_SEED is no number");
	print_message("METRICS_SEED=%" PRIu64 "\n", model->random);
	for (unsigned run = 0; run < MODEL_RUNS; run++)
		model->runs[run] = tracker_db_add_run(t, run_ids[run], 0);
}

void metric_model_deinit(struct metric_model *model)
{
	for (unsigned run = 0; run < MODEL_RUNS; run++)
		for (unsigned name = 0; name < MODEL_NAMES; name++)
			free(model->curves[run][name].points);
}

/* splitmix64 (Steele, Lea, Flood). */
uint64_t metric_model_random(struct metric_model *model, uint64_t bound)
{
	uint64_t z = model->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % bound;
}

struct slice metric_model_name(unsigned name)
{
	return slice_from_cstr(names[name]);
}

/* An order of its own, so that the model does not lean on what it checks. */
static int compare_points(const void *a, const void *b)
{
	const struct metric_sample *x = a, *y = b;
	double x_value = isnan(x->value) ? 0.0 : x->value,
	       y_value = isnan(y->value) ? 0.0 : y->value;
	if (x->timestamp_ms != y->timestamp_ms)
		return x->timestamp_ms < y->timestamp_ms ? -1 : 1;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	if (x_value < y_value || x_value > y_value)
		return x_value < y_value ? -1 : 1;
	return (isnan(x->value) ? 1 : 0) - (isnan(y->value) ? 1 : 0);
}

static int compare_points_by_step(const void *a, const void *b)
{
	const struct metric_sample *x = a, *y = b;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return compare_points(a, b);
}

static void settle(struct model_curve *curve)
{
	if (curve->settled_count == curve->count)
		return;
	qsort(curve->points, curve->count, sizeof(curve->points[0]), compare_points);
	size_t kept = 0;
	for (size_t i = 0; i < curve->count; i++)
		if (kept == 0 || compare_points(&curve->points[kept - 1], &curve->points[i]) != 0)
			curve->points[kept++] = curve->points[i];
	curve->count = curve->settled_count = kept;
}

void metric_model_append(struct metric_model *model, unsigned run,
			 const struct metric_point *points, size_t count)
{
	struct tracker_db *t = model->t;
	CHECK(t,
	      metrics_append_in_txn(t->db, model->runs[run], 0, points, count, &t->arena, &t->err));
	for (size_t i = 0; i < count; i++) {
		unsigned name = 0;
		while (!slice_eq(points[i].name, metric_model_name(name)))
			name++;
		struct model_curve *curve = &model->curves[run][name];
		if (curve->count == curve->capacity) {
			curve->capacity = 2 * curve->capacity + 64;
			curve->points =
				realloc(curve->points, curve->capacity * sizeof(curve->points[0]));
			assert_non_null(curve->points);
		}
		curve->points[curve->count++] = (struct metric_sample){
			points[i].timestamp_ms, points[i].step, points[i].value};
	}
}

static double random_value(struct metric_model *model)
{
	static const double special[] = {
		(double)NAN, (double)INFINITY, -(double)INFINITY, 0.0, -0.0, 1.0, -1e308};
	if (metric_model_random(model, 8) == 0)
		return special[metric_model_random(model, ARRAY_COUNT(special))];
	return (double)metric_model_random(model, 1000) / 7.0 - 50.0;
}

static int64_t random_extreme(struct metric_model *model)
{
	static const int64_t extremes[] = {INT64_MIN,	  INT64_MAX,	0, -1, 1,
					   INT64_MIN + 1, INT64_MAX - 1};
	return extremes[metric_model_random(model, ARRAY_COUNT(extremes))];
}

enum batch_kind {
	IN_ORDER,
	ONE_TIMESTAMP,
	STRAGGLERS,
	BACKFILL,
	SCATTERED,
	REPEATED,
	EXTREME,
	KIND_COUNT
};

/* Point number i of a batch of that kind. */
static struct metric_point random_point(struct metric_model *model, unsigned run,
					enum batch_kind kind)
{
	int64_t now = model->step[run];
	struct metric_point point = {
		.value = random_value(model), .step = now, .timestamp_ms = 1000 + 10 * now};
	switch (kind) {
	case IN_ORDER:
	case KIND_COUNT:
	default:
		model->step[run]++;
		break;
	case ONE_TIMESTAMP:
		point.timestamp_ms = 5000;
		model->step[run]++;
		break;
	case STRAGGLERS:
		point.step = now - (int64_t)metric_model_random(model, 50);
		point.timestamp_ms = 1000 + 10 * point.step + 3;
		model->step[run]++;
		break;
	case BACKFILL:
		point.step = -1000 + (int64_t)metric_model_random(model, 900);
		point.timestamp_ms = 1000000 + 10 * point.step;
		break;
	case SCATTERED:
		point.step = (int64_t)metric_model_random(model, (uint64_t)now + 1);
		point.timestamp_ms =
			1000 + 10 * (int64_t)metric_model_random(model, (uint64_t)now + 1);
		break;
	case REPEATED:
		break;
	case EXTREME:
		point.step = random_extreme(model);
		point.timestamp_ms = random_extreme(model);
		break;
	}
	return point;
}

void metric_model_append_random(struct metric_model *model, size_t count_max)
{
	size_t count = 1 + (size_t)metric_model_random(model, count_max);
	unsigned run = (unsigned)metric_model_random(model, MODEL_RUNS);
	unsigned first_name = (unsigned)metric_model_random(model, MODEL_NAMES);
	unsigned name_count = 1 + (unsigned)metric_model_random(model, MODEL_NAMES);
	enum batch_kind kind = (enum batch_kind)metric_model_random(model, KIND_COUNT);
	/* Two of three batches are the usual kind, or chunks would never fill. */
	if (metric_model_random(model, 3) > 0)
		kind = IN_ORDER;
	struct metric_point *points = calloc(count, sizeof(*points));
	assert_non_null(points);
	for (size_t i = 0; i < count; i++) {
		unsigned name = (first_name + (unsigned)(i % name_count)) % MODEL_NAMES;
		const struct model_curve *curve = &model->curves[run][name];
		points[i] = random_point(model, run, kind);
		points[i].name = metric_model_name(name);
		if (kind == REPEATED && curve->count > 0) {
			const struct metric_sample *old =
				&curve->points[metric_model_random(model, curve->count)];
			points[i] = (struct metric_point){points[i].name, old->value,
							  old->timestamp_ms, old->step};
		}
	}
	metric_model_append(model, run, points, count);
	free(points);
}

struct metric_series_key metric_model_key(struct metric_model *model, unsigned run, unsigned name)
{
	struct tracker_db *t = model->t;
	struct metric_series_key key = {.run_pk = model->runs[run]};
	bool found = false;
	CHECK(t, names_find(t->db, metric_model_name(name), &key.name_pk, &found, &t->err));
	assert_true(found);
	return key;
}

static bool is_same_double(double a, double b)
{
	return isnan(a) ? isnan(b) : !(a < b) && !(a > b) && !isnan(b);
}

static void assert_same_point(const struct metric_sample *a, const struct metric_sample *b)
{
	assert_int_equal(a->timestamp_ms, b->timestamp_ms);
	assert_int_equal(a->step, b->step);
	assert_true(is_same_double(a->value, b->value));
}

static void check_series(struct metric_model *model, struct metric_series_key key,
			 const struct model_curve *curve, bool is_compacted)
{
	struct tracker_db *t = model->t;
	struct metric_series series;
	bool found = false;
	CHECK(t, metric_series_find(t->db, key, &series, &found, &t->err));
	assert_true(found);
	struct metric_sample first = curve->points[0], last = curve->points[0];
	double min = (double)NAN, max = (double)NAN;
	int64_t min_step = INT64_MAX, max_step = INT64_MAX, least_step = INT64_MAX;
	for (size_t i = 0; i < curve->count; i++) {
		const struct metric_sample *p = &curve->points[i];
		if (compare_points_by_step(p, &last) > 0)
			last = *p;
		if (compare_points_by_step(p, &first) < 0)
			first = *p;
		least_step = p->step < least_step ? p->step : least_step;
		if (isnan(p->value))
			continue;
		if (isnan(min) || p->value < min)
			min = p->value;
		if (isnan(max) || p->value > max)
			max = p->value;
	}
	for (size_t i = 0; i < curve->count; i++) {
		const struct metric_sample *p = &curve->points[i];
		if (!isnan(p->value) && is_same_double(p->value, min) && p->step < min_step)
			min_step = p->step;
		if (!isnan(p->value) && is_same_double(p->value, max) && p->step < max_step)
			max_step = p->step;
	}
	assert_true(series.is_first_known);
	assert_same_point(&series.first, &first);
	assert_same_point(&series.last, &last);
	assert_true(is_same_double(series.min, min));
	assert_true(is_same_double(series.max, max));
	if (!isnan(min)) {
		assert_int_equal(series.min_step, min_step);
		assert_int_equal(series.max_step, max_step);
	}
	assert_int_equal(series.step_least, least_step);
	assert_int_equal(series.timestamp_least_ms, curve->points[0].timestamp_ms);
	assert_int_equal(series.timestamp_greatest_ms,
			 curve->points[curve->count - 1].timestamp_ms);
	if (is_compacted)
		assert_int_equal(series.point_count, curve->count);
	else
		assert_true(series.point_count >= (int64_t)curve->count);
}

void metric_model_check_history(struct metric_model *model, unsigned run, unsigned name,
				bool is_compacted)
{
	struct tracker_db *t = model->t;
	struct model_curve *curve = &model->curves[run][name];
	settle(curve);
	if (curve->count == 0)
		return;
	struct metric_series_key key = metric_model_key(model, run, name);
	struct arena_mark mark = arena_mark(&t->arena);
	struct metric_sample place = {0};
	size_t read = 0, page_max = 1 + (size_t)metric_model_random(model, curve->count + 10);
	bool more = true;
	while (more) {
		struct metric_samples page;
		CHECK(t, metric_history_read(t->db, key, read > 0 ? &place : NULL, page_max,
					     &t->arena, &page, &more, &t->err));
		assert_true(page.count == page_max || !more);
		assert_true(read + page.count <= curve->count);
		for (size_t i = 0; i < page.count; i++)
			assert_same_point(&page.items[i], &curve->points[read + i]);
		read += page.count;
		place = curve->points[read - 1];
		arena_rewind(&t->arena, mark);
	}
	assert_int_equal(read, curve->count);
	check_series(model, key, curve, is_compacted);
}

/* `points` are in the order of x. */
static void check_curve(const struct metric_curve *curve, const struct metric_sample *points,
			size_t count, const struct metric_curves_query *query)
{
	assert_int_equal(curve->point_count, count);
	if (count == 0)
		return;
	assert_int_equal(curve->is_exact, count <= query->bucket_count);
	assert_true(curve->bucket_count <= query->bucket_count);
	size_t at = 0;
	for (size_t b = 0; b < curve->bucket_count; b++) {
		const struct metric_bucket *bucket = &curve->buckets[b];
		size_t end = at + (size_t)bucket->point_count;
		double min = (double)NAN, max = (double)NAN;
		int64_t nan_count = 0;
		assert_true(end > at && end <= count);
		assert_same_point(&bucket->first, &points[at]);
		assert_same_point(&bucket->last, &points[end - 1]);
		for (; at < end; at++) {
			double value = points[at].value;
			nan_count += isnan(value) ? 1 : 0;
			min = isnan(min) || value < min ? value : min;
			max = isnan(max) || value > max ? value : max;
		}
		assert_true(is_same_double(bucket->min, min));
		assert_true(is_same_double(bucket->max, max));
		assert_int_equal(bucket->nan_count, nan_count);
		if (curve->is_exact)
			assert_int_equal(bucket->point_count, 1);
		else if (at < count)
			/* A bucket is an interval of x. */
			assert_true(query->by_time
					    ? points[at].timestamp_ms > points[at - 1].timestamp_ms
					    : points[at].step > points[at - 1].step);
	}
	assert_int_equal(at, count);
}

static void check_curves_of(struct metric_model *model, struct metric_curves_query *query)
{
	struct tracker_db *t = model->t;
	struct metric_series_key keys[MODEL_RUNS * MODEL_NAMES];
	const struct model_curve *curves[MODEL_RUNS * MODEL_NAMES];
	struct metric_curve read[MODEL_RUNS * MODEL_NAMES];
	query->key_count = 0;
	query->keys = keys;
	for (unsigned run = 0; run < MODEL_RUNS; run++) {
		for (unsigned name = 0; name < MODEL_NAMES; name++) {
			settle(&model->curves[run][name]);
			if (model->curves[run][name].count == 0)
				continue;
			keys[query->key_count] = metric_model_key(model, run, name);
			curves[query->key_count++] = &model->curves[run][name];
		}
	}
	struct arena_mark mark = arena_mark(&t->arena);
	CHECK(t, metric_curves_read(t->db, query, &t->arena, read, &t->err));
	for (size_t c = 0; c < query->key_count; c++) {
		struct metric_sample *points = calloc(curves[c]->count, sizeof(*points));
		size_t count = 0;
		assert_non_null(points);
		for (size_t i = 0; i < curves[c]->count; i++) {
			const struct metric_sample *p = &curves[c]->points[i];
			int64_t x = query->by_time ? p->timestamp_ms : p->step;
			if (x >= query->start && x <= query->end)
				points[count++] = *p;
		}
		if (!query->by_time)
			qsort(points, count, sizeof(*points), compare_points_by_step);
		check_curve(&read[c], points, count, query);
		free(points);
	}
	arena_rewind(&t->arena, mark);
}

void metric_model_check_curves(struct metric_model *model)
{
	struct metric_curves_query query = {
		.by_time = metric_model_random(model, 2) == 0,
		.start = INT64_MIN,
		.end = INT64_MAX,
		.bucket_count = 1 + (size_t)metric_model_random(
					    model, metric_model_random(model, 2) == 0 ? 8 : 3000),
	};
	if (metric_model_random(model, 3) > 0) {
		int64_t scale = query.by_time ? 10 : 1, width = model->step[0] + 2;
		query.start = scale * (int64_t)metric_model_random(model, (uint64_t)width);
		query.end =
			query.start + scale * (int64_t)metric_model_random(model, (uint64_t)width);
	}
	check_curves_of(model, &query);
}

void metric_model_check_all(struct metric_model *model, bool is_compacted)
{
	for (unsigned run = 0; run < MODEL_RUNS; run++)
		for (unsigned name = 0; name < MODEL_NAMES; name++)
			metric_model_check_history(model, run, name, is_compacted);
	for (unsigned i = 0; i < 4; i++)
		metric_model_check_curves(model);
}
