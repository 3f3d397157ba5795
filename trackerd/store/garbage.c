/* Owns the way of deleted runs, logged models and experiments out of tracker.db. */
#include "store/garbage.h"

#include "search/search_table.h"

/* What there is of one kind. Statements take the pk as $1. */
struct kind_sql {
	struct sql next;	  /* after pk $1: the columns of struct garbage */
	struct sql mark;	  /* with $2 */
	struct sql count;	  /* rows besides the last one, and bytes of points */
	const struct sql *pieces; /* each deletes some rows */
	unsigned piece_count;
	struct sql row;
};

/* Large values come a few at a time. */
static const struct sql run_pieces[] = {
	SQL_LITERAL("DELETE FROM metric_chunks WHERE (run_pk, name_pk, last_timestamp_ms, "
		    "last_step, seq) IN"
		    " (SELECT run_pk, name_pk, last_timestamp_ms, last_step, seq FROM metric_chunks"
		    " WHERE run_pk = $1 LIMIT 16)"),
	SQL_LITERAL("DELETE FROM metric_tail WHERE (run_pk, seq) IN"
		    " (SELECT run_pk, seq FROM metric_tail WHERE run_pk = $1 LIMIT 32)"),
	SQL_LITERAL("DELETE FROM metric_series WHERE (run_pk, name_pk) IN"
		    " (SELECT run_pk, name_pk FROM metric_series WHERE run_pk = $1 LIMIT 100)"),
	SQL_LITERAL("DELETE FROM params WHERE (run_pk, name_pk) IN"
		    " (SELECT run_pk, name_pk FROM params WHERE run_pk = $1 LIMIT 100)"),
	SQL_LITERAL("DELETE FROM run_tags WHERE (run_pk, name_pk) IN"
		    " (SELECT run_pk, name_pk FROM run_tags WHERE run_pk = $1 LIMIT 100)"),
	SQL_LITERAL("DELETE FROM logged_model_metrics WHERE metric_pk IN"
		    " (SELECT metric_pk FROM logged_model_metrics WHERE run_pk = $1 LIMIT 100)"),
	SQL_LITERAL("DELETE FROM run_model_inputs WHERE (run_pk, model_id) IN"
		    " (SELECT run_pk, model_id FROM run_model_inputs WHERE run_pk = $1 LIMIT 100)"),
	SQL_LITERAL(
		"DELETE FROM run_model_outputs WHERE (run_pk, model_id) IN"
		" (SELECT run_pk, model_id FROM run_model_outputs WHERE run_pk = $1 LIMIT 100)"),
	/* Datasets that only this run used go with it: a profile may have 16 MiB. */
	SQL_LITERAL(
		"DELETE FROM datasets WHERE dataset_pk IN"
		" (SELECT d.dataset_pk FROM run_datasets AS d WHERE d.run_pk = $1 AND NOT EXISTS"
		" (SELECT 1 FROM run_datasets AS o WHERE o.dataset_pk = d.dataset_pk AND o.run_pk "
		"<> $1)"
		" LIMIT 1)"),
	SQL_LITERAL("DELETE FROM run_datasets WHERE (run_pk, dataset_pk) IN"
		    " (SELECT run_pk, dataset_pk FROM run_datasets WHERE run_pk = $1 LIMIT 100)"),
};
static const struct sql logged_model_pieces[] = {
	SQL_LITERAL("DELETE FROM logged_model_metrics WHERE metric_pk IN"
		    " (SELECT metric_pk FROM logged_model_metrics WHERE logged_model_pk = $1 LIMIT "
		    "100)"),
	SQL_LITERAL("DELETE FROM logged_model_params WHERE (logged_model_pk, key) IN"
		    " (SELECT logged_model_pk, key FROM logged_model_params WHERE logged_model_pk "
		    "= $1 LIMIT 32)"),
	SQL_LITERAL("DELETE FROM logged_model_tags WHERE (logged_model_pk, key) IN"
		    " (SELECT logged_model_pk, key FROM logged_model_tags WHERE logged_model_pk = "
		    "$1 LIMIT 32)"),
};
static const struct sql experiment_pieces[] = {
	SQL_LITERAL("DELETE FROM datasets WHERE dataset_pk IN"
		    " (SELECT dataset_pk FROM datasets WHERE experiment_id = $1 LIMIT 1)"),
	SQL_LITERAL("DELETE FROM experiment_tags WHERE (experiment_id, key) IN"
		    " (SELECT experiment_id, key FROM experiment_tags WHERE experiment_id = $1 "
		    "LIMIT 32)"),
};

