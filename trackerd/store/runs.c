/* Owns the rows of runs: their life from insert to delete and restore. */
#include "store/runs.h"

#include "store/artifact_uri.h"
#include "store/metrics.h"
#include "store/tags.h"

static bool insert_row(struct db *db, const struct run_new *new, struct slice artifact_uri,
		       struct run_pk *out, struct error *err);
static struct key_value_list tags_with_name(const struct run_new *new, struct arena *arena);
static bool is_terminal(struct slice status);

bool run_find_if_any(struct db *db, struct slice run_id, struct run_ref *out, bool *found_out,
		     struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT run_pk, experiment_id, is_deleted FROM runs"
			       " WHERE run_id = $1 AND is_deleted < 2"), /* see garbage.h */
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, run_id);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		out->pk.value = db_column_i64(st, 0);
		out->experiment_id = db_column_i64(st, 1);
		out->is_deleted = db_column_i64(st, 2) != 0;
	}
	db_reset(st);
	*found_out = found;
	return true;
}

bool run_find(struct db *db, struct slice run_id, struct run_ref *out, struct error *err)
{
	bool found = false;
	if (!run_find_if_any(db, run_id, out, &found, err))
		return false;
	if (found)
		return true;
	char quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found",
			 error_quote(run_id, quoted, sizeof(quoted)));
}

bool run_find_active(struct db *db, struct slice run_id, struct run_ref *out, struct error *err)
{
	struct run_ref ref;
	if (!run_find(db, run_id, &ref, err))
		return false;
	if (ref.is_deleted) {
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"The run %.*s must be in the 'active' state. Current state is deleted.",
			SLICE_FMT(run_id));
	}
	*out = ref;
	return true;
}

bool run_insert_in_txn(struct db *db, const struct run_new *new, struct arena *arena,
		       struct run_pk *out, struct error *err)
{
	struct slice path = arena_concat(arena, new->run_id, SLICE("/artifacts"));
	struct slice artifact_uri = artifact_uri_join(new->experiment_location, path, arena);
	struct run_pk pk;
	if (!insert_row(db, new, artifact_uri, &pk, err))
		return false;
	if (!run_tags_set_in_txn(db, pk, tags_with_name(new, arena), arena, err))
		return false;
	*out = pk;
	return true;
}

bool run_update_in_txn(struct db *db, struct run_pk run_pk, const struct run_changes *changes,
		       struct arena *arena, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE runs SET status = coalesce($1, status),"
			       " end_time_ms = CASE $2 WHEN 0 THEN NULL"
			       " ELSE coalesce($2, end_time_ms) END WHERE run_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, changes->status_or_absent);
	if (changes->has_end_time)
		db_bind_i64(st, 2, changes->end_time_ms);
	db_bind_i64(st, 3, run_pk.value);
	if (!db_run(st, err))
		return false;
	if (slice_is_present(changes->name_or_absent)) {
		struct key_value name_tag = {RUN_NAME_TAG, changes->name_or_absent};
		struct key_value_list tags = {&name_tag, 1};
		if (!run_tags_set_in_txn(db, run_pk, tags, arena, err))
			return false;
	}
	/* A finished run is only read from now on: its curves are put into the form that reads
	 * fastest. */
	if (is_terminal(changes->status_or_absent))
		return metrics_compact_run_in_txn(db, run_pk, err);
	return true;
}

bool run_delete_in_txn(struct db *db, struct run_pk run_pk, int64_t now_ms, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE runs SET is_deleted = 1, deleted_time_ms = $1"
			       " WHERE run_pk = $2 AND is_deleted = 0"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, run_pk.value);
	return db_run(st, err);
}

bool run_restore_in_txn(struct db *db, struct run_pk run_pk, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE runs SET is_deleted = 0, deleted_time_ms = NULL WHERE run_pk = $1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	return db_run(st, err);
}

static bool insert_row(struct db *db, const struct run_new *new, struct slice artifact_uri,
		       struct run_pk *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time_ms,"
		    " artifact_uri) VALUES ($1, $2, $3, $4, 'RUNNING', $5, $6) RETURNING run_pk"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, new->run_id);
	db_bind_i64(st, 2, new->experiment_id);
	db_bind_text(st, 3, new->name);
	db_bind_text(st, 4, slice_is_present(new->user_id) ? new->user_id : SLICE(""));
	db_bind_i64(st, 5, new->start_time_ms);
	db_bind_text(st, 6, artifact_uri);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

/* The name last, so that it wins over a tag of the same key. */
static struct key_value_list tags_with_name(const struct run_new *new, struct arena *arena)
{
	struct key_value *items = ARENA_NEW(arena, struct key_value, new->tags.count + 1);
	for (size_t i = 0; i < new->tags.count; i++)
		items[i] = new->tags.items[i];
	items[new->tags.count] = (struct key_value){RUN_NAME_TAG, new->name};
	return (struct key_value_list){items, new->tags.count + 1};
}

static bool is_terminal(struct slice status)
{
	return slice_eq(status, SLICE("FINISHED")) || slice_eq(status, SLICE("FAILED")) ||
	       slice_eq(status, SLICE("KILLED"));
}
