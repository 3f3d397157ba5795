/* Owns the writing of points that were logged for a model. */
#include "store/logged_model_metrics.h"

#include "store/logged_models.h"
#include "store/metric_series.h"
#include "store/names.h"

static bool upsert_point(struct db *db, struct logged_model_pk pk, struct run_pk run_pk,
			 const struct model_point *point, struct error *err);

bool logged_model_metrics_log_in_txn(struct db *db, struct run_pk run_pk,
				     const struct model_point *points, size_t count,
				     struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct logged_model_pk pk;
		if (points[i].model_id.len == 0)
			continue;
		if (!logged_model_find(db, points[i].model_id, true, &pk, err) ||
		    !upsert_point(db, pk, run_pk, &points[i], err))
			return false;
	}
	return true;
}

static bool upsert_point(struct db *db, struct logged_model_pk pk, struct run_pk run_pk,
			 const struct model_point *point, struct error *err)
{
	struct name_pk name_pk;
	if (!names_intern_in_txn(db, point->point.name, &name_pk, err))
		return false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO logged_model_metrics (logged_model_pk, name_pk,"
		    " timestamp_ms, step, run_pk, dataset_name, dataset_digest, value)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		    " ON CONFLICT (logged_model_pk, name_pk, timestamp_ms, step, run_pk,"
		    " dataset_name, dataset_digest) DO UPDATE SET value = excluded.value"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, name_pk.value);
	db_bind_i64(st, 3, point->point.timestamp_ms);
	db_bind_i64(st, 4, point->point.step);
	db_bind_i64(st, 5, run_pk.value);
	db_bind_text(st, 6, slice_or_empty(point->dataset_name));
	db_bind_text(st, 7, slice_or_empty(point->dataset_digest));
	metric_value_bind(st, 8, point->point.value);
	return db_run(st, err);
}
