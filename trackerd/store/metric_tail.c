/* Owns the rows of metric_tail and metric_tail_runs. */
#include "store/metric_tail.h"

#include "base/checked.h"

static bool append_row_in_txn(struct db *db, struct run_pk run_pk,
			      const struct metric_group *groups, size_t group_count,
			      size_t point_count, struct arena *arena, struct error *err);
static bool count_row_in_txn(struct db *db, struct run_pk run_pk, size_t point_count,
			     struct error *err);
static bool collect_row(struct slice data, bool is_in_pass, int64_t pass_name_pk,
			const struct name_pk *name_pks, size_t count, struct arena *arena,
			struct metric_samples *samples, struct error *err);
static void samples_reserve(struct metric_samples *samples, size_t more, struct arena *arena);
static bool find_run(struct db_statement *st, struct metric_tail_run *out, bool *found_out,
		     struct error *err);

#define TAIL_RUN_COLUMNS "run_pk, is_due, row_count, point_count, pass_seq, pass_name_pk"

bool metric_tail_append_in_txn(struct db *db, struct run_pk run_pk,
			       const struct metric_group *groups, size_t group_count,
			       struct arena *arena, struct error *err)
{
	/* Groups are dealt out to rows; one that does not fit is continued in the next row. */
	struct metric_group *row = ARENA_NEW(arena, struct metric_group, group_count);
	size_t row_groups = 0, row_points = 0;
	for (size_t g = 0; g < group_count; g++) {
		struct metric_samples left = groups[g].samples;
		while (left.count > 0) {
			size_t room = METRIC_TAIL_SAMPLES_MAX - row_points;
			size_t taken = left.count < room ? left.count : room;
			row[row_groups++] =
				(struct metric_group){groups[g].name_pk, {left.items, taken}};
			row_points += taken;
			left.items += taken;
			left.count -= taken;
			if (row_points < METRIC_TAIL_SAMPLES_MAX)
				continue;
			if (!append_row_in_txn(db, run_pk, row, row_groups, row_points, arena, err))
				return false;
			row_groups = 0;
			row_points = 0;
		}
	}
	return row_points == 0 ||
	       append_row_in_txn(db, run_pk, row, row_groups, row_points, arena, err);
}

bool metric_tail_collect(struct db *db, struct run_pk run_pk, const struct name_pk *name_pks,
			 size_t count, struct arena *arena, struct metric_samples *samples_out,
			 struct error *err)
{
	struct metric_samples *samples = ARENA_NEW(arena, struct metric_samples, count);
	struct metric_tail_run run;
	bool found = false;
	if (!metric_tail_find_run(db, run_pk, &run, &found, err))
		return false;
	if (found) {
		struct db_statement *st = db_prepare(
			db, SQL("SELECT seq, data FROM metric_tail WHERE run_pk = $1 ORDER BY seq"),
			err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, run_pk.value);
		enum db_row row;
		while ((row = db_step(st, err)) == DB_ROW) {
			bool is_in_pass = db_column_i64(st, 0) < run.pass_seq;
			if (!collect_row(db_column_blob(st, 1), is_in_pass, run.pass_name_pk,
					 name_pks, count, arena, samples, err)) {
				db_reset(st);
				return false;
			}
		}
		if (row == DB_FAILED)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		metric_samples_sort(&samples[i], metric_sample_compare, arena);
		samples_out[i] = samples[i];
	}
	return true;
}

bool metric_tail_find_run(struct db *db, struct run_pk run_pk, struct metric_tail_run *out,
			  bool *found_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT " TAIL_RUN_COLUMNS " FROM metric_tail_runs WHERE run_pk = $1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	return find_run(st, out, found_out, err);
}

bool metric_tail_find_longest(struct db *db, bool any, struct metric_tail_run *out, bool *found_out,
			      struct error *err)
{
	/* Few runs are due at a time, so sorting them is cheap. */
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " TAIL_RUN_COLUMNS " FROM metric_tail_runs WHERE is_due = 1"
			       " ORDER BY row_count DESC, run_pk LIMIT 1"),
			   err);
	if (st == NULL)
		return false;
	bool found = false;
	if (!find_run(st, out, &found, err))
		return false;
	if (!found && any) {
		st = db_prepare(db,
				SQL("SELECT " TAIL_RUN_COLUMNS " FROM metric_tail_runs"
				    " WHERE is_due <> 2 ORDER BY run_pk LIMIT 1"),
				err);
		if (st == NULL)
			return false;
		return find_run(st, out, found_out, err);
	}
	*found_out = found;
	return true;
}