static const struct kind_sql kinds[GARBAGE_KINDS] = {
	[GARBAGE_RUN] =
		{
			.next = SQL_LITERAL(
				"SELECT run_pk, run_id, name, experiment_id, "
				"coalesce(deleted_time_ms, 0),"
				" artifact_uri, is_deleted FROM runs"
				" WHERE run_pk > $1 AND is_deleted > 0 ORDER BY run_pk LIMIT 1"),
			.mark = SQL_LITERAL("UPDATE runs SET is_deleted = $2 WHERE run_pk = $1"),
			.count = SQL_LITERAL(
				"SELECT (SELECT count(*) FROM metric_chunks WHERE run_pk = $1)"
				" + (SELECT count(*) FROM metric_tail WHERE run_pk = $1)"
				" + (SELECT count(*) FROM metric_series WHERE run_pk = $1)"
				" + (SELECT count(*) FROM params WHERE run_pk = $1)"
				" + (SELECT count(*) FROM run_tags WHERE run_pk = $1)"
				" + (SELECT count(*) FROM logged_model_metrics WHERE run_pk = $1)"
				" + (SELECT count(*) FROM run_model_inputs WHERE run_pk = $1)"
				" + (SELECT count(*) FROM run_model_outputs WHERE run_pk = $1)"
				" + (SELECT count(*) FROM run_datasets WHERE run_pk = $1),"
				" (SELECT coalesce(sum(length(data)), 0) FROM metric_chunks WHERE "
				"run_pk = $1)"
				" + (SELECT coalesce(sum(length(data)), 0) FROM metric_tail WHERE "
				"run_pk = $1)"),
			.pieces = run_pieces,
			.piece_count = ARRAY_COUNT(run_pieces),
			.row = SQL_LITERAL("DELETE FROM runs WHERE run_pk = $1"),
		},
	[GARBAGE_LOGGED_MODEL] =
		{
			.next = SQL_LITERAL(
				"SELECT l.logged_model_pk, l.model_id, l.name, l.experiment_id,"
				" CASE WHEN l.is_deleted > 0 THEN l.last_updated_time_ms"
				" ELSE e.last_update_time_ms END, l.artifact_uri, l.is_deleted"
				" FROM logged_models AS l JOIN experiments AS e"
				" ON e.experiment_id = l.experiment_id"
				" WHERE l.logged_model_pk > $1 AND (l.is_deleted > 0 OR "
				"e.is_deleted > 0)"
				" ORDER BY l.logged_model_pk LIMIT 1"),
			.mark = SQL_LITERAL("UPDATE logged_models SET is_deleted = $2 WHERE "
					    "logged_model_pk = $1"),
			.count = SQL_LITERAL("SELECT (SELECT count(*) FROM logged_model_metrics "
					     "WHERE logged_model_pk = $1)"
					     " + (SELECT count(*) FROM logged_model_params WHERE "
					     "logged_model_pk = $1)"
					     " + (SELECT count(*) FROM logged_model_tags WHERE "
					     "logged_model_pk = $1), 0"),
			.pieces = logged_model_pieces,
			.piece_count = ARRAY_COUNT(logged_model_pieces),
			.row = SQL_LITERAL("DELETE FROM logged_models WHERE logged_model_pk = $1"),
		},
	[GARBAGE_EXPERIMENT] =
		{
			.next = SQL_LITERAL("SELECT experiment_id, CAST(experiment_id AS TEXT), "
					    "name, experiment_id,"
					    " last_update_time_ms, artifact_location, is_deleted "
					    "FROM experiments"
					    " WHERE experiment_id > $1 AND is_deleted > 0 ORDER BY "
					    "experiment_id LIMIT 1"),
			.mark = SQL_LITERAL(
				"UPDATE experiments SET is_deleted = $2 WHERE experiment_id = $1"),
			.count = SQL_LITERAL(
				"SELECT (SELECT count(*) FROM datasets WHERE experiment_id = $1)"
				" + (SELECT count(*) FROM experiment_tags WHERE experiment_id = $1)"
				" + (SELECT count(*) FROM traces WHERE experiment_id = $1), 0"),
			.pieces = experiment_pieces,
			.piece_count = ARRAY_COUNT(experiment_pieces),
			.row = SQL_LITERAL("DELETE FROM experiments WHERE experiment_id = $1"),
		},
};

