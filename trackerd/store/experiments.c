/* Owns the rows of experiments: their life from insert to delete and restore. */
#include "store/experiments.h"

#include <inttypes.h>

#include "db/sql_builder.h"
#include "store/artifact_uri.h"
#include "store/key_values.h"
#include "store/pk_list.h"
#include "store/tags.h"

static bool seed_in_txn(struct db *db, struct slice artifact_root, int64_t now_ms,
			struct arena *arena, struct error *err);
static bool insert_row(struct db *db, const struct experiment_new *new, int64_t *experiment_id_out,
		       struct error *err);
static bool load_piece(struct db *db, struct pk_list *list, struct arena *arena,
		       struct experiment *experiments, struct error *err);
static bool load_rows(struct db *db, struct pk_list *list, struct arena *arena,
		      struct experiment *experiments, struct error *err);
static bool load_tags(struct db *db, struct pk_list *list, struct arena *arena,
		      struct experiment *experiments, struct error *err);
static bool exists(struct db *db, int64_t experiment_id, bool *found_out, struct error *err);
static bool name_is_free(struct db *db, struct slice name, int64_t experiment_id,
			 struct error *err);
static bool set_deleted(struct db *db, int64_t experiment_id, bool is_deleted, int64_t now_ms,
			struct error *err);
static bool error_missing(struct error *err, int64_t experiment_id);
static bool error_exists(struct error *err, struct slice name);

bool experiment_seed_default(struct db *db, struct slice artifact_root, int64_t now_ms,
			     struct arena *arena, struct error *err)
{
	if (!db_exec(db, SQL("BEGIN IMMEDIATE"), err))
		return false;
	if (seed_in_txn(db, artifact_root, now_ms, arena, err) && db_exec(db, SQL("COMMIT"), err))
		return true;
	/* The first error is the one to tell. */
	struct error ignored;
	if (db_in_transaction(db))
		(void)!db_exec(db, SQL("ROLLBACK"), &ignored);
	return false;
}

bool experiment_insert_in_txn(struct db *db, const struct experiment_new *new, struct arena *arena,
			      int64_t *experiment_id_out, struct error *err)
{
	int64_t experiment_id = 0;
	if (!insert_row(db, new, &experiment_id, err))
		return false;
	if (!slice_is_present(new->artifact_location) &&
	    !experiment_place_in_txn(db, experiment_id, new->artifact_root, arena, err))
		return false;
	if (!experiment_tags_set_in_txn(db, experiment_id, new->tags, arena, err))
		return false;
	*experiment_id_out = experiment_id;
	return true;
}

bool experiment_place_in_txn(struct db *db, int64_t experiment_id, struct slice artifact_root,
			     struct arena *arena, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE experiments SET artifact_location = $1 WHERE experiment_id = $2"),
		err);
	if (st == NULL)
		return false;
	struct slice path = arena_printf(arena, "%" PRId64, experiment_id);
	db_bind_text(st, 1, artifact_uri_join(artifact_root, path, arena));
	db_bind_i64(st, 2, experiment_id);
	return db_run(st, err);
}

bool experiments_load(struct db *db, const int64_t *experiment_ids, size_t count,
		      struct arena *arena, struct experiment *experiments_out, struct error *err)
{
	for (size_t from = 0; from < count; from += PK_LIST_COUNT_MAX) {
		size_t piece_count =
			count - from < PK_LIST_COUNT_MAX ? count - from : PK_LIST_COUNT_MAX;
		struct pk_list list;
		pk_list_init(&list, experiment_ids + from, piece_count, from, arena);
		if (!load_piece(db, &list, arena, experiments_out, err))
			return false;
	}
	return true;
}

bool experiment_load(struct db *db, int64_t experiment_id, struct arena *arena,
		     struct experiment *out, struct error *err)
{
	bool found = false;
	if (!exists(db, experiment_id, &found, err))
		return false;
	if (!found)
		return error_missing(err, experiment_id);
	return experiments_load(db, &experiment_id, 1, arena, out, err);
}

bool experiment_load_by_name(struct db *db, struct slice name, struct arena *arena,
			     struct experiment *out, struct error *err)
{
	int64_t experiment_id = 0;
	bool found = false;
	if (!experiment_find_by_name(db, name, &experiment_id, &found, err))
		return false;
	if (!found) {
		char quoted[600];
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "Could not find experiment with name '%s'",
				 error_quote(name, quoted, sizeof(quoted)));
	}
	return experiments_load(db, &experiment_id, 1, arena, out, err);
}

bool experiment_find_by_name(struct db *db, struct slice name, int64_t *experiment_id_out,
			     bool *found_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT experiment_id FROM experiments WHERE name = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		*experiment_id_out = db_column_i64(st, 0);
	db_reset(st);
	*found_out = found;
	return true;
}

bool experiment_check_active(struct db *db, int64_t experiment_id, struct arena *arena,
			     struct slice *location_out_or_null, struct error *err)
{
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT is_deleted, artifact_location FROM "
						 "experiments WHERE experiment_id = $1"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	bool is_deleted = found && db_column_i64(st, 0) != 0;
	if (found && location_out_or_null != NULL)
		*location_out_or_null = db_column_copy(st, 1, arena);
	db_reset(st);
	if (!found)
		return error_missing(err, experiment_id);
	if (is_deleted) {
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The experiment %" PRId64 " must be in the 'active' state."
				 " Current state is deleted.",
				 experiment_id);
	}
	return true;
}

