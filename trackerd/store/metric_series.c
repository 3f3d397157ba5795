/* Owns the rows of metric_series. */
#include "store/metric_series.h"

#include "base/checked.h"

static void series_add(struct metric_series *series, const struct metric_outline *added);
static bool series_write_in_txn(struct db *db, struct sql sql, struct run_pk run_pk,
				int64_t experiment_id, const struct metric_series *series,
				struct error *err);

bool metric_series_add_in_txn(struct db *db, struct metric_series_key key,
			      int64_t experiment_id, const struct metric_outline *added,
			      struct error *err)
{
	struct metric_series series;
	bool found = false;
	if (!metric_series_find(db, key, &series, &found, err))
		return false;
	/* Reading, adding up in C and writing takes 1.6 µs; one INSERT … ON CONFLICT DO UPDATE with its eleven
	 * CASEs takes 2.9 µs. The committer is the only writer, so nothing comes between the two. */
	if (found) {
		series_add(&series, added);
		return series_write_in_txn(
			db,
			SQL("UPDATE metric_series SET experiment_id = $3, last_value = $4, last_step = $5,"
			    " last_timestamp_ms = $6, min_value = $7, min_step = $8, max_value = $9,"
			    " max_step = $10, first_step = $11, first_timestamp_ms = $12,"
			    " greatest_timestamp_ms = $13, point_count = $14"
			    " WHERE run_pk = $1 AND name_pk = $2"),
			key.run_pk, experiment_id, &series, err);
	}
	series = (struct metric_series){
		.name_pk = key.name_pk,
		.last = added->latest,
		.min = added->min,
		.max = added->max,
		.min_step = added->min_step,
		.max_step = added->max_step,
		.step_least = added->step_least,
		.timestamp_least_ms = added->first.timestamp_ms,
		.timestamp_greatest_ms = added->last.timestamp_ms,
		.point_count = i64_from_size(added->count),
	};
	return series_write_in_txn(
		db,
		SQL("INSERT INTO metric_series (run_pk, name_pk, experiment_id, last_value, last_step,"
		    " last_timestamp_ms, min_value, min_step, max_value, max_step, first_step,"
		    " first_timestamp_ms, greatest_timestamp_ms, point_count)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"),
		key.run_pk, experiment_id, &series, err);
}

bool metric_series_discount_in_txn(struct db *db, struct metric_series_key key, int64_t repeat_count,
				   struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE metric_series SET point_count = point_count - $3"
			       " WHERE run_pk = $1 AND name_pk = $2"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, key.run_pk.value);
	db_bind_i64(st, 2, key.name_pk.value);
	db_bind_i64(st, 3, repeat_count);
	return db_run(st, err);
}

bool metric_series_find(struct db *db, struct metric_series_key key,
			struct metric_series *out, bool *found_out, struct error *err)
{
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT " METRIC_SERIES_COLUMNS " FROM metric_series"
						 " WHERE run_pk = $1 AND name_pk = $2"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, key.run_pk.value);
	db_bind_i64(st, 2, key.name_pk.value);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		metric_series_read(st, out);
	db_reset(st);
	*found_out = found;
	return true;
}

void metric_series_read(const struct db_statement *st, struct metric_series *out)
{
	*out = (struct metric_series){
		.name_pk = {db_column_i64(st, 0)},
		.last = {.value = metric_value_column(st, 1),
			 .step = db_column_i64(st, 2),
			 .timestamp_ms = db_column_i64(st, 3)},
		.min = metric_value_column(st, 4),
		.min_step = db_column_i64(st, 5),
		.max = metric_value_column(st, 6),
		.max_step = db_column_i64(st, 7),
		.step_least = db_column_i64(st, 8),
		.timestamp_least_ms = db_column_i64(st, 9),
		.timestamp_greatest_ms = db_column_i64(st, 10),
		.point_count = db_column_i64(st, 11),
	};
}

void metric_value_bind(struct db_statement *st, int index, double value)
{
	if (isnan(value))
		db_bind_null(st, index);
	else
		db_bind_double(st, index, value);
}

double metric_value_column(const struct db_statement *st, int index)
{
	return db_column_is_null(st, index) ? (double)NAN : db_column_double(st, index);
}

static void series_add(struct metric_series *series, const struct metric_outline *added)
{
	if (metric_sample_compare_by_step(&added->latest, &series->last) > 0)
		series->last = added->latest;
	if (metric_is_lower(added->min, added->min_step, series->min, series->min_step)) {
		series->min = added->min;
		series->min_step = added->min_step;
	}
	if (metric_is_higher(added->max, added->max_step, series->max, series->max_step)) {
		series->max = added->max;
		series->max_step = added->max_step;
	}
	if (added->step_least < series->step_least)
		series->step_least = added->step_least;
	if (added->first.timestamp_ms < series->timestamp_least_ms)
		series->timestamp_least_ms = added->first.timestamp_ms;
	if (added->last.timestamp_ms > series->timestamp_greatest_ms)
		series->timestamp_greatest_ms = added->last.timestamp_ms;
	series->point_count += i64_from_size(added->count);
}

static void step_bind(struct db_statement *st, int index, double value, int64_t step)
{
	if (isnan(value))
		db_bind_null(st, index);
	else
		db_bind_i64(st, index, step);
}

/* `sql` takes the columns of an INSERT, in the order of the table. */
static bool series_write_in_txn(struct db *db, struct sql sql, struct run_pk run_pk,
				int64_t experiment_id, const struct metric_series *series,
				struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, series->name_pk.value);
	db_bind_i64(st, 3, experiment_id);
	metric_value_bind(st, 4, series->last.value);
	db_bind_i64(st, 5, series->last.step);
	db_bind_i64(st, 6, series->last.timestamp_ms);
	metric_value_bind(st, 7, series->min);
	step_bind(st, 8, series->min, series->min_step);
	metric_value_bind(st, 9, series->max);
	step_bind(st, 10, series->max, series->max_step);
	db_bind_i64(st, 11, series->step_least);
	db_bind_i64(st, 12, series->timestamp_least_ms);
	db_bind_i64(st, 13, series->timestamp_greatest_ms);
	db_bind_i64(st, 14, series->point_count);
	return db_run(st, err);
}