bool metric_tail_load_pass(struct db *db, const struct metric_tail_run *run, struct arena *arena,
			   struct metric_tail_rows *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT seq, point_count, data FROM metric_tail WHERE run_pk = $1 AND seq < $2"
		    " ORDER BY seq"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run->run_pk.value);
	db_bind_i64(st, 2, run->pass_seq > 0 ? run->pass_seq : INT64_MAX);
	struct metric_tail_rows rows = {
		.items = ARENA_NEW(arena, struct metric_tail_row, METRIC_PASS_ROWS_MAX)};
	enum db_row row = DB_DONE;
	while (rows.count < METRIC_PASS_ROWS_MAX && (row = db_step(st, err)) == DB_ROW) {
		int64_t points = db_column_i64(st, 1);
		if (points < 1 || points > METRIC_TAIL_SAMPLES_MAX) {
			db_reset(st);
			return error_set(err, ERR_DATA_LOSS, "Stored metric points are damaged.");
		}
		if (rows.count > 0 && rows.point_count + (size_t)points > METRIC_PASS_POINTS_MAX)
			break;
		rows.items[rows.count++] = (struct metric_tail_row){
			db_column_i64(st, 0), arena_copy(arena, db_column_blob(st, 2))};
		rows.point_count += (size_t)points;
	}
	if (row == DB_FAILED)
		return false;
	db_reset(st);
	*out = rows;
	return true;
}

bool metric_tail_advance_in_txn(struct db *db, const struct metric_tail_run *run,
				const struct metric_tail_rows *pass, int64_t name_pk,
				struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE metric_tail_runs SET pass_seq = $1, pass_name_pk = $2, is_due = 1"
		    " WHERE run_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pass->items[pass->count - 1].seq + 1);
	db_bind_i64(st, 2, name_pk);
	db_bind_i64(st, 3, run->run_pk.value);
	return db_run(st, err);
}

static bool delete_rows_in_txn(struct db *db, struct run_pk run_pk, int64_t seq_end,
			       struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM metric_tail WHERE run_pk = $1 AND seq < $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, seq_end);
	return db_run(st, err);
}

bool metric_tail_finish_in_txn(struct db *db, const struct metric_tail_run *run,
			       const struct metric_tail_rows *pass, struct error *err)
{
	if (!delete_rows_in_txn(db, run->run_pk, pass->items[pass->count - 1].seq + 1, err))
		return false;
	int64_t rows_left = run->row_count - i64_from_size(pass->count);
	int64_t points_left = run->point_count - i64_from_size(pass->point_count);
	/* Without rows the counter goes, too: numbers may start again. */
	struct db_statement *st =
		rows_left > 0
			? db_prepare(db,
				     SQL("UPDATE metric_tail_runs SET row_count = $2, point_count "
					 "= $3,"
					 " is_due = $4, pass_seq = 0, pass_name_pk = 0 WHERE "
					 "run_pk = $1"),
				     err)
			: db_prepare(db, SQL("DELETE FROM metric_tail_runs WHERE run_pk = $1"),
				     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run->run_pk.value);
	if (rows_left > 0) {
		bool is_due =
			rows_left > METRIC_TAIL_ROWS_DUE || points_left > METRIC_TAIL_POINTS_DUE;
		db_bind_i64(st, 2, rows_left);
		db_bind_i64(st, 3, points_left);
		db_bind_i64(st, 4, is_due ? METRIC_TAIL_DUE : METRIC_TAIL_SHORT);
	}
	return db_run(st, err);
}

bool metric_tail_mark_damaged_in_txn(struct db *db, struct run_pk run_pk, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE metric_tail_runs SET is_due = 2 WHERE run_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	return db_run(st, err);
}

