/* Owns the rows of metric_series. */
#include "store/metric_series.h"

#include "base/checked.h"

static bool find_many(struct db *db, struct run_pk run_pk, const struct metric_series_added *added,
		      size_t count, struct metric_series *series_out, bool *is_known_out,
		      struct error *err);
static struct metric_series series_new(const struct metric_series_added *added);
static void series_add(struct metric_series *series, const struct metric_outline *added);
static bool series_write_in_txn(struct db *db, bool is_known, struct run_pk run_pk,
				int64_t experiment_id, const struct metric_series *series,
				struct error *err);

/* From this many names on, the series between the first and the last are read in one go, … */
enum { SCAN_NAMES_MIN = 8 };
/* … but no more than this many times as many as are wanted. */
enum { SCAN_ROWS_PER_NAME = 3 };

bool metric_series_add_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
			      const struct metric_series_added *added, size_t count,
			      struct arena *arena, struct error *err)
{
	struct metric_series *series = ARENA_NEW(arena, struct metric_series, count);
	bool *is_known = ARENA_NEW(arena, bool, count);
	/* Reading, adding up in C and writing takes 2 µs a name; one INSERT … ON CONFLICT DO UPDATE with its eleven
	 * CASEs takes 3. The committer is the only writer, so nothing comes between the two. */
	if (!find_many(db, run_pk, added, count, series, is_known, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_known[i])
			series_add(&series[i], &added[i].outline);
		else
			series[i] = series_new(&added[i]);
		if (!series_write_in_txn(db, is_known[i], run_pk, experiment_id, &series[i], err))
			return false;
	}
	return true;
}

bool metric_series_discount_in_txn(struct db *db, struct metric_series_key key,
				   int64_t repeat_count, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE metric_series SET point_count = point_count - $1"
			       " WHERE run_pk = $2 AND name_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, repeat_count);
	db_bind_i64(st, 2, key.run_pk.value);
	db_bind_i64(st, 3, key.name_pk.value);
	return db_run(st, err);
}

bool metric_series_find(struct db *db, struct metric_series_key key, struct metric_series *out,
			bool *found_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
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
		.is_first_known = !db_column_is_null(st, 13),
		.first = {.value = metric_value_column(st, 12),
			  .step = db_column_i64(st, 8),
			  .timestamp_ms = db_column_i64(st, 13)},
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

/* Reads those of the names that stand close together; *read_out says how many were dealt with. */
static bool scan(struct db *db, struct run_pk run_pk, const struct metric_series_added *added,
		 size_t count, struct metric_series *series, bool *is_known, size_t *read_out,
		 struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " METRIC_SERIES_COLUMNS " FROM metric_series"
			       " WHERE run_pk = $1 AND name_pk BETWEEN $2 AND $3"
			       " ORDER BY name_pk"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, added[0].name_pk.value);
	db_bind_i64(st, 3, added[count - 1].name_pk.value);
	enum db_row row = DB_ROW;
	size_t i = 0;
	for (size_t left = SCAN_ROWS_PER_NAME * count; left > 0; left--) {
		row = db_step(st, err);
		if (row != DB_ROW)
			break;
		int64_t name_pk = db_column_i64(st, 0);
		while (added[i].name_pk.value < name_pk)
			i++;
		if (added[i].name_pk.value == name_pk) {
			metric_series_read(st, &series[i]);
			is_known[i++] = true;
		}
		if (i == count)
			break;
	}
	db_reset(st);
	*read_out = row == DB_DONE ? count : i;
	return row != DB_FAILED;
}

/* One statement for names that were logged together, which have numbers side by side: a third of the cost. */
static bool find_many(struct db *db, struct run_pk run_pk, const struct metric_series_added *added,
		      size_t count, struct metric_series *series_out, bool *is_known_out,
		      struct error *err)
{
	size_t i = 0;
	if (count >= SCAN_NAMES_MIN &&
	    !scan(db, run_pk, added, count, series_out, is_known_out, &i, err))
		return false;
	for (; i < count; i++) {
		struct metric_series_key key = {run_pk, added[i].name_pk};
		if (!metric_series_find(db, key, &series_out[i], &is_known_out[i], err))
			return false;
	}
	return true;
}

static struct metric_series series_new(const struct metric_series_added *added)
{
	const struct metric_outline *outline = &added->outline;
	return (struct metric_series){
		.name_pk = added->name_pk,
		.first = outline->earliest,
		.is_first_known = true,
		.last = outline->latest,
		.min = outline->min,
		.max = outline->max,
		.min_step = outline->min_step,
		.max_step = outline->max_step,
		.step_least = outline->step_least,
		.timestamp_least_ms = outline->first.timestamp_ms,
		.timestamp_greatest_ms = outline->last.timestamp_ms,
		.point_count = i64_from_size(outline->count),
	};
}

static void series_add(struct metric_series *series, const struct metric_outline *added)
{
	/* Of an unknown first point only the step is known: what comes before it is known again. */
	if (series->is_first_known
		    ? metric_sample_compare_by_step(&added->earliest, &series->first) < 0
		    : added->earliest.step < series->step_least) {
		series->first = added->earliest;
		series->is_first_known = true;
	}
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

/* Both statements take the columns in the order of the table, but the key last. */
static bool series_write_in_txn(struct db *db, bool is_known, struct run_pk run_pk,
				int64_t experiment_id, const struct metric_series *series,
				struct error *err)
{
	struct db_statement *st =
		is_known ? db_prepare(db,
				      SQL("UPDATE metric_series SET experiment_id = $1, last_value "
					  "= $2,"
					  " last_step = $3, last_timestamp_ms = $4, min_value = $5,"
					  " min_step = $6, max_value = $7, max_step = $8, "
					  "first_step = $9,"
					  " first_timestamp_ms = $10, greatest_timestamp_ms = $11,"
					  " point_count = $12, first_value = $13,"
					  " first_value_timestamp_ms = $14"
					  " WHERE run_pk = $15 AND name_pk = $16"),
				      err)
			 : db_prepare(db,
				      SQL("INSERT INTO metric_series (experiment_id, last_value, "
					  "last_step,"
					  " last_timestamp_ms, min_value, min_step, max_value, "
					  "max_step,"
					  " first_step, first_timestamp_ms, greatest_timestamp_ms,"
					  " point_count, first_value, first_value_timestamp_ms,"
					  " run_pk, name_pk) VALUES ($1, $2, $3, $4, $5, $6, $7,"
					  " $8, $9, $10, $11, $12, $13, $14, $15, $16)"),
				      err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	metric_value_bind(st, 2, series->last.value);
	db_bind_i64(st, 3, series->last.step);
	db_bind_i64(st, 4, series->last.timestamp_ms);
	metric_value_bind(st, 5, series->min);
	step_bind(st, 6, series->min, series->min_step);
	metric_value_bind(st, 7, series->max);
	step_bind(st, 8, series->max, series->max_step);
	db_bind_i64(st, 9, series->step_least);
	db_bind_i64(st, 10, series->timestamp_least_ms);
	db_bind_i64(st, 11, series->timestamp_greatest_ms);
	db_bind_i64(st, 12, series->point_count);
	if (series->is_first_known) {
		metric_value_bind(st, 13, series->first.value);
		db_bind_i64(st, 14, series->first.timestamp_ms);
	}
	db_bind_i64(st, 15, run_pk.value);
	db_bind_i64(st, 16, series->name_pk.value);
	return db_run(st, err);
}