bool experiment_rename_in_txn(struct db *db, int64_t experiment_id, struct slice name,
			      int64_t now_ms, struct error *err)
{
	if (!name_is_free(db, name, experiment_id, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE experiments SET name = $1, last_update_time_ms = $2"
			       " WHERE experiment_id = $3 AND is_deleted = 0"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, experiment_id);
	if (!db_run(st, err))
		return false;
	if (db_changes(db) > 0)
		return true;
	bool found = false;
	if (!exists(db, experiment_id, &found, err))
		return false;
	if (!found)
		return error_missing(err, experiment_id);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Cannot rename a non-active experiment.");
}

bool experiment_delete_in_txn(struct db *db, int64_t experiment_id, int64_t now_ms,
			      struct error *err)
{
	if (!set_deleted(db, experiment_id, true, now_ms, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE runs SET is_deleted = 1, deleted_time_ms = $1"
			       " WHERE experiment_id = $2 AND is_deleted = 0"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, experiment_id);
	return db_run(st, err);
}

bool experiment_restore_in_txn(struct db *db, int64_t experiment_id, int64_t now_ms,
			       struct error *err)
{
	if (!set_deleted(db, experiment_id, false, now_ms, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE runs SET is_deleted = 0, deleted_time_ms = NULL"
			       " WHERE experiment_id = $1 AND is_deleted = 1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	return db_run(st, err);
}

/* Experiments are never removed for good, so that a missing number 0 means a new file. */
static bool seed_in_txn(struct db *db, struct slice artifact_root, int64_t now_ms,
			struct arena *arena, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO experiments (experiment_id, name, artifact_location,"
		    " creation_time_ms, last_update_time_ms) VALUES (0, 'Default', $1, $2, $2)"
		    " ON CONFLICT DO NOTHING"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, artifact_uri_join(artifact_root, SLICE("0"), arena));
	db_bind_i64(st, 2, now_ms);
	return db_run(st, err);
}

static bool insert_row(struct db *db, const struct experiment_new *new, int64_t *experiment_id_out,
		       struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO experiments (name, artifact_location, creation_time_ms,"
			       " last_update_time_ms) VALUES ($1, $2, $3, $3)"
			       " ON CONFLICT (name) DO NOTHING RETURNING experiment_id"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, new->name);
	db_bind_text(st, 2,
		     slice_is_present(new->artifact_location) ? new->artifact_location : SLICE(""));
	db_bind_i64(st, 3, new->now_ms);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		*experiment_id_out = db_column_i64(st, 0);
	db_reset(st);
	return found ? true : error_exists(err, new->name);
}

/* The default location contains the number, which is known only now. */
static bool load_piece(struct db *db, struct pk_list *list, struct arena *arena,
		       struct experiment *experiments, struct error *err)
{
	return load_rows(db, list, arena, experiments, err) &&
	       load_tags(db, list, arena, experiments, err);
}

static bool load_rows(struct db *db, struct pk_list *list, struct arena *arena,
		      struct experiment *experiments, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b,
		 SQL("SELECT experiment_id, name, artifact_location, is_deleted, creation_time_ms,"
		     " last_update_time_ms FROM experiments WHERE experiment_id IN "));
	pk_list_append(list, &b);
	sql_text(&b, SQL(" ORDER BY experiment_id"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(list);
	size_t found_count = 0;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(list, db_column_i64(st, 0));
		experiments[slot->index] = (struct experiment){
			.experiment_id = db_column_i64(st, 0),
			.name = db_column_copy(st, 1, arena),
			.artifact_location = db_column_copy(st, 2, arena),
			.is_deleted = db_column_i64(st, 3) != 0,
			.creation_time_ms = db_column_i64(st, 4),
			.last_update_time_ms = db_column_i64(st, 5),
		};
		found_count++;
	}
	if (row == DB_FAILED)
		return false;
	if (found_count != list->count)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "An experiment vanished while it was read.");
	return true;
}

static bool load_tags(struct db *db, struct pk_list *list, struct arena *arena,
		      struct experiment *experiments, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT experiment_id, key, value FROM experiment_tags WHERE "
			 "experiment_id IN "));
	pk_list_append(list, &b);
	sql_text(&b, SQL(" ORDER BY experiment_id, key"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(list);
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(list, db_column_i64(st, 0));
		struct key_value tag = {db_column_copy(st, 1, arena), db_column_copy(st, 2, arena)};
		key_values_add(&experiments[slot->index].tags, tag, arena);
	}
	return row == DB_DONE;
}

static bool exists(struct db *db, int64_t experiment_id, bool *found_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT 1 FROM experiments WHERE experiment_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	if (!db_fetch_one(st, found_out, err))
		return false;
	db_reset(st);
	return true;
}

static bool name_is_free(struct db *db, struct slice name, int64_t experiment_id, struct error *err)
{
	int64_t owner_id = experiment_id;
	bool found = false;
	if (!experiment_find_by_name(db, name, &owner_id, &found, err))
		return false;
	return owner_id == experiment_id ? true : error_exists(err, name);
}

/* Moves the experiment into the state, or says that it is missing when it is there already. */
static bool set_deleted(struct db *db, int64_t experiment_id, bool is_deleted, int64_t now_ms,
			struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE experiments SET is_deleted = $1, last_update_time_ms = $2"
			       " WHERE experiment_id = $3 AND is_deleted = 1 - $1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, is_deleted);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, experiment_id);
	if (!db_run(st, err))
		return false;
	return db_changes(db) > 0 ? true : error_missing(err, experiment_id);
}

static bool error_missing(struct error *err, int64_t experiment_id)
{
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "No Experiment with id=%" PRId64 " exists", experiment_id);
}

static bool error_exists(struct error *err, struct slice name)
{
	char quoted[600];
	return error_set(
		err, ERR_RESOURCE_ALREADY_EXISTS,
		"Experiment(name=%s) already exists. Names of deleted experiments stay taken.",
		error_quote(name, quoted, sizeof(quoted)));
}