static bool append_row_in_txn(struct db *db, struct run_pk run_pk,
			      const struct metric_group *groups, size_t group_count,
			      size_t point_count, struct arena *arena, struct error *err)
{
	if (!count_row_in_txn(db, run_pk, point_count, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO metric_tail (run_pk, seq, point_count, data)"
			       " SELECT run_pk, next_seq - 1, $1, $2 FROM metric_tail_runs"
			       " WHERE run_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	struct arena_mark mark = arena_mark(arena);
	db_bind_i64(st, 1, i64_from_size(point_count));
	db_bind_blob(st, 2, metric_tail_encode(groups, group_count, arena));
	db_bind_i64(st, 3, run_pk.value);
	bool ok = db_run(st, err);
	arena_rewind(arena, mark);
	return ok;
}

/* Counts one more row; its number is next_seq - 1. Plain statements: an upsert with RETURNING makes
 * and drops a temporary b-tree each time, which takes three times as long as both. */
static bool count_row_in_txn(struct db *db, struct run_pk run_pk, size_t point_count,
			     struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE metric_tail_runs SET next_seq = next_seq + 1,"
		    " row_count = row_count + 1, point_count = point_count + $1,"
		    " is_due = CASE WHEN is_due = 0 AND (row_count >= $2"
		    " OR point_count + $1 > $3) THEN 1 ELSE is_due END WHERE run_pk = $4"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, i64_from_size(point_count));
	db_bind_i64(st, 2, METRIC_TAIL_ROWS_DUE);
	db_bind_i64(st, 3, METRIC_TAIL_POINTS_DUE);
	db_bind_i64(st, 4, run_pk.value);
	if (!db_run(st, err))
		return false;
	if (db_changes(db) > 0)
		return true;
	st = db_prepare(db,
			SQL("INSERT INTO metric_tail_runs (run_pk, next_seq, row_count,"
			    " point_count, is_due) VALUES ($1, 2, 1, $2, 0)"),
			err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, i64_from_size(point_count));
	return db_run(st, err);
}

static bool collect_row(struct slice data, bool is_in_pass, int64_t pass_name_pk,
			const struct name_pk *name_pks, size_t count, struct arena *arena,
			struct metric_samples *samples, struct error *err)
{
	struct metric_tail_reader reader;
	size_t i = 0;
	bool found = true;
	if (!metric_tail_open(data, &reader, err) || !metric_tail_next(&reader, &found, err))
		return false;
	while (found) {
		while (i < count && name_pks[i].value < reader.name_pk)
			i++;
		if (i == count)
			return true;
		bool is_wanted = name_pks[i].value == reader.name_pk &&
				 !(is_in_pass && reader.name_pk < pass_name_pk);
		if (is_wanted)
			samples_reserve(&samples[i], reader.count, arena);
		if (!(is_wanted ? metric_tail_read(&reader, &samples[i], err)
				: metric_tail_skip(&reader, err)) ||
		    !metric_tail_next(&reader, &found, err))
			return false;
	}
	return true;
}

/* Makes room for `more`. The capacity is the power of two at or above the count. */
static void samples_reserve(struct metric_samples *samples, size_t more, struct arena *arena)
{
	size_t capacity = 0, needed = samples->count + more;
	if (samples->count > 0)
		for (capacity = 1; capacity < samples->count;)
			capacity *= 2;
	if (needed <= capacity)
		return;
	if (capacity == 0)
		capacity = 1;
	while (capacity < needed)
		capacity *= 2;
	struct metric_sample *items = ARENA_NEW(arena, struct metric_sample, capacity);
	if (samples->count > 0)
		memcpy(items, samples->items, samples->count * sizeof(items[0]));
	samples->items = items;
}

static bool find_run(struct db_statement *st, struct metric_tail_run *out, bool *found_out,
		     struct error *err)
{
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		*out = (struct metric_tail_run){
			.run_pk = {db_column_i64(st, 0)},
			.state = (enum metric_tail_state)db_column_i64(st, 1),
			.row_count = db_column_i64(st, 2),
			.point_count = db_column_i64(st, 3),
			.pass_seq = db_column_i64(st, 4),
			.pass_name_pk = db_column_i64(st, 5),
		};
	}
	db_reset(st);
	*found_out = found;
	return true;
}