static struct db_statement *prepare(struct db *db, struct sql sql, int64_t pk, struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	if (st != NULL)
		db_bind_i64(st, 1, pk);
	return st;
}

static bool next_of_kind(struct db *db, const struct garbage_cursor *cursor, struct arena *arena,
			 struct garbage *out, bool *found_out, struct error *err)
{
	struct db_statement *st = prepare(db, kinds[cursor->kind].next, cursor->after_pk, err);
	if (st == NULL || !db_fetch_one(st, found_out, err))
		return false;
	if (*found_out)
		*out = (struct garbage){
			.kind = cursor->kind,
			.pk = db_column_i64(st, 0),
			.id = db_column_copy(st, 1, arena),
			.name = db_column_copy(st, 2, arena),
			.experiment_id = db_column_i64(st, 3),
			.deleted_ms = db_column_i64(st, 4),
			.uri = db_column_copy(st, 5, arena),
			.is_being_removed = db_column_i64(st, 6) == GARBAGE_BEING_REMOVED,
		};
	db_reset(st);
	return true;
}

bool garbage_next(struct db *db, struct garbage_cursor *cursor, struct arena *arena,
		  struct garbage *out, bool *found_out, struct error *err)
{
	for (;;) {
		if (!next_of_kind(db, cursor, arena, out, found_out, err))
			return false;
		if (*found_out) {
			cursor->after_pk = out->pk;
			return true;
		}
		if (cursor->kind == GARBAGE_EXPERIMENT)
			return true;
		cursor->kind++;
		cursor->after_pk = -1;
	}
}

/* Whether the statement, which takes an experiment, gives 1. */
static bool read_truth(struct db *db, struct sql sql, int64_t experiment_id, bool *out,
		       struct error *err)
{
	struct db_statement *st = prepare(db, sql, experiment_id, err);
	bool found;
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	*out = db_column_i64(st, 0) != 0;
	db_reset(st);
	return true;
}

bool garbage_has_active_runs(struct db *db, int64_t experiment_id, bool *has_out, struct error *err)
{
	return read_truth(db,
			  SQL("SELECT EXISTS (SELECT 1 FROM runs WHERE experiment_id = $1"
			      " AND is_deleted = 0)"),
			  experiment_id, has_out, err);
}

bool garbage_experiment_is_empty(struct db *db, int64_t experiment_id, bool *is_empty_out,
				 struct error *err)
{
	return read_truth(
		db,
		SQL("SELECT NOT EXISTS (SELECT 1 FROM runs WHERE experiment_id = $1)"
		    " AND NOT EXISTS (SELECT 1 FROM logged_models WHERE experiment_id = $1)"),
		experiment_id, is_empty_out, err);
}

bool garbage_measure(struct db *db, const struct garbage *garbage, struct garbage_figures *out,
		     struct error *err)
{
	struct db_statement *st = prepare(db, kinds[garbage->kind].count, garbage->pk, err);
	bool found;
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	*out = (struct garbage_figures){.rows = db_column_i64(st, 0) + 1,
					.metric_bytes = db_column_i64(st, 1)};
	db_reset(st);
	return true;
}

bool garbage_mark_in_txn(struct db *db, const struct garbage *garbage, struct error *err)
{
	struct db_statement *st = prepare(db, kinds[garbage->kind].mark, garbage->pk, err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 2, GARBAGE_BEING_REMOVED);
	return db_run(st, err);
}

bool garbage_remove_piece_in_txn(struct db *db, const struct garbage *garbage, bool *is_gone_out,
				 struct error *err)
{
	const struct kind_sql *sql = &kinds[garbage->kind];
	*is_gone_out = false;
	for (unsigned i = 0; i < sql->piece_count; i++) {
		struct db_statement *st = prepare(db, sql->pieces[i], garbage->pk, err);
		if (st == NULL || !db_run(st, err))
			return false;
		if (db_changes(db) > 0)
			return true;
	}
	*is_gone_out = true;
	return true;
}

bool garbage_remove_row_in_txn(struct db *db, const struct garbage *garbage, struct error *err)
{
	struct db_statement *st = prepare(db, kinds[garbage->kind].row, garbage->pk, err);
	return st != NULL && db_run(st, err);
}
